/** An outage of something that is asked again and again: how long to leave it alone, and how seldom to tell of it. */
import type { Logger } from 'pino';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A line a minute is enough to see that it lasts. */
const TELL_MS = 60_000;

/**
 * Pause after so many failures in a row, in milliseconds: twice as long each time, up to 30 s; a random half of it
 * may be left out, so that those who failed together do not come back together.
 */
export function pauseAfter(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  return Math.round(longest * (0.5 + random() / 2));
}

export interface OutageLog {
  /** A call failed. */
  failed(err: unknown): void;
  /** A call succeeded. */
  worked(): void;
}

/**
 * Tells of the first failure, then once a minute how long it has lasted, and when it is over. However many calls
 * fail, and however often it comes and goes, that is two lines a minute at most.
 *
 * @param deps.what such as "the queue"
 */
export function createOutageLog(deps: { what: string; now: () => number; log: Logger }): OutageLog {
  const { what, now, log } = deps;
  let since: number | undefined;
  let failures = 0;
  /** When it was last told of; while undefined or long ago, the next failure is. */
  let toldAt = Number.NEGATIVE_INFINITY;
  let told = false;
  const seconds = () => Math.round((now() - (since ?? now())) / 1_000);

  return {
    failed(err) {
      since ??= now();
      failures += 1;
      if (now() - toldAt < TELL_MS) return;
      toldAt = now();
      if (told) log.warn({ err, seconds: seconds(), failures }, `${what} still cannot be reached`);
      else log.warn({ err }, `${what} cannot be reached`);
      told = true;
    },
    worked() {
      if (told) log.info({ seconds: seconds(), failures }, `${what} can be reached again`);
      since = undefined;
      failures = 0;
      told = false;
    },
  };
}
