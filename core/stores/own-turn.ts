/** Changes of one process to one item go one after the other, because a condition that is lost costs as much as a write. */
import { setTimeout as delay } from 'node:timers/promises';

/** Runs an act once this process's earlier ones with the same key are over. */
export type OwnTurn = <T>(key: string, act: () => Promise<T>) => Promise<T>;

/**
 * Only a courtesy: the conditions decide.
 *
 * @param patienceMs how long an act waits for the one before it, in milliseconds
 */
export function createOwnTurn(patienceMs: number): OwnTurn {
  /** The latest act for each key; settled ones are forgotten. */
  const underWay = new Map<string, Promise<unknown>>();

  return async (key, act) => {
    const before = underWay.get(key);
    const acting = (async () => {
      if (before) await Promise.race([before, delay(patienceMs, undefined, { ref: false })]);
      return act();
    })();
    const settled = acting.then(
      () => undefined,
      () => undefined,
    );
    underWay.set(key, settled);
    try {
      return await acting;
    } finally {
      if (underWay.get(key) === settled) underWay.delete(key);
    }
  };
}
