/** Numbers at the edges of their units. */
import { expect, it } from 'vitest';
import { durationInWords, filesInWords, instantInWords, sizeInWords } from './wording.ts';

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1 KB'],
  [1_234, '1.23 KB'],
  [12_345, '12.3 KB'],
  [999_499, '999 KB'],
  [999_500, '1 MB'],
  [5e12, '5 TB'],
  [1e16, '10000 TB'],
])('%d bytes: %s', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});

it.each([
  [0, 'less than a second'],
  [1, '1 second'],
  [89, '89 seconds'],
  [90, '2 minutes'],
  [5_399, '90 minutes'],
  [5_400, '1.5 hours'],
  [3_600_000, '1000 hours'],
])('%d seconds: %s', (seconds, words) => {
  expect(durationInWords(seconds)).toBe(words);
});

it('says when, and how many', () => {
  expect(instantInWords(Date.UTC(2026, 10, 22, 12, 0, 59))).toBe('2026-11-22 12:00 UTC');
  expect([filesInWords(1), filesInWords(2)]).toEqual(['1 file', '2 files']);
});
