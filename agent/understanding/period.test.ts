/** Calendars of people who are elsewhere. */
import { expect, it } from 'vitest';
import { periodOf } from './period.ts';
import { momentOf, wallClock } from './time-zone.ts';

const at = (text: string) => Date.parse(text);
const said = (words: string, now: string, zone?: string) => {
  const period = periodOf(words, at(now), zone);
  return period && [new Date(period.from).toISOString(), new Date(period.to).toISOString()];
};

it.each([
  ['today', 'UTC', '2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
  ['today', 'Asia/Tokyo', '2026-11-22T15:00:00.000Z', '2026-11-23T15:00:00.000Z'],
  ['yesterday', 'America/New_York', '2026-11-21T05:00:00.000Z', '2026-11-22T05:00:00.000Z'],
  ['this week', 'Europe/Berlin', '2026-11-15T23:00:00.000Z', '2026-11-22T23:00:00.000Z'],
  ['last 3 hours', 'Asia/Tokyo', '2026-11-22T13:30:00.000Z', '2026-11-22T16:30:00.000Z'],
  ['since yesterday', 'Asia/Tokyo', '2026-11-21T15:00:00.000Z', '2026-11-22T16:30:00.000Z'],
])('%s in %s', (words, zone, from, to) => {
  expect(said(words, '2026-11-22T16:30:00Z', zone)).toEqual([from, to]);
});

it('takes a day for as long as it is where the clocks change', () => {
  expect(said('today', '2026-10-25T12:00:00Z', 'Europe/Berlin')).toEqual([
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ]);
});

it('finds the moment of a wall clock again', () => {
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Kiritimati']) {
    const moment = at('2026-03-29T00:59:59.250Z');
    expect(momentOf(wallClock(moment, zone), zone)).toBe(moment);
  }
});
