/** Joins the words of S3 addresses that hold spaces: a key goes on up to " to ". */
import { isGlob } from '../../core/glob.ts';
import { isAddress } from './address.ts';
import { clauseOf, FILLERS, isAnd } from './clauses.ts';
import { type Token, word } from './tokenize.ts';

/** Whether an address may end here: at an extension, a slash, or a bucket's bare name. */
function looksComplete(text: string): boolean {
  return text.endsWith('/') || /\.[a-z][a-z0-9]{0,7}$/i.test(text) || /^s3[an]?:\/\/[^/]*$/i.test(text);
}

/**
 * The end (exclusive) of an unquoted address that begins at `start`: a key may hold spaces up to " to ". The first
 * "to" behind something complete counts (`s3://b/Letter to Bob.pdf to acme`), else the first one.
 */
function addressEnd(tokens: readonly Token[], start: number, greedy: boolean): number {
  let firstTo: number | undefined;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at];
    const next = tokens[at + 1];
    if (!token) break;
    const done = looksComplete(token.text) || isGlob(token.text);
    if (!next || token.comma || next.quoted || isAddress(next.text)) {
      return firstTo ?? (done || greedy ? at + 1 : start + 1);
    }
    if (clauseOf(next) === 'to') {
      if (done) return at + 1;
      firstTo ??= at + 1;
    } else if (done && (clauseOf(next) || isAnd(next) || FILLERS.has(word(next)) || word(next) === 'with')) {
      return at + 1;
    } else if (done && firstTo === undefined && !hasToBehind(tokens, at)) {
      return at + 1;
    }
  }
  return start + 1;
}

/** Whether a "to" follows before the next address. */
function hasToBehind(tokens: readonly Token[], at: number): boolean {
  for (let next = at + 1; next < Math.min(tokens.length, at + 40); next++) {
    if (clauseOf(tokens[next]) === 'to') return true;
    if (isAddress(tokens[next]?.text ?? '')) return false;
  }
  return false;
}

/** Joins the words of addresses that hold spaces into one token each. */
export function joinAddresses(tokens: readonly Token[], text: string, greedy: boolean): Token[] {
  const joined: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at];
    if (!token) break;
    let end = at + 1;
    if (!token.quoted && isAddress(token.text) && !/^https?:/i.test(token.text)) {
      end = addressEnd(tokens, at, greedy);
      while (end > at + 1 && FILLERS.has(word(tokens[end - 1]))) end--;
    }
    const last = tokens[end - 1] ?? token;
    joined.push(
      end === at + 1
        ? token
        : { ...token, text: text.slice(token.from, last.to), to: last.to, comma: last.comma },
    );
    at = end;
  }
  return joined;
}
