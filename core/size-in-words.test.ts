import { expect, it } from 'vitest';
import { sizeInWords } from './size-in-words.ts';

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
