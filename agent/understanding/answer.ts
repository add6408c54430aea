/** Reads a few words as the answer to a question that is still open. */
import type { Wish } from './intent.ts';
import * as cue from './lexicon.ts';
import { filled, isNamed, objectSlots, objectsOf } from './meant-objects.ts';
import { namesFor } from './places.ts';
import type { Intent, ObjectSlots, Reading, Slots } from './reading.ts';
import { entitiesOf, type Sentence } from './sentence.ts';

const PLACES: Readonly<Record<string, number>> = {
  first: 0,
  '1st': 0,
  second: 1,
  '2nd': 1,
  third: 2,
  '3rd': 2,
  last: -1,
};

/** The answer to an open question: a few words that name what was missing. */
export function answered(sentence: Sentence, wish: Wish): Reading | undefined {
  const { pending } = sentence.context;
  if (!pending || (pending.for !== 'request_transfer' && pending.for !== 'predict')) return undefined;
  const vague = wish.intent === 'out_of_scope' && wish.kind !== 'policy_violation';
  const short =
    sentence.words.length <= 10 &&
    !cue.SEND_STRONG.test(sentence.line) &&
    !cue.LOOKS_ONLY.test(sentence.line);
  const names = sentence.words.some(({ entity }) => entity !== undefined);
  const bare =
    /^(?:(?:the|to|it's|its|in|from|use|make it|oh|sorry|i mean|i meant|that|one|ok|please) )*(\S+)(?: (?:please|one|then|of course|!|\.))*$/.exec(
      sentence.line,
    );
  const place =
    /^(?:(?:the|use|take|ok|please) )*(first|1st|second|2nd|third|3rd|last)(?: (?:one|bucket|destination|option|please))*(?: [.!])?$/.exec(
      sentence.line,
    )?.[1];
  const offered = Object.entries(pending.ambiguous ?? {}).flatMap(([slot, choices], _at, all) => {
    const chosen = place === undefined || all.length > 1 ? undefined : choices.at(PLACES[place] ?? -1);
    if (chosen !== undefined) return [[slot, chosen] as const];
    const said = sentence.words.find(({ raw }) => choices.includes(raw.toLowerCase()))?.raw.toLowerCase();
    return said === undefined ? [] : [[slot, said] as const];
  });
  if (
    offered.length === 0 &&
    !(
      (vague ||
        wish.intent === 'list_objects' ||
        wish.intent === 'object_info' ||
        wish.intent === 'request_transfer') &&
      short &&
      (names || bare)
    )
  )
    return undefined;
  const known = (pending.known ?? {}) as Slots;
  const found = objectsOf(sentence, true);
  const [destination] = entitiesOf(sentence, 'destination');
  // What is known already is not described once more: plain words are about what was asked.
  const { query, ...named } = objectSlots(found);
  const merged: Record<string, unknown> = {
    ...known,
    ...named,
    ...(query === undefined || isNamed(known) ? {} : { query }),
    ...Object.fromEntries(offered),
  };
  if (destination?.names.length === 1) merged.destination = destination.names[0];
  // An answer may be nothing but a name, as short as people call it.
  const said = sentence.words
    .filter(
      ({ norm, entity }) =>
        !entity && !/^(?:one|to|in|from|it's|use|please|the|make|it|ok|yes|[,.!?])$/.test(norm),
    )
    .map(({ norm }) => norm)
    .join(' ');
  if (said !== '' && merged.destination === undefined) {
    const names = namesFor(said, sentence.world.destinations, sentence.world.exactNames);
    if (names.length === 1) {
      merged.destination = names[0];
      if (known.query === undefined) delete merged.query;
    }
  }
  if (
    said !== '' &&
    merged.bucket === undefined &&
    (pending.missing?.includes('bucket') || pending.ambiguous?.bucket)
  ) {
    const names = namesFor(said, sentence.world.buckets, sentence.world.exactNames);
    if (names.length === 1) {
      merged.bucket = names[0];
      if (known.query === undefined) delete merged.query;
      else merged.query = known.query;
    }
  }
  const missing = (pending.missing ?? []).filter((slot) =>
    slot === 'source' ? !isNamed(merged as ObjectSlots) : merged[slot] === undefined,
  );
  const ambiguous = Object.fromEntries(
    Object.entries(pending.ambiguous ?? {}).filter(([slot]) => merged[slot] === undefined),
  );
  if (JSON.stringify(merged) === JSON.stringify(known)) return undefined;
  if (missing.length > 0 || Object.keys(ambiguous).length > 0) {
    return {
      intent: 'clarify',
      slots: filled({
        for: pending.for as Intent,
        missing: missing.length > 0 ? missing : undefined,
        ambiguous: Object.keys(ambiguous).length > 0 ? ambiguous : undefined,
        known: merged,
      }),
    };
  }
  return { intent: pending.for, slots: merged as Slots };
}
