/** Keeps the one progress message of a running transfer current: the latest figures, at a bearable pace. */
import type { Logger } from 'pino';
import type { LiveProgress } from '../adapters/cards/progress-card.ts';
import { FerryError } from '../core/errors.ts';

/** Longest pause after the platform asked for fewer edits, in milliseconds. */
const SLOWEST_MS = 60_000;

export interface ProgressMessage {
  /** Edits no more; resolves once no edit is under way, so that none can overwrite what is posted after. */
  end(): Promise<void>;
}

/**
 * Edits now and then: never two at once, never an old state after a newer one, nothing when nothing moved.
 *
 * @param show edits the message
 * @param everyMs least time between the begins of two edits
 */
export function keepMessageCurrent(deps: {
  show: (live: LiveProgress) => Promise<void>;
  live: () => LiveProgress;
  everyMs: number;
  log: Logger;
}): ProgressMessage {
  let pause = deps.everyMs;
  let shown: number | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();

  async function edit(): Promise<void> {
    const live = deps.live();
    if (live.bytesDone + live.objectsDone === shown) return;
    try {
      await deps.show(live);
      shown = live.bytesDone + live.objectsDone;
      pause = deps.everyMs;
    } catch (error) {
      const throttled = error instanceof FerryError && error.code === 'throttled';
      pause = Math.min(pause * 2, SLOWEST_MS);
      deps.log[throttled ? 'debug' : 'warn']({ err: error }, 'the progress message was not edited');
    }
  }

  function schedule(): void {
    if (over) return;
    timer = setTimeout(() => {
      underWay = edit().finally(schedule);
    }, pause);
  }

  schedule();
  return {
    async end() {
      over = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}
