/** A transfer as the model sees it: what its requester may know, in few words. */
import type { Transfer } from '../../core/transfer.ts';

const instant = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());

export const ticketsView = ({ tickets, ticketsDelayed }: Transfer) => ({
  user: tickets.user.number ?? 'not open yet',
  audit: tickets.audit.number ?? 'not open yet',
  delayed: ticketsDelayed?.reason,
});

export function transferView(transfer: Transfer) {
  const { transferId, status, plan, failure, progress, decision } = transfer;
  return {
    transferId,
    status,
    bucket: plan.bucket,
    files: plan.preview.map(({ key }) => key),
    fileCount: plan.objectCount,
    bytes: plan.totalBytes,
    destination: plan.destination,
    requestedAt: instant(transfer.createdAt),
    endedAt: instant(transfer.endedAt),
    decision: decision && { outcome: decision.outcome, by: decision.by.name },
    bytesDone: progress?.bytesDone,
    waitingFor: transfer.waiting?.reason,
    failure: failure && { step: failure.step, message: failure.message },
    tickets: ticketsView(transfer),
  };
}
