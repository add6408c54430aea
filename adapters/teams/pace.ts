/** Keeps within what Teams allows one bot in one conversation, so that it need not refuse. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Sends in a number of milliseconds, for one bot in one conversation.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit#per-bot-per-thread-limit
 */
const LIMITS = [
  // Longer than Teams' second, for what was sent at even distances arrives unevenly.
  { ms: 1_300, sends: 7 },
  { ms: 30_000, sends: 60 },
  { ms: 3_600_000, sends: 1_800 },
] as const;
const LONGEST_MS = 3_600_000;
const MAX_CONVERSATIONS = 2_000;

export interface Pace {
  /**
   * Waits until one more send is within the limits, and counts it.
   *
   * @returns false when that would take longer than `patienceMs`; nothing is counted then
   */
  take(conversationId: string, patienceMs: number): Promise<boolean>;
}

/**
 * @param now epoch milliseconds
 * @param sleep waits so many milliseconds
 */
export function createPace(
  now: () => number,
  sleep: (ms: number) => Promise<unknown> = (ms) => delay(ms),
): Pace {
  const sends = new Map<string, number[]>();

  /** Milliseconds until the next send is within every limit. */
  function wait(times: readonly number[]): number {
    const at = now();
    return Math.max(
      0,
      ...LIMITS.map(({ ms, sends: most }) => {
        const oldest = times.at(-most);
        return oldest === undefined ? 0 : oldest + ms - at;
      }),
    );
  }

  return {
    async take(conversationId, patienceMs) {
      const times = sends.get(conversationId) ?? [];
      const needed = wait(times);
      if (needed > patienceMs) return false;
      const slot = now() + needed;
      sends.delete(conversationId);
      sends.set(conversationId, [...times.filter((time) => time > slot - LONGEST_MS), slot]);
      if (sends.size > MAX_CONVERSATIONS) sends.delete(sends.keys().next().value ?? conversationId);
      if (needed > 0) await sleep(needed);
      return true;
    },
  };
}
