/** Patterns over S3 keys: `*` within a segment, `**` across segments, `?`, `[a-z]`, `{a,b}`; matched in linear time. */

/** Longest pattern that is taken, in UTF-16 units; S3 keys have at most 1,024 bytes. */
const MAX_PATTERN = 1_024;

/** Most alternatives that the braces of one pattern may stand for. */
const MAX_ALTERNATIVES = 64;

type Token =
  | { readonly is: 'char'; readonly char: string }
  | {
      readonly is: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    }
  /** `?`: one character that is no slash. */
  | { readonly is: 'one' }
  /** `*`: any characters that are no slash. */
  | { readonly is: 'star' }
  /** `**` as the last segment: anything. */
  | { readonly is: 'rest' }
  /** `**` and its slash: nothing, or any number of whole segments. */
  | { readonly is: 'folders' };

export type Glob =
  | { readonly ok: true; matches(key: string): boolean }
  | { readonly ok: false; readonly reason: string };

/** Whether the text holds anything that a glob would read as more than itself. */
export function isGlob(text: string): boolean {
  return /[*?]|\[[^[\]]+\]|\{[^{},]*,[^{}]*\}/.test(text);
}

/** Where the brace group that opens at `open` closes, and its top-level commas; undefined when it is no group. */
function braceGroup(pattern: string, open: number): { close: number; commas: number[] } | undefined {
  const commas: number[] = [];
  let depth = 0;
  for (let at = open; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === ',' && depth === 1) commas.push(at);
    else if (char === '}' && --depth === 0) return commas.length > 0 ? { close: at, commas } : undefined;
  }
  return undefined;
}

/** The patterns that the braces stand for, or undefined when there are too many. */
function expandBraces(pattern: string): string[] | undefined {
  const done: string[] = [];
  const open: { text: string; from: number }[] = [{ text: pattern, from: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { text, from } = next;
    let at = from;
    let group: ReturnType<typeof braceGroup>;
    // A brace that is never closed is an ordinary character, and so are those behind it that need its closing.
    for (let tries = 0; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '{' && tries++ < MAX_ALTERNATIVES) {
        group = braceGroup(text, at);
        if (group) break;
      }
    }
    if (!group) {
      done.push(text);
    } else {
      const bounds = [at, ...group.commas, group.close];
      for (let part = 1; part < bounds.length; part++) {
        const inner = text.slice((bounds[part - 1] ?? 0) + 1, bounds[part]);
        open.push({ text: text.slice(0, at) + inner + text.slice(group.close + 1), from: at });
      }
    }
    if (done.length + open.length > MAX_ALTERNATIVES) return undefined;
  }
  return done;
}

/** Reads `[…]` at `open`; undefined when it is never closed, which makes the bracket an ordinary character. */
function readClass(chars: readonly string[], open: number): { token: Token; end: number } | undefined {
  let at = open + 1;
  const negated = chars[at] === '!' || chars[at] === '^';
  if (negated) at++;
  const ranges: [string, string][] = [];
  // A bracket right behind the opening one is a member, as in POSIX fnmatch.
  for (const first = at; at < chars.length && (chars[at] !== ']' || at === first); at++) {
    if (chars[at] === '\\') at++;
    const low = chars[at];
    const high = chars[at + 2];
    if (low === undefined) return undefined;
    if (chars[at + 1] === '-' && high !== undefined && high !== ']') {
      ranges.push([low, high]);
      at += 2;
    } else {
      ranges.push([low, low]);
    }
  }
  return at < chars.length ? { token: { is: 'class', negated, ranges }, end: at } : undefined;
}

function readTokens(pattern: string): Token[] {
  const chars = [...pattern];
  const tokens: Token[] = [];
  let classMayFollow = true;
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    if (char === '\\' && at + 1 < chars.length) {
      tokens.push({ is: 'char', char: chars[++at] ?? '' });
    } else if (char === '?') {
      tokens.push({ is: 'one' });
    } else if (char === '*') {
      const start = at;
      while (chars[at + 1] === '*') at++;
      const wholeSegment = at - start === 1 && (start === 0 || chars[start - 1] === '/');
      if (wholeSegment && chars[at + 1] === '/') {
        tokens.push({ is: 'folders' });
        at++;
      } else {
        tokens.push({ is: wholeSegment && at + 1 === chars.length ? 'rest' : 'star' });
      }
    } else {
      const set = char === '[' && classMayFollow ? readClass(chars, at) : undefined;
      // One bracket without an end means that none behind it has one either: looking again would be quadratic.
      if (char === '[' && !set) classMayFollow = false;
      tokens.push(set ? set.token : { is: 'char', char });
      if (set) at = set.end;
    }
  }
  return tokens;
}

