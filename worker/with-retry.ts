/** Tries again what a retryable fault broke, with growing, jittered pauses. */
import { setTimeout as delay } from 'node:timers/promises';
import { FerryError } from '../core/errors.ts';

export interface RetryPolicy {
  /** How often it is tried in all. */
  readonly tries: number;
  /** Longest pause before try number `next` (from 2), in milliseconds; a random half of it may be left out. */
  readonly pauseMs: (next: number) => number;
}

export const DEFAULT_RETRY: RetryPolicy = { tries: 3, pauseMs: (next) => 1_000 * 4 ** (next - 2) };

/**
 * @param attempt does the work; gets the number of this try, from 1
 * @param onRetry told before each pause
 * @throws what the last try threw, or the signal's reason
 */
export async function withRetry<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: (number: number) => Promise<T>,
  onRetry: (error: FerryError, next: number) => void = () => {},
): Promise<T> {
  for (let number = 1; ; number += 1) {
    signal.throwIfAborted();
    try {
      return await attempt(number);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FerryError) || !error.retryable || number >= policy.tries) throw error;
      onRetry(error, number + 1);
      const pause = policy.pauseMs(number + 1) * (0.5 + Math.random() / 2);
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
