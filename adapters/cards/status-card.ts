/** The answer to "my transfers": each with its state and who has to act now. */
import { shownText } from '../../core/shown-text.ts';
import type { Transfer } from '../../core/transfer.ts';
import { bold, type Card, type CardElement, type Line } from '../card.ts';
import { formatBytes } from '../format.ts';
import { progressOf } from './progress-card.ts';
import { formatInstant, orList, targetLine, transferButton, whatSpan } from './wording.ts';

/** Most transfers that one card lists. */
const MAX_LISTED = 10;

export interface ListedTransfer {
  readonly transfer: Transfer;
  /** Who may decide on it, in words for people, such as group names. */
  readonly approvers: readonly string[];
}

/** The state with who must act now, such as `⏳ waiting for approval by finance-leads`. */
export function stateWords({ transfer, approvers }: ListedTransfer, now: number): string {
  const { status, decision, approvalExpiresAt, waiting, cancelRequested, endedAt, failure } = transfer;
  const ended = endedAt === undefined ? '' : `, ${formatInstant(endedAt)}`;
  switch (status) {
    case 'pending_approval':
      if (now >= approvalExpiresAt) return '⚠️ expired: nobody decided in time';
      return `⏳ waiting for approval by ${approvers.length > 0 ? orList(approvers) : 'an approver'} until ${formatInstant(approvalExpiresAt)}`;
    case 'approved':
      return '⏳ approved, about to be queued';
    case 'queued':
      return cancelRequested ? '⏳ stopping' : '⏳ queued, starts by itself';
    case 'running':
      if (cancelRequested) return '⏳ stopping';
      return waiting ? `⏳ waiting: ${shownText(waiting.reason)}` : '🚚 on its way';
    case 'completed':
      return `✅ delivered${ended}`;
    case 'failed':
      return `❌ failed${ended}: ${shownText(failure?.message ?? 'the reason is not known')}`;
    case 'cancelled':
      return `cancelled${ended}`;
    case 'rejected':
      return decision?.outcome === 'withdrawn'
        ? 'withdrawn'
        : `❌ rejected${decision ? ` by ${shownText(decision.by.name)}` : ''}`;
    case 'expired':
      return '⚠️ expired: nobody decided in time';
  }
}

export interface StatusList {
  /** Such as `Your transfers`. */
  readonly title: string;
  readonly transfers: readonly ListedTransfer[];
  /** The sentence for an empty list. */
  readonly empty: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Up to ten transfers, each with a button for its details. */
export function statusCard({ title, transfers, empty, now }: StatusList): Card {
  if (transfers.length === 0) return { fallback: empty, elements: [{ type: 'text', lines: [[empty]] }] };
  const listed = transfers.slice(0, MAX_LISTED);
  const more = transfers.length - listed.length;
  const elements: CardElement[] = listed.flatMap((entry): CardElement[] => {
    const { transfer } = entry;
    const { plan } = transfer;
    // Ten keys of full length would outgrow a message.
    const path = plan.preview[0]?.targetPath;
    const lines: Line[] = [
      [
        bold(transfer.transferId),
        ' · ',
        whatSpan(plan),
        ` (${formatBytes(plan.totalBytes)}) → `,
        ...targetLine(plan, path && shownText(path)),
      ],
      [stateWords(entry, now)],
    ];
    return [{ type: 'text', lines }, ...(transfer.status === 'running' ? [progressOf(transfer)] : [])];
  });
  return {
    fallback: `${title}: ${listed.map((entry) => `${entry.transfer.transferId} ${stateWords(entry, now)}`).join('; ')}.`,
    elements: [
      { type: 'header', text: title },
      ...elements,
      {
        type: 'actions',
        actions: listed.map(({ transfer }) => ({
          ...transferButton(transfer, 'status'),
          label: transfer.transferId,
        })),
      },
      {
        type: 'context',
        lines: [
          [
            more > 0
              ? `… and ${more} more. Ask for one with “status TRF-…”, or press its button.`
              : 'Press a button for the details of one.',
          ],
        ],
      },
    ],
  };
}