function takes(token: Token, char: string): boolean {
  switch (token.is) {
    case 'char':
      return token.char === char;
    case 'one':
    case 'star':
      return char !== '/';
    case 'class': {
      if (char === '/') return false;
      const point = char.codePointAt(0) ?? 0;
      const within = token.ranges.some(
        ([low, high]) => point >= (low.codePointAt(0) ?? 0) && point <= (high.codePointAt(0) ?? 0),
      );
      return within !== token.negated;
    }
    case 'rest':
    case 'folders':
      return true;
  }
}

/**
 * Matches by stepping all possible positions at once (Thompson's construction), so the time is at most key length
 * times pattern length. Regular expressions made of globs, picomatch's among them, backtrack: four stars against a
 * key of a thousand equal letters take more than 20 seconds.
 */
function matchesTokens(tokens: readonly Token[], key: string): boolean {
  const end = tokens.length;
  let here = new Uint8Array(end + 1);
  let next = new Uint8Array(end + 1);
  const enter = (states: Uint8Array, at: number) => {
    for (let state = at; states[state] === 0; state++) {
      states[state] = 1;
      const is = tokens[state]?.is;
      if (is !== 'star' && is !== 'rest' && is !== 'folders') return;
    }
  };
  // "Inside a run of folders" must not let the tokens behind it begin in mid-segment, so it is a mark of its own.
  const INSIDE = 2;
  enter(here, 0);
  for (const char of key) {
    next.fill(0);
    let alive = false;
    for (let state = 0; state < end; state++) {
      const mark = here[state] ?? 0;
      const token = tokens[state];
      if (mark === 0 || !token || !takes(token, char)) continue;
      alive = true;
      if (token.is === 'folders') {
        if (char === '/') {
          if (next[state] === INSIDE) next[state] = 0;
          enter(next, state);
        } else if (next[state] === 0) {
          next[state] = INSIDE;
        }
      } else {
        enter(next, token.is === 'star' || token.is === 'rest' ? state : state + 1);
      }
    }
    if (!alive) return false;
    [here, next] = [next, here];
  }
  return here[end] === 1;
}

/** Reads a pattern; `reason` is for the person who typed it. */
export function compileGlob(pattern: string): Glob {
  if (pattern.length > MAX_PATTERN) {
    return { ok: false, reason: `The pattern is too long: at most ${MAX_PATTERN} characters.` };
  }
  const alternatives = expandBraces(pattern);
  if (!alternatives) {
    return {
      ok: false,
      reason: `The braces of the pattern stand for more than ${MAX_ALTERNATIVES} patterns.`,
    };
  }
  const compiled = alternatives.map(readTokens);
  return { ok: true, matches: (key) => compiled.some((tokens) => matchesTokens(tokens, key)) };
}

/** What every match of the pattern begins with; never longer than that. Total: odd patterns get a shorter answer. */
export function staticPrefix(pattern: string): string {
  const alternatives = pattern.length > MAX_PATTERN ? undefined : expandBraces(pattern);
  if (!alternatives) return pattern.split(/[*?[{\\]/, 1)[0] ?? '';
  const heads = alternatives.map((alternative) => {
    const tokens = readTokens(alternative);
    const magic = tokens.findIndex((token) => token.is !== 'char');
    return tokens
      .slice(0, magic < 0 ? undefined : magic)
      .map((token) => (token.is === 'char' ? token.char : ''));
  });
  const [first = [], ...others] = heads;
  const differs = first.findIndex((char, at) => others.some((other) => other[at] !== char));
  return first.slice(0, differs < 0 ? undefined : differs).join('');
}

/** The text as a pattern that matches only itself. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]{},]/g, '\\$&');
}
