/** Resolves what points back: "it", "the second one", "the same file", "the pdf" of the list that was just shown. */
import Fuse from 'fuse.js';
import { ALSO_TO } from './lexicon.ts';
import type { Context } from './reading.ts';
import type { Sentence } from './sentence.ts';

/** Objects that were named by pointing back. */
export interface Pointed {
  readonly bucket: string;
  readonly keys: readonly string[];
}

const ORDINALS: readonly (readonly [RegExp, number])[] = [
  [/^(?:1st|first|#1|one)$/, 0],
  [/^(?:2nd|second|#2|two)$/, 1],
  [/^(?:3rd|third|#3|three)$/, 2],
  [/^(?:4th|fourth|forth|#4|four)$/, 3],
  [/^(?:5th|fifth|#5|five)$/, 4],
  [/^(?:6th|sixth|#6)$/, 5],
  [/^(?:7th|seventh|#7)$/, 6],
  [/^(?:8th|eighth|#8)$/, 7],
  [/^(?:9th|ninth|#9)$/, 8],
  [/^(?:10th|tenth|#10)$/, 9],
];
const ORDINAL_WORD =
  '(?:1st|first|2nd|second|3rd|third|4th|fourth|forth|5th|fifth|6th|sixth|7th|seventh|8th|eighth|9th|ninth|10th|tenth|last|#\\d{1,2}|\\d{1,2}(?:st|nd|rd|th))';
const COUNTS: Readonly<Record<string, number>> = { two: 2, couple: 2, three: 3, four: 4, five: 5 };

const indexOf = (word: string, length: number): number | undefined => {
  if (word === 'last') return length - 1;
  const found =
    ORDINALS.find(([pattern]) => pattern.test(word))?.[1] ?? Number(/\d+/.exec(word)?.[0] ?? Number.NaN) - 1;
  return Number.isInteger(found) && found >= 0 && found < length ? found : undefined;
};

const SINGULAR =
  /(?:^| )(?:it|this|that|that one|this one|(?:the|that|this) (?:same )?(?:file|one|thing|object|document|report)|(?:the )?same(?: (?:file|one|thing|object|document|report|again))?)(?= |$)/;
const PLURAL =
  /(?:^| )(?:they|them|these|those|(?:all|both)(?: of)?(?: (?:them|these|those))?|all (?:two|three|four|five|\d+)|the (?:lot|whole lot|rest)|everything)(?= |$)/;

/** Keys of the last listing by their place in it. */
function byPlace(line: string, keys: readonly string[]): readonly string[] | undefined {
  const firsts = /(?:^| )(first|last|top|bottom) (\d{1,2}|two|couple|three|four|five)(?= |$)/.exec(line);
  if (firsts) {
    const count = COUNTS[firsts[2] ?? ''] ?? Number(firsts[2]);
    return firsts[1] === 'last' || firsts[1] === 'bottom' ? keys.slice(-count) : keys.slice(0, count);
  }
  const several = new RegExp(
    `(?:^| )(?:the )?(${ORDINAL_WORD}(?:(?: ,)?(?: and| &)?(?: the)? ${ORDINAL_WORD})*)(?: (?:one|ones|file|files|item|items|entry|entries|result|results|object|option|in the list|on the list|of (?:those|them|these)|from the (?:top|list)))?(?= |$)(?! (?:quarter|half|draft|version|floor|time|report|week|month|day|year))`,
  ).exec(line);
  if (several) {
    const picked = (several[1] ?? '')
      .split(' ')
      .flatMap((word) => indexOf(word, keys.length) ?? [])
      .map((index) => keys[index] ?? '');
    if (picked.length > 0) return [...new Set(picked)];
  }
  const numbers =
    /(?:^| )(?:(?:number|numbers|no|nr|item|items|file|files|option|entry|result|#) )(\d{1,2}(?:(?: ,)?(?: and)? \d{1,2})*)(?= |$)/.exec(
      line,
    ) ??
    /(?:^| )(\d{1,2}(?: ,)?(?: and) \d{1,2})(?= |$)/.exec(line) ??
    /^(\d{1,2})$/.exec(line);
  const numbered = (numbers?.[1] ?? '').split(' ').flatMap((word) => indexOf(`#${word}`, keys.length) ?? []);
  return numbered.length > 0 ? [...new Set(numbered.map((index) => keys[index] ?? ''))] : undefined;
}

const nameOf = (key: string) => key.slice(key.lastIndexOf('/') + 1);

/** Keys of the last listing by what they are called. */
function byName(query: string, keys: readonly string[]): readonly string[] {
  const words = (query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter(
    (word) => !/^(?:the|file|one|files|ones)$/.test(word),
  );
  if (words.length === 0) return [];
  for (const part of [nameOf, (key: string) => key]) {
    const all = keys.filter((key) => words.every((word) => part(key).toLowerCase().includes(word)));
    if (all.length > 0) return all;
  }
  const fuse = new Fuse(
    keys.map((key) => ({ key, name: nameOf(key) })),
    { keys: ['name'], threshold: 0.3, ignoreLocation: true },
  );
  const [first, second] = fuse.search(words.join(' ').slice(0, 60));
  return first && !second ? [first.item.key] : [];
}

const EXTENSION: Readonly<Record<string, string>> = {
  excel: 'xlsx',
  spreadsheet: 'xlsx',
  powerpoint: 'pptx',
  word: 'docx',
  video: 'mp4',
};

const TYPE =
  /(?:^| )(?:the |that |this |all (?:the )?|those |these |and )(csv|pdf|xlsx|excel|spreadsheet|pptx|powerpoint|docx|word|json|parquet|zip|txt|xml|mp4|video|png|jpg)(s?)(?: (?:file|files|one|ones))?(?= (?:to|over|and|please|into|,|\.|\?|!|\{)|$)/g;

function byType(line: string, keys: readonly string[]): readonly string[] | undefined {
  const chosen = [...line.matchAll(TYPE)].flatMap(([, type = '', plural]) => {
    const fitting = keys.filter((key) => key.toLowerCase().endsWith(`.${EXTENSION[type] ?? type}`));
    return fitting.length === 1 || plural === 's' ? fitting : [];
  });
  return chosen.length > 0 ? [...new Set(chosen)] : undefined;
}

const asPointed = (bucket: string | undefined, keys: readonly string[] | undefined): Pointed | undefined =>
  bucket !== undefined && keys !== undefined && keys.length > 0 ? { bucket, keys } : undefined;

/** The object that was spoken of last. */
export function lastObject({ lastObject: object, lastTransfer, lastListing }: Context): Pointed | undefined {
  return (
    (object && asPointed(object.bucket, [object.key])) ??
    (lastTransfer &&
      asPointed(
        lastTransfer.bucket,
        lastTransfer.keys ?? (lastTransfer.key === undefined ? undefined : [lastTransfer.key]),
      )) ??
    (lastListing?.keys.length === 1 ? asPointed(lastListing.bucket, lastListing.keys) : undefined)
  );
}

/** What the sentence points back to, if it does. */
export function pointedAt({ line, context }: Sentence, query: string | undefined): Pointed | undefined {
  const { lastListing } = context;
  const keys = lastListing?.keys ?? [];
  const listed = byPlace(line, keys) ?? byType(line, keys);
  if (lastListing && listed) return asPointed(lastListing.bucket, listed);
  if (query !== undefined) {
    if (!lastListing) return undefined;
    const named = byName(query, keys);
    return named.length === 1 || (named.length > 1 && /s$/.test(query))
      ? asPointed(lastListing.bucket, named)
      : undefined;
  }
  if (lastListing && PLURAL.test(line)) return asPointed(lastListing.bucket, keys);
  return SINGULAR.test(line) || PLURAL.test(line) || ALSO_TO.test(line) ? lastObject(context) : undefined;
}
