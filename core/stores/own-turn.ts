/** Changes of one process to one item go one after the other, because a condition that is lost costs as much as a write. */
import { setTimeout as delay } from 'node:timers/promises';

/** How long a change waits for the one before it, in milliseconds. */
const PATIENCE_MS = 1_000;

/** Runs an act once this process's earlier ones with the same key are over. */
export type OwnTurn = <T>(key: string, act: () => Promise<T>) => Promise<T>;

/** Only a courtesy: the conditions decide, so nobody waits for long. */
export function createOwnTurn(): OwnTurn {
  /** The latest act for each key; settled ones are forgotten. */
  const underWay = new Map<string, Promise<unknown>>();

  return async (key, act) => {
    const before = underWay.get(key);
    const acting = (async () => {
      if (before) await Promise.race([before, delay(PATIENCE_MS, undefined, { ref: false })]);
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
