/** What a person calls a bucket or a destination: found, one of several, or unknown with what it may have meant. */
import { editsBetween } from './edits-between.ts';
import type { Person } from './person.ts';
import { readableBuckets, usableDestinations } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';

/** Something registered under a name, and what else people call it. */
export interface Named {
  readonly name: string;
  readonly aliases: readonly string[];
}

export type Resolved =
  | { readonly kind: 'found'; readonly name: string }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly string[] }
  /** `nearest` has at most three, nearest first; empty when nothing is near. */
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** Words that people put around a name and that tell nothing apart. */
const NOISE = new Set([
  'the',
  'our',
  'my',
  'server',
  'servers',
  'site',
  'bucket',
  'buckets',
  'destination',
  'target',
  's3',
]);

const MAX_TYPED = 200;
const MAX_NEAREST = 3;

/** The buckets of which this person may see at least a part. */
export function bucketsFor(config: PolicyConfig, person: Person): Named[] {
  return readableBuckets(config, person).map((name) => ({
    name,
    aliases: config.buckets[name]?.aliases ?? [],
  }));
}

/** The destinations that this person may request transfers to. */
export function destinationsFor(config: PolicyConfig, person: Person): Named[] {
  return usableDestinations(config, person).map((name) => ({
    name,
    aliases: config.destinations[name]?.aliases ?? [],
  }));
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function withoutNoise(words: readonly string[]): string[] {
  const told = words.filter((word) => !NOISE.has(word));
  return told.length > 0 ? told : [...words];
}

function nearest(typed: string, things: readonly Named[]): string[] {
  return things
    .map((thing) => {
      const spellings = [thing.name, ...thing.aliases].map((spelling) => wordsOf(spelling).join(''));
      return {
        name: thing.name,
        away: Math.min(...spellings.map((spelling) => editsBetween(typed, spelling))),
      };
    })
    .filter(({ away }) => away <= Math.max(2, Math.floor(typed.length / 3)))
    .sort((a, b) => a.away - b.away || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_NEAREST)
    .map(({ name }) => name);
}

/**
 * Finds what was meant among the things that this person may use. A looser reading counts only where every stricter
 * one finds nothing, and never by likeness of spelling alone: a typo is answered with a question.
 */
export function resolveName(typed: string, things: readonly Named[]): Resolved {
  const text = typed.trim().slice(0, MAX_TYPED);
  const lower = text.toLowerCase();
  const words = wordsOf(text);
  const told = withoutNoise(words);
  if (words.length === 0) return { kind: 'unknown', nearest: [] };
  const spelled = things.map((thing) => ({ thing, spellings: [thing.name, ...thing.aliases] }));
  const stricterFirst: ((spelling: string) => boolean)[] = [
    (spelling) => spelling.toLowerCase() === lower,
    (spelling) => wordsOf(spelling).join(' ') === words.join(' '),
    (spelling) => wordsOf(spelling).join('') === words.join(''),
    (spelling) => withoutNoise(wordsOf(spelling)).join('') === told.join(''),
    (spelling) => withoutNoise(wordsOf(spelling)).join('').startsWith(told.join('')),
    (spelling) => told.every((word) => wordsOf(spelling).includes(word)),
  ];
  if (things.some((thing) => thing.name === text)) return { kind: 'found', name: text };
  for (const means of stricterFirst) {
    const candidates = spelled
      .filter(({ spellings }) => spellings.some(means))
      .map(({ thing }) => thing.name)
      .sort();
    const [only] = candidates;
    if (candidates.length === 1 && only !== undefined) return { kind: 'found', name: only };
    if (candidates.length > 1) return { kind: 'ambiguous', candidates };
  }
  return { kind: 'unknown', nearest: nearest(told.join(''), things) };
}
