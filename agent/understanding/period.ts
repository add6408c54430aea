/** The stretch of time that a few words mean, by the speaker's calendar. */
import * as chrono from 'chrono-node';
import { momentOf, wallClock } from './time-zone.ts';

export interface Period {
  /** Epoch milliseconds, included. */
  readonly from: number;
  /** Epoch milliseconds, not included. */
  readonly to: number;
}

const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = {
  minute: 60_000,
  min: 60_000,
  hour: 3_600_000,
  hr: 3_600_000,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  year: 365 * DAY,
};
const COUNTS: Readonly<Record<string, number>> = { two: 2, three: 3, four: 4, five: 5, few: 3, ten: 10 };

/** First moments of the calendar unit that `at` is in, and of the ones before and after it. */
function calendar(unit: string, at: number, shift: number): Period | undefined {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const edge = (by: number): number | undefined => {
    switch (unit) {
      case 'day':
        return Date.UTC(year, month, day + by);
      case 'week':
        // Weeks begin on Monday.
        return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7) + 7 * by);
      case 'month':
        return Date.UTC(year, month + by, 1);
      case 'quarter':
        return Date.UTC(year, month - (month % 3) + 3 * by, 1);
      case 'year':
        return Date.UTC(year + by, 0, 1);
      default:
        return undefined;
    }
  };
  const [from, to] = [edge(shift), edge(shift + 1)];
  return from === undefined || to === undefined ? undefined : { from, to };
}

/**
 * The period, or undefined when the words mean none.
 *
 * @param now epoch milliseconds
 * @param zone IANA name of the time zone in which "today" and "Monday" begin
 */
export function periodOf(said: string, now: number, zone = 'UTC'): Period | undefined {
  const period = onWallClock(said, wallClock(now, zone));
  return period && { from: momentOf(period.from, zone), to: momentOf(period.to, zone) };
}

/** The same where the wall clock shows UTC. */
function onWallClock(said: string, now: number): Period | undefined {
  const text = said.toLowerCase().trim();
  if (text.startsWith('since ')) {
    const start = onWallClock(text.slice(6), now);
    return start && { from: start.from, to: now };
  }
  if (/\btoday\b/.test(text)) return calendar('day', now, 0);
  if (/^yesterday/.test(text)) return calendar('day', now, -1);
  const unit = /^(this|last|previous|past) (day|week|month|quarter|year)$/.exec(text);
  if (unit) return calendar(unit[2] ?? '', now, unit[1] === 'this' ? 0 : -1);
  const back =
    /^(?:last|past|previous) (\d{1,3}|two|three|four|five|few|ten) (minute|min|hour|hr|day|week|month|year)s?$/.exec(
      text,
    );
  if (back) {
    const count = COUNTS[back[1] ?? ''] ?? Number(back[1]);
    return { from: now - count * (UNITS[back[2] ?? ''] ?? DAY), to: now };
  }
  const [found] = chrono.parse(text, { instant: new Date(now), timezone: 'UTC' });
  if (!found) return undefined;
  const start = found.start;
  const at = Date.UTC(start.get('year') ?? 1970, (start.get('month') ?? 1) - 1, start.get('day') ?? 1);
  if (found.end) {
    const { end } = found;
    return {
      from: at,
      to: Date.UTC(end.get('year') ?? 1970, (end.get('month') ?? 1) - 1, (end.get('day') ?? 1) + 1),
    };
  }
  const isMonth = start.isCertain('month') && !start.isCertain('day');
  return calendar(isMonth ? 'month' : 'day', at, 0);
}
