/** How a transfer ended, in one sentence. */
import { shownText } from './shown-text.ts';
import type { Transfer } from './transfer.ts';

/** The sentence for a transfer that has ended; undefined while it has not. */
export function endingOf(transfer: Transfer): string | undefined {
  const { decision, transferId } = transfer;
  switch (transfer.status) {
    case 'completed':
      return `${transferId} was completed.`;
    case 'failed':
      return `${transferId} failed: ${shownText(transfer.failure?.message ?? 'the reason was not recorded.', 500)}`;
    case 'cancelled':
      return `${transferId} was cancelled${transfer.cancelRequested ? ` by ${shownText(transfer.cancelRequested.by.name)}` : ''}.`;
    case 'expired':
      return `${transferId} expired: nobody decided in time.`;
    case 'rejected':
      return `${transferId} was ${decision?.outcome === 'withdrawn' ? 'withdrawn' : 'rejected'}${decision ? ` by ${shownText(decision.by.name)}` : ''}.`;
    case 'pending_approval':
    case 'approved':
    case 'queued':
    case 'running':
      return undefined;
  }
}
