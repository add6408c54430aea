/** When a destination takes files: a window of the day in its own time zone. */
import type { TimeWindow } from '../core/policy-config.ts';

/** Minutes since midnight, there. */
function minuteOfDay(timeZone: string, at: number): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = format.formatToParts(at);
  const number = (type: 'hour' | 'minute') => Number(parts.find((part) => part.type === type)?.value);
  return number('hour') * 60 + number('minute');
}

const DAY_MINUTES = 24 * 60;

const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/**
 * Asked before a run begins; one that has begun goes on to its end.
 *
 * @param at epoch milliseconds
 * @returns the window in words when it is closed now
 */
export function closedUntil(window: TimeWindow | undefined, at: number): string | undefined {
  if (!window) return undefined;
  const now = minuteOfDay(window.timeZone, at);
  const from = minutes(window.from);
  const to = minutes(window.to);
  const open = from <= to ? now >= from && now < to : now >= from || now < to;
  return open || from === to ? undefined : `from ${window.from} to ${window.to} (${window.timeZone})`;
}

/** A policy may be changed meanwhile, and clocks too: it is looked at least once an hour, in milliseconds. */
const LONGEST_WAIT = 3_600_000;

/** When to ask again after a closed window, in epoch milliseconds: when it opens, or in an hour. */
export function askAgainAt({ from, timeZone }: TimeWindow, at: number): number {
  const ahead = (minutes(from) - minuteOfDay(timeZone, at) + DAY_MINUTES) % DAY_MINUTES;
  const minuteBegan = at - (at % 60_000);
  return Math.min(minuteBegan + ahead * 60_000, at + LONGEST_WAIT);
}
