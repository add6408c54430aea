/** Keeps a run's lease alive, and notices cancellation and a lost lease within a second or so. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isSettled } from '../core/due-work.ts';
import { FerryError } from '../core/errors.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { Transfer } from '../core/transfer.ts';
import type { Lease } from './lease.ts';
import { RunStop, type StopCause } from './run-stop.ts';

/** Longest wait for a write that is under way, in milliseconds. */
const END_MS = 2_000;
/** Tickets, thread or audit bucket that are behind are tried again after so long, in milliseconds. */
const TELL_MS = 300_000;

/** What a renewal carries along. */
export interface Checkpoints {
  /** The record's progress at this moment. */
  progress(): Transfer['progress'];
  /** Writes how far the objects in flight provably got. */
  save(): Promise<void>;
}

export interface Watch {
  /** Stops watching; resolves once no write of its own is under way, or after two seconds. */
  end(): Promise<void>;
}

/**
 * @param leaseMs a third of it passes between two renewals
 * @param lookMs time between two looks at the record
 */
export function watchRun(deps: {
  lease: Lease;
  store: Pick<TransferStore, 'get'>;
  /** Brings tickets and cards in step with the record; never throws. */
  settle: (transferId: string) => Promise<void>;
  checkpoints: () => Checkpoints | undefined;
  /** The record with what the run knows and has not written down. */
  carry: (record: Transfer) => Transfer;
  stop: (reason: RunStop) => void;
  leaseMs: number;
  lookMs?: number;
  now: () => number;
  log: Logger;
}): Watch {
  const { lease, store, now, log } = deps;
  let renewedAt = now();
  /** Every run begins by telling. */
  let toldAt = now();
  let underWay: Promise<void> | undefined;
  let saving: Promise<void> | undefined;
  let over = false;

  const stop = (why: StopCause) => {
    if (over) return;
    // Whoever is cancelled cleans up under its lease, and what is in place already is not cancelled at all.
    over = why === 'lease lost';
    deps.stop(new RunStop(why));
  };

  /** Beside the renewals, never before one: a slow write of a checkpoint must not cost the lease. */
  function save(checkpoints: Checkpoints | undefined): void {
    saving ??= checkpoints
      ?.save()
      .catch((error: unknown) => {
        if (error instanceof FerryError && error.code === 'lease_lost') return stop('lease lost');
        log.warn(
          { transferId: lease.transferId, err: error },
          'a checkpoint was not written; the next one will be',
        );
      })
      .finally(() => {
        saving = undefined;
      });
  }

  async function look(): Promise<void> {
    let current: Transfer | undefined;
    if (now() - renewedAt >= deps.leaseMs / 3) {
      const begunAt = now();
      const checkpoints = deps.checkpoints();
      current = await lease.write((record) => {
        const progress = checkpoints?.progress();
        return { ...deps.carry(record), ...(progress && { progress }) };
      });
      renewedAt = begunAt;
      save(checkpoints);
    } else {
      current = await store.get(lease.transferId);
    }
    if (over) return;
    if (current?.lease?.token !== lease.token) stop('lease lost');
    else if (current.cancelRequested && current.status === 'running') stop('cancelled');
    else tell(current);
  }

  /** A run of hours is not due for anybody else's look while its lease is renewed. */
  function tell(current: Transfer): void {
    if (now() - toldAt < TELL_MS || isSettled(current)) return;
    toldAt = now();
    void deps.settle(lease.transferId);
  }

  const timer = setInterval(() => {
    if (over) return;
    if (!lease.isFresh()) {
      log.warn({ transferId: lease.transferId }, 'the lease lapsed before it could be renewed');
      return stop('lease lost');
    }
    underWay ??= look()
      .catch((error: unknown) => {
        if (over) return;
        if (error instanceof FerryError && error.code === 'lease_lost') return stop('lease lost');
        log.warn({ transferId: lease.transferId, err: error }, 'cannot reach the record; trying again');
      })
      .finally(() => {
        underWay = undefined;
      });
  }, deps.lookMs ?? 1_000);

  return {
    async end() {
      over = true;
      clearInterval(timer);
      // A renewal that lands after a release would hold others up; one that hangs must not hold this up.
      await Promise.race([Promise.all([underWay, saving]), delay(END_MS, undefined, { ref: false })]);
    },
  };
}
