/** From a decision to the queue: sent first, recorded after, so that a crash between the two loses nothing. */
import { FerryError } from './errors.ts';
import type { TransferQueue } from './queue.ts';
import type { TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';
import { isLeased, move, note } from './transfer-state.ts';

/** `by` of the history entries. */
export type Dispatcher = 'bot' | 'worker' | 'reconciler';

export type DispatchOutcome =
  | { readonly outcome: 'queued'; readonly transfer: Transfer }
  /** The queue cannot be reached. The record says so and stays due, so that the reconciler tries again. */
  | { readonly outcome: 'delayed'; readonly transfer: Transfer }
  /** It is not waiting for the queue: decided otherwise, taken by a worker, or ended. */
  | { readonly outcome: 'not waiting'; readonly transfer: Transfer };

/** Neither method throws for an outage of the queue. @throws FerryError `not_found`, `unavailable` (the database) */
export interface Dispatch {
  /** Puts an approved transfer on the queue. */
  dispatch(transferId: string): Promise<DispatchOutcome>;
  /** Puts a queued transfer on the queue again: a retry, or a message that nobody picked up. */
  resend(transferId: string): Promise<DispatchOutcome>;
}

const WAITING = 'The transfer queue cannot be reached.';

export function createDispatch(deps: {
  transfers: TransferStore;
  queue: Pick<TransferQueue, 'send'>;
  now: () => number;
  by: Dispatcher;
}): Dispatch {
  const { transfers, queue, now, by } = deps;

  const isWaiting = (transfer: Transfer, status: 'approved' | 'queued') =>
    transfer.status === status && !isLeased(transfer, now());

  /** Says once per outage that it is delayed; a second failure writes nothing and leaves the record due. */
  async function delay(seen: Transfer): Promise<DispatchOutcome> {
    const { transfer } = await transfers.change(seen.transferId, (current) => {
      if (current.status !== seen.status || current.waiting) return { result: undefined };
      const entry = { at: now(), by, text: `Waiting: ${WAITING} It is tried again by itself.` };
      return {
        next: note({ ...current, waiting: { reason: WAITING, since: now() } }, entry),
        result: undefined,
      };
    });
    return { outcome: 'delayed', transfer };
  }

  async function enqueue(
    transferId: string,
    from: 'approved' | 'queued',
    sent: (current: Transfer) => Transfer,
  ): Promise<DispatchOutcome> {
    const seen = await transfers.get(transferId);
    if (!seen) throw new FerryError('not_found', { userMessage: `There is no transfer ${transferId}.` });
    if (!isWaiting(seen, from)) return { outcome: 'not waiting', transfer: seen };
    try {
      await queue.send(seen);
    } catch (error) {
      if (error instanceof FerryError && error.retryable) return delay(seen);
      throw error;
    }
    const { transfer } = await transfers.change(transferId, (current) =>
      // A worker may have been faster than this line: then the record has moved on and stays as it is.
      isWaiting(current, from) && current.attempt === seen.attempt
        ? { next: { ...sent(current), queuedAt: now(), waiting: undefined }, result: undefined }
        : { result: undefined },
    );
    return { outcome: 'queued', transfer };
  }

  return {
    dispatch: (transferId) =>
      enqueue(transferId, 'approved', (current) =>
        move(current, 'queued', { at: now(), by, text: 'On the queue for a worker.' }),
      ),
    resend: (transferId) =>
      enqueue(transferId, 'queued', (current) =>
        // Cards follow the history: they say that it waits until an entry tells otherwise.
        current.waiting ? note(current, { at: now(), by, text: 'On the queue for a worker.' }) : current,
      ),
  };
}
