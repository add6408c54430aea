import { expect, it } from 'vitest';
import { createPace } from './pace.ts';

it('holds the limits of a second, half a minute and an hour, for each conversation by itself', async () => {
  let clock = 1_795_376_915_000;
  const pace = createPace(
    () => clock,
    async (ms) => {
      clock += ms;
    },
  );
  const sent: number[] = [];
  for (let i = 0; i < 1_900; i += 1) {
    expect(await pace.take('a', Number.POSITIVE_INFINITY)).toBe(true);
    sent.push(clock);
  }
  const most = (ms: number) =>
    Math.max(...sent.map((from, i) => sent.slice(i).filter((at) => at < from + ms).length));
  expect([most(1_000), most(30_000), most(3_600_000)]).toEqual([7, 60, 1_800]);

  expect(await pace.take('b', 0)).toBe(true);
  for (let i = 0; i < 6; i += 1) await pace.take('b', 0);
  expect(await pace.take('b', 10)).toBe(false);
  clock += 2_000;
  expect(await pace.take('b', 0)).toBe(true);
});
