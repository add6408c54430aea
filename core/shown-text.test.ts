/** Untrusted text: nothing hides, nothing reorders, and no bound is exceeded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneLine, plainText, shownText } from './shown-text.ts';

describe('one line', () => {
  it.each([
    ['plain', 'plain'],
    ['Bericht März (final).csv', 'Bericht März (final).csv'],
    ['two\r\nlines', 'two lines'],
    ['gpj.\u202Eexe', 'gpj.exe'],
    ['a\u200Bb\uFEFFc\u2066d\u00ADe', 'abcde'],
    ['line\u2028separator', 'line separator'],
    ['lone \uD800 surrogate', 'lone \uFFFD surrogate'],
    ['bell\u0007 nul\u0000 csi\u009B.', 'bell  nul  csi .'],
    ['hidden\u{E0068}\u{E0069} words', 'hidden words'],
    [' its own spaces ', ' its own spaces '],
  ])('of %j is %j', (given, expected) => {
    expect(oneLine(given)).toBe(expected);
  });

  it('keeps joiners where they mean something, and nowhere else', () => {
    expect(oneLine('👩\u200D💻 می\u200Cروم')).toBe('👩\u200D💻 می\u200Cروم');
    expect(oneLine('q3\u200D.pdf \u200C\u200Dx é\u200C')).toBe('q3.pdf x é');
  });
});

describe('a bound', () => {
  it('takes the end of a sentence', () => {
    expect(plainText('0123456789', 5)).toBe('0123…');
    expect(plainText('012😀', 4)).toBe('012…');
  });

  it('takes the middle of a name', () => {
    expect(shownText('reports/2026/very/long/q3.csv', 22)).toBe('reports/2026/v…/q3.csv');
    expect(shownText('short.csv', 15)).toBe('short.csv');
    const shown = shownText(`reports/${'😀'.repeat(300)}/q3.csv`, 100);
    expect(shown).toMatch(/^reports\/😀+…😀+\/q3\.csv$/u);
  });

  it('holds whatever comes in', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.integer({ min: 3, max: 60 }),
        (text, max) => {
          for (const result of [plainText(text, max), shownText(text, max)]) {
            expect(result.length).toBeLessThanOrEqual(max);
            expect(result.isWellFormed()).toBe(true);
            expect(result).not.toMatch(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          }
        },
      ),
    );
  });
});
