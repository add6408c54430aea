/** The cache forgets by age and by number. */
import { expect, it } from 'vitest';
import { boundedCache } from './bounded-cache.ts';

it('forgets what is too old, and the oldest when it is full', () => {
  let clock = 0;
  const cache = boundedCache<number>(2, () => clock);
  cache.set('a', 1, 100);
  cache.set('b', 2, 50);
  cache.set('a', 3, 100);
  cache.set('c', 4, 100);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([3, undefined, 4]);
  clock = 100;
  expect(cache.get('a')).toBeUndefined();
  cache.set('c', 5, 10);
  cache.delete('c');
  expect(cache.get('c')).toBeUndefined();
});
