/** What follows a transfer's end: tickets, thread and learning table are told, and the checklist is closed. */
import type { Logger } from 'pino';
import { cardsBehind, ticketsBehind } from '../core/due-work.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';

export interface FollowUpDeps {
  readonly store: Pick<TransferStore, 'change'>;
  /** Brings tickets and cards in step with the record; never throws. */
  readonly settle: (transferId: string) => Promise<void>;
  /** Counts an ended transfer for later predictions, once. */
  readonly learn: (transferId: string) => Promise<unknown>;
  readonly now: () => number;
}

/** Ends the last two steps of a completed transfer as far as what they stand for has happened. */
async function closeChecklist({ store, now }: FollowUpDeps, transferId: string): Promise<void> {
  await store.change(transferId, (current) => {
    const { 'update tickets': tickets, notify } = current.steps;
    const ticketsEnd = tickets.endedAt === undefined && !ticketsBehind(current);
    const notifyEnds = notify.endedAt === undefined && !cardsBehind(current);
    if (current.status !== 'completed' || (!ticketsEnd && !notifyEnds)) return { result: undefined };
    const steps = {
      ...current.steps,
      ...(ticketsEnd ? { 'update tickets': { ...tickets, endedAt: now() } } : {}),
      ...(notifyEnds ? { notify: { ...notify, endedAt: now() } } : {}),
    };
    return { next: { ...current, steps }, result: undefined };
  });
}

/** Everything here can be done again, and the reconciler does so until it has worked; so nothing is thrown. */
export async function followUp(deps: FollowUpDeps, transferId: string, log: Logger): Promise<void> {
  await Promise.all([
    deps.settle(transferId),
    deps.learn(transferId).catch((error: unknown) => {
      log.warn({ transferId, err: error }, 'the outcome was not learned yet');
    }),
  ]);
  await closeChecklist(deps, transferId).catch((error: unknown) => {
    log.warn({ transferId, err: error }, 'the checklist was not closed yet');
  });
}
