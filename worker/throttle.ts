/** Holds what goes to one destination below a number of bytes a second, over all transfers of the process. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Throttle {
  /** Most bytes that may go at once, so that the line stays smooth. */
  readonly pieceBytes: number;
  /** Resolves when so many bytes may go; rejects with the signal's reason. */
  pass(bytes: number, signal: AbortSignal): Promise<void>;
}

/** A tenth of a second's bytes go at once, and what was not used is not saved up. */
export function createThrottle(
  bytesPerSecond: number,
  now: () => number = () => performance.now(),
): Throttle {
  let freeAt = 0;
  return {
    pieceBytes: Math.max(1, Math.ceil(bytesPerSecond / 10)),
    async pass(bytes, signal) {
      const at = now();
      const mine = Math.max(freeAt, at);
      freeAt = mine + (bytes / bytesPerSecond) * 1_000;
      if (mine <= at) return;
      await delay(mine - at, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
  };
}

/** One throttle for each destination that has a limit. */
export function createThrottles(): (
  name: string,
  bytesPerSecond: number | undefined,
) => Throttle | undefined {
  const throttles = new Map<string, Throttle>();
  return (name, bytesPerSecond) => {
    if (bytesPerSecond === undefined) return undefined;
    const key = `${name} ${bytesPerSecond}`;
    const throttle = throttles.get(key) ?? createThrottle(bytesPerSecond);
    throttles.set(key, throttle);
    return throttle;
  };
}
