/** The legal moves of a transfer, and the changes to its record that are pure. */
import type { HistoryEntry, Transfer, TransferStatus } from './transfer.ts';

const MOVES: Readonly<Record<TransferStatus, readonly TransferStatus[]>> = {
  pending_approval: ['approved', 'rejected', 'expired'],
  approved: ['queued'],
  queued: ['running', 'cancelled'],
  running: ['completed', 'failed', 'cancelled'],
  failed: ['queued'],
  rejected: [],
  expired: [],
  completed: [],
  cancelled: [],
};

export function canMove(from: TransferStatus, to: TransferStatus): boolean {
  return MOVES[from].includes(to);
}

/** Nothing more will happen by itself; `failed` may be retried by a person. */
export function isEnded(status: TransferStatus): boolean {
  return status === 'failed' || MOVES[status].length === 0;
}

/** Whether a worker holds the transfer at this moment (epoch ms). */
export function isLeased(transfer: Pick<Transfer, 'lease'>, now: number): boolean {
  return transfer.lease !== undefined && transfer.lease.expiresAt > now;
}

/** Sequence number of the newest history entry. */
export function lastSeq(transfer: Transfer): number {
  return transfer.history.at(-1)?.seq ?? 0;
}

/** The record with one more history entry. */
export function note(transfer: Transfer, entry: Omit<HistoryEntry, 'seq'>): Transfer {
  return { ...transfer, history: [...transfer.history, { ...entry, seq: lastSeq(transfer) + 1 }] };
}

/**
 * The record in its next status, with the history entry that says so.
 *
 * @throws Error for a move that the plan does not know: a defect, never an expected outcome
 */
export function move(
  transfer: Transfer,
  to: TransferStatus,
  entry: Omit<HistoryEntry, 'seq' | 'status'>,
): Transfer {
  if (!canMove(transfer.status, to)) {
    throw new Error(`${transfer.transferId}: illegal move ${transfer.status} → ${to}`);
  }
  return note({ ...transfer, status: to }, { ...entry, status: to });
}
