/** Sizes, durations and progress, at the edges where rounding would lie. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, percent, progressBar } from './format.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [1_234_567, '1.2 MB'],
    [99_940_000, '99.9 MB'],
    [99_960_000, '100 MB'],
    [123_456_789, '123 MB'],
    [999_400, '999 kB'],
    [999_600, '1 MB'],
    [5_000_000_000_000, '5 TB'],
    [-1, '0 B'],
    [Number.NaN, '0 B'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('never shows a thousand of a unit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.nat({ max: 1_000_000 }), (a, b) => {
        expect(formatBytes(a * b)).toMatch(/^(\d{1,3}|\d{1,2}\.\d) (B|kB|MB|GB|TB|PB)$/);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [0.4, 'under 1 s'],
    [0.96, 'under 1 s'],
    [45, '45 s'],
    [59.6, '1 min'],
    [200, '3 min 20 s'],
    [7_500, '2 h 5 min'],
    [7_201, '2 h'],
    [90_000, '1 d 1 h'],
    [-3, '0 s'],
    [Number.NaN, '0 s'],
  ])('%d is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('progressBar and percent', () => {
  it.each([
    [0, '░░░░'],
    [0.5, '██░░'],
    [0.999, '███░'],
    [1, '████'],
    [7, '████'],
    [Number.NaN, '░░░░'],
  ])('a bar of %d', (fraction, bar) => {
    expect(progressBar(fraction, 4)).toBe(bar);
  });

  it.each([
    [0, 100, 0],
    [1, 3, 33],
    [999_999, 1_000_000, 99],
    [5, 5, 100],
    [0, 0, 100],
    [-1, 5, 0],
  ])('%d of %d is %d percent', (done, total, expected) => {
    expect(percent(done, total)).toBe(expected);
  });
});
