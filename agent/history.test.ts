import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from './bedrock.ts';
import { trimHistory } from './history.ts';

const said = (text: string): Message => ({ role: 'user', content: [{ text }] });
const answered = (text: string): Message => ({ role: 'assistant', content: [{ text }] });
const calls = (id: string): Message[] => [
  { role: 'assistant', content: [{ toolUse: { toolUseId: id, name: 'list_destinations', input: {} } }] },
  { role: 'user', content: [{ toolResult: { toolUseId: id, content: [{ text: '{}' }] } }] },
];

/** Turns of any length, each with some calls of tools, and at the end what the person says now. */
const conversation = fc
  .array(fc.tuple(fc.string({ maxLength: 200 }), fc.nat({ max: 3 })), { maxLength: 12 })
  .map((turns) => [
    ...turns.flatMap(([text, tools], turn) => [
      said(`said ${text}`),
      ...Array.from({ length: tools }, (_, index) => calls(`${turn}-${index}`)).flat(),
      answered(`answered ${text}`),
    ]),
    said('now'),
  ]);

describe('trimming', () => {
  it('cuts only where a person speaks, keeps the newest, and never parts a call from its result', () => {
    fc.assert(
      fc.property(conversation, fc.nat({ max: 3_000 }), (messages, most) => {
        const kept = trimHistory(messages, most);
        expect(kept).toEqual(messages.slice(messages.length - kept.length));
        expect(kept.at(-1)).toEqual(said('now'));
        expect(kept[0]?.role).toBe('user');
        expect(kept[0]?.content?.some(({ toolResult }) => toolResult)).toBe(false);
        const asked = kept.flatMap(({ content }) =>
          (content ?? []).flatMap((one) => one.toolUse?.toolUseId ?? []),
        );
        const results = kept.flatMap(({ content }) =>
          (content ?? []).flatMap((one) => one.toolResult?.toolUseId ?? []),
        );
        expect(results).toEqual(asked);
        const lastTurn = JSON.stringify(said('now')).length;
        expect(kept.reduce((sum, one) => sum + JSON.stringify(one).length, 0)).toBeLessThanOrEqual(
          Math.max(most, lastTurn),
        );
      }),
    );
  });

  it('keeps everything that fits', () => {
    const messages = [said('a'), ...calls('1'), answered('b'), said('c')];
    expect(trimHistory(messages, 10_000)).toEqual(messages);
  });
});
