/** Finishes what a crash or an outage left: looks for transfers that are due and does what each one lacks. */
import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Logger } from 'pino';
import { withDeadline } from '../core/deadline.ts';
import type { Dispatch, DispatchOutcome } from '../core/dispatch.ts';
import { backOff, isSettled, putOffUntil, RESEND_MS } from '../core/due-work.ts';
import { FerryError } from '../core/errors.ts';
import type { Expiry } from '../core/expiry.ts';
import type { TransferQueue } from '../core/queue.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { Transfer } from '../core/transfer.ts';
import { isEnded, isLeased } from '../core/transfer-state.ts';

const BATCH = 200;
const AT_ONCE = 4;
/** Tending one is given up after so long, more than one round of its follow-up may take; milliseconds. */
const TEND_MS = 150_000;
/** A `queued` transfer without a sign of a worker gets another message after so long, in milliseconds. */
const PICKUP_MS = 300_000;
/** A record whose time is over is left alone for so long: DynamoDB deletes it within days; milliseconds. */
const GONE_MS = 24 * 3_600_000;
/** When what waits for the queue is looked at again: a quarter of how long it has waited, within these bounds; milliseconds. */
const WAIT_MS = { least: 10_000, most: 60_000 } as const;
/** One that cannot be tended, and would not be the next time either, is left alone for so long; milliseconds. */
const PUT_OFF_MS = 600_000;

export interface Reconciler {
  /** Looks once; never throws. */
  look(): Promise<void>;
  start(): void;
  /** Resolves once no look is under way. */
  stop(): Promise<void>;
}

export interface ReconcilerDeps {
  readonly store: TransferStore;
  readonly expiry: Pick<Expiry, 'get'>;
  readonly dispatch: Dispatch;
  readonly queue: Pick<TransferQueue, 'send'>;
  readonly settle: (transferId: string) => Promise<void>;
  /** Settles, learns, and closes the checklist of an ended transfer. */
  readonly followUp: (transferId: string) => Promise<void>;
  readonly everyMs: number;
  /** Milliseconds for one transfer; 150,000 unless given. */
  readonly tendMs?: number;
  /** Transfers that one look takes on; 200 unless given. */
  readonly batch?: number;
  readonly now: () => number;
  readonly log: Logger;
}

/** Several workers may run one each: everything it does is safe to do twice. */
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { store, now, log, tendMs = TEND_MS, batch = BATCH } = deps;
  const over = new AbortController();
  let loop: Promise<void> = Promise.resolve();

  /** Sends a message for a run whose worker is gone; marks it first, so that others do not do the same. */
  async function revive(transferId: string): Promise<void> {
    const { transfer, result } = await store.change(transferId, (current) => {
      const at = now();
      const lapsed = current.status === 'running' && !isLeased(current, at) && putOffUntil(current) <= at;
      const sentAt = current.queuedAt ?? 0;
      const sent = sentAt > (current.lease?.expiresAt ?? 0) && at - sentAt < RESEND_MS;
      if (!lapsed || sent) return { result: 'leave' as const };
      return { next: { ...current, queuedAt: at }, result: 'send' as const };
    });
    if (result === 'leave') return;
    try {
      await deps.queue.send(transfer);
    } catch (error) {
      // The mark stands, so that it is sent again as if this message had been lost; the queue tells of its outage.
      if (error instanceof FerryError && error.retryable) return;
      throw error;
    }
    log.warn({ transferId, by: transfer.lease?.owner }, 'its worker is gone: sent to the queue again');
  }

  /**
   * The queue tells of its outage itself. What waits for it gives its place in the index to others that are due, for
   * they may need something else.
   */
  async function afterSending({ outcome, transfer }: DispatchOutcome, what: string): Promise<void> {
    const { transferId, waiting } = transfer;
    if (outcome !== 'delayed') return log.info({ transferId, outcome }, what);
    const pause = backOff(now() - (waiting?.since ?? now()), WAIT_MS.least, WAIT_MS.most);
    await store.putOff(transferId, now() + pause);
  }

  async function resend(transfer: Transfer): Promise<void> {
    const { queuedAt, waiting, transferId } = transfer;
    if (queuedAt !== undefined && !waiting && now() - queuedAt < PICKUP_MS) return;
    await afterSending(
      await deps.dispatch.resend(transferId),
      'nobody picked it up: sent to the queue again',
    );
  }

  async function tend(transferId: string): Promise<void> {
    // Reading it through `expiry` writes down that it expired, if it did.
    const transfer = await deps.expiry.get(transferId);
    if (!transfer) {
      await store.putOff(transferId, now() + GONE_MS);
      return;
    }
    if (isEnded(transfer.status)) return deps.followUp(transferId);
    switch (transfer.status) {
      case 'approved': {
        await afterSending(await deps.dispatch.dispatch(transferId), 'approved, but not on the queue: sent');
        break;
      }
      case 'queued':
        await resend(transfer);
        break;
      case 'running':
        await revive(transferId);
        break;
      default:
        break;
    }
    if (!isSettled(transfer) || transfer.status === 'approved') await deps.settle(transferId);
  }

  /**
   * What another look may mend is left for the next one. Anything else is put off: it would stand before all others
   * that are due, and be told of at every look of every worker.
   */
  async function leave(transferId: string, error: unknown): Promise<void> {
    if (error instanceof FerryError && error.retryable) {
      log.error({ transferId, err: error }, 'could not be tended; tried again at the next look');
      return;
    }
    if ((await store.putOff(transferId, now() + PUT_OFF_MS)) === 'not due') return;
    const why =
      error instanceof FerryError && error.code === 'unreadable'
        ? 'its record cannot be read: see “A record cannot be read” in docs/operations.md'
        : 'could not be tended';
    log.error({ transferId, err: error }, `${why}; tried again in ${PUT_OFF_MS / 60_000} minutes`);
  }

  async function look(): Promise<void> {
    try {
      const due = await store.listDue(batch);
      if (due.length > 0) log.debug({ count: due.length }, 'transfers are due');
      const queue = new PQueue({ concurrency: AT_ONCE });
      const tended = due.map((transferId) =>
        queue.add(async () => {
          if (over.signal.aborted) return;
          await withDeadline(tend(transferId), tendMs, 'tending a transfer')
            .catch((error: unknown) => leave(transferId, error))
            .catch((err: unknown) => log.error({ transferId, err }, 'could not be put off'));
        }),
      );
      await Promise.all(tended);
    } catch (error) {
      log.error({ err: error }, 'could not look for due transfers');
    }
  }

  /** Pauses differ by a fifth either way, so that workers started together do not look together. */
  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      const pause = deps.everyMs * (0.8 + Math.random() * 0.4);
      await delay(pause, undefined, { signal: over.signal }).catch(() => {});
      if (!over.signal.aborted) await look();
    }
  }

  return {
    look,
    start() {
      loop = run();
    },
    async stop() {
      over.abort();
      await loop;
    },
  };
}
