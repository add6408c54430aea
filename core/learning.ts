/** Learning from ended transfers, each counted once, and asking what was learned. */
import { type Forecast, forecast } from './forecast.ts';
import { sizeCategory } from './size-category.ts';
import type { LearningStore } from './stores/learning-store.ts';
import type { TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';

/** The row over all destinations, for those with too little history of their own. */
const PRIOR_TYPE = 'ftp';
const typeOf = (destination: string) => `ftp#${destination}`;

export interface Learning {
  /**
   * Counts a completed or failed transfer. The record is marked first, so that a crash can lose a sample but
   * never count one twice. Anything else, or one that was counted before, changes nothing.
   */
  learn(transferId: string): Promise<'learned' | 'nothing to learn'>;
  /** Counts a transfer that the write of its end marked as learned: to be called once, after that write. */
  count(ended: Transfer): Promise<void>;
  /** What to expect of so many bytes to a destination; undefined without any history. */
  forecast(destination: string, bytes: number): Promise<Forecast | undefined>;
}

/** @param deps.now epoch milliseconds */
export function createLearning(deps: {
  transfers: TransferStore;
  store: LearningStore;
  now: () => number;
  /** Told once of each transfer that completed or failed. */
  ended?: (transfer: Transfer) => void;
}): Learning {
  const { transfers, store, now } = deps;

  async function count(ended: Transfer): Promise<void> {
    const { plan, status, startedAt, endedAt } = ended;
    if (status !== 'completed' && status !== 'failed') return;
    deps.ended?.(ended);
    const sample = {
      succeeded: status === 'completed',
      seconds: Math.max(0, (endedAt ?? 0) - (startedAt ?? endedAt ?? 0)) / 1000,
      bytes: plan.totalBytes,
      at: endedAt ?? now(),
    };
    const category = sizeCategory(plan.totalBytes);
    await Promise.all([
      store.add(typeOf(plan.destination), category, sample),
      store.add(PRIOR_TYPE, category, sample),
    ]);
  }

  return {
    count,

    async learn(transferId) {
      const { transfer, result } = await transfers.change(transferId, (current) => {
        const ended = current.status === 'completed' || current.status === 'failed';
        return ended && !current.learned
          ? { next: { ...current, learned: true }, result: 'learned' as const }
          : { result: 'nothing to learn' as const };
      });
      if (result === 'learned') await count(transfer);
      return result;
    },

    async forecast(destination, bytes) {
      const category = sizeCategory(bytes);
      const [own, prior] = await Promise.all([
        store.get(typeOf(destination), category),
        store.get(PRIOR_TYPE, category),
      ]);
      return forecast(own, prior, bytes, now());
    },
  };
}
