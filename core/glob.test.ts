/** The glob's meaning, held against picomatch on ordinary patterns, and its time on hostile ones. */
import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { compileGlob, escapeGlob, isGlob, staticPrefix } from './glob.ts';

function matches(pattern: string, key: string): boolean {
  const glob = compileGlob(pattern);
  if (!glob.ok) throw new Error(glob.reason);
  return glob.matches(key);
}

describe('compileGlob', () => {
  it.each([
    ['*.csv', 'a.csv', true],
    ['*.csv', 'a/b.csv', false],
    ['*.csv', '.csv', true],
    ['**/*.csv', 'a.csv', true],
    ['**/*.csv', 'a/b/c.csv', true],
    ['**/b.csv', 'ab.csv', false],
    ['**/b.csv', 'a/xb.csv', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/xb', false],
    ['a/**', 'a/b/c', true],
    ['a/**', 'b/c', false],
    ['**', 'anything/at/all', true],
    ['a**b', 'a/b', false],
    ['q?.pdf', 'q3.pdf', true],
    ['q?.pdf', 'q/.pdf', false],
    ['q?.pdf', 'q😀.pdf', true],
    ['[0-9]x', '7x', true],
    ['[!0-9]x', '7x', false],
    ['[^0-9]x', 'ax', true],
    ['[]]x', ']x', true],
    ['[!a]b', '/b', false],
    ['[a', '[a', true],
    ['{a,b}/x', 'b/x', true],
    ['{a,b{c,d}}/x', 'bd/x', true],
    ['{a}', '{a}', true],
    ['{a', '{a', true],
    ['report (1).csv', 'report (1).csv', true],
    ['(a|b)', 'a', false],
    ['+(a)', 'aa', false],
    ['a+b', 'a+b', true],
    ['!a', 'b', false],
    ['a.c', 'abc', false],
    ['\\*.csv', '*.csv', true],
    ['\\*.csv', 'a.csv', false],
    ['', '', true],
    ['', 'a', false],
  ])('%s on %s: %s', (pattern, key, expected) => {
    expect(matches(pattern, key)).toBe(expected);
  });

  it('agrees with picomatch wherever both speak the same language', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', '.', '*', '?', '[ab]', '[^a]', '{a,b}', '{a,bb}');
    const segment = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const pattern = fc
      .array(fc.oneof({ weight: 4, arbitrary: segment }, { weight: 1, arbitrary: fc.constant('**') }), {
        minLength: 1,
        maxLength: 4,
      })
      .map((segments) => segments.join('/'))
      // Below the limit on alternatives; and picomatch reads runs of stars, dot segments and a final `/**` in the shell's way, which keys do not share.
      .filter((text) => text.split('{').length < 6)
      .filter((text) => !/\*\*[^/]|[^/]\*\*|(^|\/)\.{1,2}(\/|$)|^\.|\/\*\*$/.test(text));
    const key = fc
      .array(
        fc
          .array(fc.constantFrom('a', 'b', '.'), { minLength: 1, maxLength: 4 })
          .map((parts) => parts.join(''))
          .filter((text) => !/^\.+$/.test(text)),
        { minLength: 1, maxLength: 4 },
      )
      .map((segments) => segments.join('/'));
    let hits = 0;
    fc.assert(
      fc.property(pattern, key, (text, name) => {
        const expected = picomatch(text, { noextglob: true, dot: true, nonegate: true, strictSlashes: true })(
          name,
        );
        if (expected) hits++;
        expect(matches(text, name), `${text} on ${name}`).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(hits).toBeGreaterThan(30);
  });

  it('steps through a key once, however many stars there are', () => {
    // A backtracking matcher does not end within the test's timeout here.
    expect(matches(`${'*a'.repeat(200)}b`, 'a'.repeat(1_000))).toBe(false);
    expect(matches(`${'**/'.repeat(200)}b`, 'a/'.repeat(500))).toBe(false);
    expect(compileGlob('{'.repeat(1_000)).ok).toBe(true);
    expect(compileGlob('['.repeat(1_000)).ok).toBe(true);
  });

  it('refuses patterns that would explode', () => {
    expect(compileGlob('{a,b}'.repeat(7))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('64'),
    });
    expect(compileGlob('a'.repeat(1_025)).ok).toBe(false);
  });

  it('matches any escaped text by itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(matches(escapeGlob(text), text)).toBe(true);
      }),
    );
  });
});

describe('staticPrefix', () => {
  it.each([
    ['reports/2026/*.csv', 'reports/2026/'],
    ['reports/**', 'reports/'],
    ['**/x', ''],
    ['a?c', 'a'],
    ['a[bc]', 'a'],
    ['a/{b,bc}/x', 'a/b'],
    ['a/{b,c}/x', 'a/'],
    ['{a,b}'.repeat(9), ''],
    ['plain/key.csv', 'plain/key.csv'],
    ['a\\*b*', 'a*b'],
    ['a{b', 'a{b'],
  ])('%s → %s', (pattern, prefix) => {
    expect(staticPrefix(pattern)).toBe(prefix);
  });

  it('is never longer than what a match begins with', () => {
    const alphabet = fc.constantFrom('a', 'b', '/', '*', '?', '[', ']', '{', '}', ',', '\\', '!', '-');
    const text = (max: number) => fc.array(alphabet, { maxLength: max }).map((parts) => parts.join(''));
    const key = fc
      .array(fc.constantFrom('a', 'b', '/', '{', '['), { maxLength: 5 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text(8), key, (pattern, name) => {
        const glob = compileGlob(pattern);
        if (glob.ok && glob.matches(name)) expect(name.startsWith(staticPrefix(pattern))).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});

it('tells patterns from plain keys', () => {
  expect(['*.csv', 'a?', 'a[1]', '{a,b}'].map(isGlob)).toEqual([true, true, true, true]);
  expect(['a.csv', 'a (1).csv', '{guid}', 'a]b', ''].map(isGlob)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});
