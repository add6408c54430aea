/** Untrusted text: nothing invisible survives, and no bound is exceeded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainPath, plainText } from './plain-text.ts';

describe('plainText', () => {
  it.each([
    ['plain', 'plain'],
    ['two\r\nlines', 'two  lines'],
    ['gpj.\u202Eexe', 'gpj.exe'],
    ['a\u200Bb\uFEFFc\u2066d', 'abcd'],
    ['line\u2028separator', 'line separator'],
    ['lone \uD800 surrogate', 'lone \uFFFD surrogate'],
    ['bell\u0007 nul\u0000 csi\u009B', 'bell  nul  csi'],
  ])('makes %j harmless', (given, expected) => {
    expect(plainText(given, 100)).toBe(expected);
  });

  it('says that it cut', () => {
    expect(plainText('0123456789', 5)).toBe('0123…');
    expect(plainText('012😀', 4)).toBe('012…');
  });

  it('keeps beginning and end of a path', () => {
    expect(plainPath('reports/2026/very/long/q3.csv', 15)).toBe('reports…/q3.csv');
    expect(plainPath('short.csv', 15)).toBe('short.csv');
  });

  it('is bounded and well-formed whatever comes in', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.integer({ min: 3, max: 60 }),
        (text, max) => {
          for (const result of [plainText(text, max), plainPath(text, max)]) {
            expect(result.length).toBeLessThanOrEqual(max);
            expect(result.isWellFormed()).toBe(true);
            expect(result).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          }
        },
      ),
    );
  });
});
