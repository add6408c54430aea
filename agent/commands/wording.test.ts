/** Numbers at the edges of their units. */
import { expect, it } from 'vitest';
import { durationInWords, filesInWords, instantInWords } from './wording.ts';

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
