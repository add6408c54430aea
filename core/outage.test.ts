import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createOutageLog, pauseAfter } from './outage.ts';

const SECOND = 1_000;

function told() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const clock = { now: 0 };
  return { lines, clock, outage: createOutageLog({ what: 'the queue', now: () => clock.now, log }) };
}

it('is left alone for longer and longer, up to 30 s, and by none exactly as long as by others', () => {
  const longest = Array.from({ length: 9 }, (_, n) => pauseAfter(n + 1, () => 1));
  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(pauseAfter(10_000, () => 1)).toBe(30_000);
  expect(pauseAfter(7, () => 0)).toBe(15_000);
});

it('is told of at once, then once a minute with how long it has lasted, and when it is over', () => {
  const { lines, clock, outage } = told();
  // Five failures a second for three minutes and a half.
  for (; clock.now < 210 * SECOND; clock.now += 200) outage.failed(new Error('refused'));
  outage.worked();
  outage.worked();
  expect(lines).toMatchObject([
    { level: 40, msg: 'the queue cannot be reached', err: { message: 'refused' } },
    { level: 40, msg: 'the queue still cannot be reached', seconds: 60 },
    { level: 40, msg: 'the queue still cannot be reached', seconds: 120 },
    { level: 40, msg: 'the queue still cannot be reached', seconds: 180 },
    { level: 30, msg: 'the queue can be reached again', seconds: 210, failures: 1_050 },
  ]);
});

it('fills no log when it comes and goes', () => {
  const { lines, clock, outage } = told();
  for (; clock.now < 180 * SECOND; clock.now += 100) {
    outage.failed(new Error('refused'));
    outage.worked();
  }
  expect(lines.map(({ msg }) => msg)).toEqual(
    Array.from({ length: 3 }, () => ['the queue cannot be reached', 'the queue can be reached again']).flat(),
  );
});
