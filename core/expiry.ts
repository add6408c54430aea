/** Proposals that nobody decided on in time: seen as expired by every reader, and written down as such. */
import type { TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';
import { move } from './transfer-state.ts';

/** Whether the time for a decision is over and the record does not say so yet. */
export function isOverdue(transfer: Pick<Transfer, 'status' | 'approvalExpiresAt'>, now: number): boolean {
  return transfer.status === 'pending_approval' && transfer.approvalExpiresAt <= now;
}

/** The record as a reader should see it now: expired if it is overdue, else itself. */
export function asOf(transfer: Transfer, now: number): Transfer {
  if (!isOverdue(transfer, now)) return transfer;
  return {
    ...move(transfer, 'expired', { at: now, by: 'reconciler', text: 'Nobody decided in time.' }),
    endedAt: now,
  };
}

export interface Expiry {
  /** The record, expired in the store first if it is overdue; undefined when there is none. */
  get(transferId: string): Promise<Transfer | undefined>;
  /** A person's transfers, newest first, shown as expired where they are overdue. */
  listByUser(userId: string, limit: number): Promise<Transfer[]>;
}

export function createExpiry(deps: {
  transfers: Pick<TransferStore, 'get' | 'change' | 'listByUser'>;
  now: () => number;
}): Expiry {
  const { transfers, now } = deps;
  return {
    async get(transferId) {
      const transfer = await transfers.get(transferId);
      if (!transfer || !isOverdue(transfer, now())) return transfer;
      const changed = await transfers.change(transferId, (current) =>
        isOverdue(current, now()) ? { next: asOf(current, now()), result: undefined } : { result: undefined },
      );
      return changed.transfer;
    },

    async listByUser(userId, limit) {
      return (await transfers.listByUser(userId, limit)).map((transfer) => asOf(transfer, now()));
    },
  };
}
