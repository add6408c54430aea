/** Counts the looks into a cache and logs the share of hits now and then, for dashboards that read the log. */
import type { Logger } from 'pino';

/** Looks between two lines of the log. */
const EVERY = 50;

export interface HitRate {
  /** Notes one look. */
  readonly look: (hit: boolean) => void;
  /** Logs what was not logged yet. */
  flush(): void;
}

/** @param cache the cache's name in the log's field `cache` */
export function createHitRate(cache: string, log: Logger): HitRate {
  let hits = 0;
  let looks = 0;
  const flush = () => {
    if (looks === 0) return;
    log.info({ cache, hits, looks, hitRate: Number((hits / looks).toFixed(3)) }, 'cache hit rate');
    hits = 0;
    looks = 0;
  };
  return {
    look(hit) {
      looks += 1;
      if (hit) hits += 1;
      if (looks >= EVERY) flush();
    },
    flush,
  };
}
