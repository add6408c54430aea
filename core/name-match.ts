/** Which of many names a few words mean most likely: for offering candidates, never for choosing one. */

/** Words that tell no file from another. */
const IDLE = new Set([
  'the',
  'a',
  'an',
  'file',
  'files',
  'my',
  'our',
  'latest',
  'newest',
  'of',
  'for',
  'from',
  'this',
  'that',
]);

const MAX_WORDS = 12;

/** How much of a name's end is compared, in UTF-16 units: thousands of names are. */
const MAX_NAME = 200;

const partsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? [];

function pairs(text: string): Set<string> {
  const found = new Set<string>();
  for (let at = 0; at + 1 < text.length; at++) found.add(text.slice(at, at + 2));
  return found;
}

/** Share of letter pairs that two words have in common (Dice), 0 to 1. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size === 0 || b.size === 0) return 0;
  let both = 0;
  for (const pair of a) if (b.has(pair)) both++;
  return (2 * both) / (a.size + b.size);
}

/** Least score at which a name is worth offering. */
const WORTH = 0.5;

/** Share of the best score below which a name is not worth offering beside it. */
const NEAR_BEST = 0.75;

/**
 * The items whose names fit the words, best first; equal ones in their given order. A word counts fully where it
 * stands in the name, for less where it only begins a part or is misspelt, and a little more in the last segment.
 */
export function bestMatches<T>(
  words: string,
  items: readonly T[],
  nameOf: (item: T) => string,
  limit: number,
): T[] {
  const text = words.slice(0, 400).toLowerCase();
  // Half a bucket has the same extension: it decides between names that are alike and nothing else.
  const extension = /\.[a-z][a-z0-9]{0,7}$/.exec(text)?.[0] ?? '';
  const stem = partsOf(extension === '' ? text : text.slice(0, -extension.length));
  const all = stem.length > 0 ? stem : partsOf(text);
  const telling = all.filter((word) => !IDLE.has(word));
  const wanted = (telling.length > 0 ? telling : all)
    .slice(0, MAX_WORDS)
    .map((word) => ({ word, pairs: pairs(word) }));
  if (wanted.length === 0) return [];
  const scoreOf = (full: string): number => {
    const name = full.slice(-MAX_NAME);
    const last = name.slice(name.lastIndexOf('/') + 1);
    const ownParts = new Set(partsOf(last));
    const parts = partsOf(name);
    let sum = 0;
    for (const { word, pairs: wordPairs } of wanted) {
      if (ownParts.has(word)) sum += 1.1;
      else if (parts.includes(word)) sum += 1;
      else if (
        word.length > 2 &&
        parts.some((part) => part.startsWith(word) || (part.length > 2 && word.startsWith(part)))
      )
        sum += 0.8;
      else
        sum +=
          0.7 *
          Math.max(
            0,
            ...[...ownParts].map((part) => likeness(wordPairs, pairs(part))).filter((like) => like >= 0.5),
          );
    }
    const score = sum / wanted.length;
    return score > 0 && extension !== '' && name.toLowerCase().endsWith(extension) ? score + 0.1 : score;
  };
  const scored = items
    .map((item, index) => ({ item, index, score: scoreOf(nameOf(item)) }))
    .filter(({ score }) => score >= WORTH)
    .sort((a, b) => b.score - a.score || a.index - b.index);
  const least = NEAR_BEST * (scored[0]?.score ?? 0);
  return scored
    .filter(({ score }) => score >= least)
    .slice(0, limit)
    .map(({ item }) => item);
}
