/** The key words between which the parts of a request stand. */
import { type Token, word } from './tokenize.ts';

const CLAUSES = new Map<string, Clause>([
  ['to', 'to'],
  ['onto', 'to'],
  ['towards', 'to'],
  ['into', 'into'],
  ['in', 'in'],
  ['from', 'in'],
  ['inside', 'in'],
  ['as', 'as'],
  ['named', 'as'],
  ['under', 'under'],
  ['below', 'under'],
  ['on', 'on'],
]);
/** `what`: where the objects are named, in front of the first key word. */
export type Clause = 'what' | 'to' | 'into' | 'in' | 'as' | 'under' | 'on';

/** Words for all there is. */
export const ALL = new Set(['everything', 'all', 'contents']);
/** Words that carry nothing behind an address or in front of a name. */
export const FILLERS = new Set([
  'over',
  'across',
  'please',
  'pls',
  'now',
  'out',
  'along',
  'straight',
  'directly',
  'up',
  'all',
]);

export const clauseOf = (token: Token | undefined) => CLAUSES.get(word(token));

export const isAnd = (token: Token | undefined) => ['and', '&', '+', 'plus'].includes(word(token));
