/** What people say around a request out of courtesy, and how it is passed over. */
import { type Token, word } from './tokenize.ts';

/** Courtesies in a row that are passed over. */
const MAX_OPENINGS = 12;

/** What people say around a request, longest first where one begins another. */
const OPENINGS = [
  'i would like you to',
  "i'd like you to",
  'i would like to',
  "i'd like to",
  'would you mind',
  'i need you to',
  'i want you to',
  'good afternoon',
  'good morning',
  'good evening',
  'are you able to',
  'could you',
  'would you',
  'would u',
  'could u',
  'can you',
  'will you',
  'i need to',
  'i want to',
  'hi there',
  'hey there',
  'let us',
  'can we',
  'can i',
  'can u',
  "let's",
  'thank you',
  'please',
  'kindly',
  'thanks',
  'thx',
  'cheers',
  'hello',
  'hiya',
  'hey',
  'hi',
  'pls',
  'plz',
  'just',
  'now',
  'then',
  'also',
  'and',
  'so',
  'ok',
  'okay',
  'yes',
  'yep',
  'sure',
  'fileferry',
  '@fileferry',
  '/fileferry',
].map((opening) => opening.split(' '));

const CLOSINGS = new Set(['please', 'pls', 'plz', 'thanks', 'thx', 'ty', 'cheers', 'now', 'ok']);

export function withoutCourtesy(tokens: readonly Token[]): readonly Token[] {
  let from = 0;
  for (let passed = 0, found = true; found && passed < MAX_OPENINGS; passed++) {
    const opening = OPENINGS.find((words) =>
      words.every((expected, at) => word(tokens[from + at]) === expected),
    );
    found = opening !== undefined;
    from += opening?.length ?? 0;
  }
  let to = tokens.length;
  while (to > from && CLOSINGS.has(word(tokens[to - 1]))) to--;
  if (to - 2 >= from && word(tokens[to - 2]) === 'thank' && word(tokens[to - 1]) === 'you') to -= 2;
  while (to > from && CLOSINGS.has(word(tokens[to - 1]))) to--;
  return tokens.slice(from, to);
}
