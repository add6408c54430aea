import { expect, it } from 'vitest';
import { sizeCategory } from './size-category.ts';

it.each([
  [0, 'small'],
  [999_999, 'small'],
  [1_000_000, 'medium'],
  [99_999_999, 'medium'],
  [100_000_000, 'large'],
  [999_999_999, 'large'],
  [1_000_000_000, 'very_large'],
  [5 * 2 ** 40, 'very_large'],
])('%d bytes are %s', (bytes, category) => {
  expect(sizeCategory(bytes)).toBe(category);
});
