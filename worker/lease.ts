/** The lease on a transfer: which worker may write to it, held by a fencing token on the record. */
import { FerryError } from '../core/errors.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { Transfer } from '../core/transfer.ts';
import { isEnded, isLeased, move, note } from '../core/transfer-state.ts';

/** One run's right to work on a transfer. */
export interface Lease {
  readonly transferId: string;
  /** Fencing token: the names of temporary files and all writes of this run carry it. */
  readonly token: number;
  /** Whether, by this process's clock, nobody else can have taken it yet. */
  isFresh(): boolean;
  /**
   * Changes the record, and renews the lease with the same write. `decide` must be pure.
   *
   * @throws FerryError `lease_lost` when another worker has taken over or the transfer has ended
   */
  write(decide?: (current: Transfer) => Transfer): Promise<Transfer>;
  /** Lets another worker take over at once; `decide` as for `write`. */
  release(decide?: (current: Transfer) => Transfer): Promise<Transfer>;
}

export type TakeOutcome =
  | { readonly outcome: 'taken'; readonly transfer: Transfer; readonly lease: Lease }
  /** Cancelled before anything ran. */
  | { readonly outcome: 'cancelled'; readonly transfer: Transfer }
  /** Another worker is on it until `until` (epoch ms) or longer. */
  | { readonly outcome: 'held'; readonly by: string; readonly until: number }
  /** The message speaks of another attempt, or of a transfer that nobody approved. */
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'ended' }
  | { readonly outcome: 'unknown' };

type Answer = 'taken' | 'cancelled' | 'held' | 'stale' | 'ended';

const lost = (transferId: string) =>
  new FerryError('lease_lost', { userMessage: `Another worker has taken over ${transferId}.` });

export interface Leases {
  /** @param attempt the attempt that the message names */
  take(transferId: string, attempt: number): Promise<TakeOutcome>;
}

/**
 * @param owner names this worker process; shown to operators
 * @param leaseMs how long a lease lasts unless it is renewed
 */
export function createLeases(deps: {
  store: TransferStore;
  owner: string;
  leaseMs: number;
  /** Takes the lock under which thread and tickets are told, with the same write: whoever takes a transfer tells. */
  ahead?: (next: Transfer) => Transfer;
  now: () => number;
}): Leases {
  const { store, owner, leaseMs, ahead = (next) => next, now } = deps;

  function hold(taken: Transfer): Lease {
    const { transferId } = taken;
    const token = taken.lease?.token ?? 0;
    let expiresAt = taken.lease?.expiresAt ?? 0;

    async function write(decide: (current: Transfer) => Transfer, lasts: number): Promise<Transfer> {
      let until = 0;
      const { transfer, result } = await store.change(transferId, (current) => {
        const ours = current.lease?.token === token && current.status === 'running';
        if (!ours) return { result: 'lost' as const };
        const next = decide(current);
        until = now() + (next.status === 'running' ? lasts : 0);
        return { next: { ...next, lease: { owner, token, expiresAt: until } }, result: 'written' as const };
      });
      if (result === 'lost') {
        expiresAt = 0;
        throw lost(transferId);
      }
      expiresAt = until;
      return transfer;
    }

    return {
      transferId,
      token,
      isFresh: () => now() < expiresAt,
      write: (decide = (current) => current) => write(decide, leaseMs),
      release: (decide = (current) => current) => write(decide, 0),
    };
  }

  /** The record as a run begins, with its first step, or is taken over. */
  function begun(current: Transfer): Transfer {
    const at = now();
    const lease = { owner, token: (current.lease?.token ?? 0) + 1, expiresAt: at + leaseMs };
    const { validate } = current.steps;
    const steps = { ...current.steps, validate: { startedAt: at, attempts: validate.attempts + 1 } };
    if (current.status === 'running') {
      const text = 'The worker on it stopped; another one carries on.';
      const seen = current.waiting ? current : note(current, { at, by: 'worker', text });
      return ahead({ ...seen, steps, lease });
    }
    const queued =
      current.status === 'approved'
        ? move(current, 'queued', { at, by: 'worker', text: 'On the queue.' })
        : current;
    const text = current.attempt > 1 ? `Started, attempt ${current.attempt}.` : 'Started.';
    return ahead({
      ...move(queued, 'running', { at, by: 'worker', text }),
      queuedAt: current.queuedAt ?? at,
      startedAt: at,
      endedAt: undefined,
      failure: undefined,
      waiting: undefined,
      progress: undefined,
      brokenRuns: undefined,
      // Each attempt is one experience.
      learned: false,
      steps,
      lease,
    });
  }

  function answer(current: Transfer, attempt: number): { next?: Transfer; result: Answer } {
    if (attempt !== current.attempt) return { result: 'stale' };
    if (isEnded(current.status)) return { result: 'ended' };
    switch (current.status) {
      case 'approved':
        return { next: begun(current), result: 'taken' };
      case 'queued': {
        const cancel = current.cancelRequested;
        if (!cancel) return { next: begun(current), result: 'taken' };
        const text = `Cancelled by ${cancel.by.name} before it started.`;
        const next = move(current, 'cancelled', { at: now(), by: cancel.by.userId, text });
        return { next: { ...next, endedAt: now() }, result: 'cancelled' };
      }
      case 'running':
        // A cancelled run is taken over as well: its temporary files are still to be removed.
        return isLeased(current, now()) ? { result: 'held' } : { next: begun(current), result: 'taken' };
      default:
        return { result: 'stale' };
    }
  }

  return {
    async take(transferId, attempt) {
      try {
        const { transfer, result } = await store.change(transferId, (current) => answer(current, attempt));
        switch (result) {
          case 'taken':
            return { outcome: 'taken', transfer, lease: hold(transfer) };
          case 'cancelled':
            return { outcome: 'cancelled', transfer };
          case 'held':
            return {
              outcome: 'held',
              by: transfer.lease?.owner ?? '',
              until: transfer.lease?.expiresAt ?? 0,
            };
          default:
            return { outcome: result };
        }
      } catch (error) {
        if (error instanceof FerryError && error.code === 'not_found') return { outcome: 'unknown' };
        throw error;
      }
    },
  };
}
