/** The last word on a transfer, posted to its thread: how it ended, what is safe, what to do next. */
import { shownText } from '../../core/shown-text.ts';
import type { Transfer } from '../../core/transfer.ts';
import { bold, type Card, type CardElement, code, type Line, person } from '../card.ts';
import { formatBytes, formatDuration } from '../format.ts';
import {
  countFiles,
  formatInstant,
  targetLine,
  ticketsLine,
  transferButton,
  whatLine,
  whatSpan,
  whatWords,
} from './wording.ts';

export interface OutcomeFacts {
  /** Where the first files stand now, in the plan's order; needed where a taken name was numbered. */
  readonly finalPaths?: readonly string[];
}

/** Whether another attempt at the same plan can end better: a changed source never matches its plan again. */
export function canRetry(transfer: Transfer): boolean {
  return transfer.status === 'failed' && transfer.failure?.code !== 'source_changed';
}

const pathLines = (paths: readonly string[], total: number): Line[] => {
  const shown = paths.slice(0, 5);
  const lines: Line[] = shown.map((path) => [code(total === 1 ? path : shownText(path))]);
  return total > shown.length ? [...lines, [`… and ${total - shown.length} more`]] : lines;
};

function completed(transfer: Transfer, facts: OutcomeFacts): Card {
  const { plan, requester, startedAt, endedAt, verified } = transfer;
  const seconds =
    startedAt !== undefined && endedAt !== undefined ? (endedAt - startedAt) / 1_000 : undefined;
  const took = seconds === undefined ? '' : ` in ${formatDuration(seconds)}`;
  const paths = facts.finalPaths ?? plan.preview.map((object) => object.targetPath);
  const one = plan.objectCount === 1;
  return {
    fallback: `${shownText(requester.name)}, ${whatWords(plan)} (${formatBytes(plan.totalBytes)}) ${one ? 'is' : 'are'} on ${plan.destination}${took}.`,
    elements: [
      { type: 'header', text: `✅ Delivered: ${whatWords(plan)} to ${plan.destination}` },
      {
        type: 'text',
        lines: [
          [
            person(requester),
            ', ',
            whatSpan(plan),
            ` ${one ? 'is' : 'are'} on `,
            bold(plan.destination),
            ':',
          ],
          ...pathLines(paths, plan.objectCount),
        ],
      },
      {
        type: 'fields',
        fields: [
          { label: 'From', value: whatLine(plan) },
          { label: 'Size', value: [formatBytes(plan.totalBytes)] },
          ...(seconds === undefined ? [] : [{ label: 'Time', value: [formatDuration(seconds)] }]),
          ...(seconds !== undefined && seconds > 0 && plan.totalBytes > 0
            ? [{ label: 'Average speed', value: [`${formatBytes(plan.totalBytes / seconds)}/s`] }]
            : []),
          ...(verified ? [{ label: 'Verified', value: [verified] }] : []),
          { label: 'Tickets', value: ticketsLine(transfer) },
        ],
      },
      { type: 'context', lines: [[transfer.transferId]] },
    ],
  };
}

/** What certainly stands at the destination after a transfer that did not complete. */
function whatIsSafe({ plan, progress }: Transfer): string {
  const done = progress?.objectsDone ?? 0;
  if (plan.objectCount === 1) {
    return done > 0
      ? 'The file was delivered whole and stays under its final name, and the source is untouched.'
      : 'No half file stands under the final name, and the source is untouched.';
  }
  const delivered =
    done > 0
      ? `${done} of ${countFiles(plan.objectCount)} were delivered whole and stay`
      : 'No file was delivered';
  return `${delivered}; no half file stands under its final name, and the source is untouched.`;
}

function nextStep(transfer: Transfer): string {
  switch (transfer.failure?.code) {
    case 'source_changed':
      return 'Ask for it again: the changed file needs an approval of its own.';
    case 'target_exists':
      return 'Have the file at the destination moved away, then press Retry.';
    case 'target_full':
      return 'Have space made at the destination, then press Retry.';
    case 'target_login_refused':
      return 'Have the administrators check this destination’s login, then press Retry.';
    case 'source_archived':
      return 'Have the file restored from the archive, then press Retry.';
    default:
      return 'Press Retry to go on; if it fails again, tell your FileFerry team the number below.';
  }
}

function failed(transfer: Transfer): Card {
  const { plan, requester, failure } = transfer;
  const reason = failure?.message ?? 'The reason is not known.';
  const actions: CardElement[] = canRetry(transfer)
    ? [{ type: 'actions', actions: [transferButton(transfer, 'retry')] }]
    : [];
  return {
    fallback: `${shownText(requester.name)}, sending ${whatWords(plan)} to ${plan.destination} failed: ${shownText(reason, 300)}`,
    elements: [
      { type: 'header', text: `❌ Failed: ${whatWords(plan)} to ${plan.destination}` },
      {
        type: 'text',
        lines: [
          [person(requester), ', ', ...whatLine(plan), ' could not be sent to ', ...targetLine(plan), '.'],
          [bold('What happened:'), ' ', reason],
          [bold('What is safe:'), ' ', whatIsSafe(transfer)],
          [bold('What to do next:'), ' ', nextStep(transfer)],
        ],
      },
      ...actions,
      {
        type: 'context',
        lines: [
          [
            [
              transfer.transferId,
              `attempt ${transfer.attempt}`,
              ...(failure?.reference ? [failure.reference] : []),
            ].join(' · '),
          ],
          ['Tickets: ', ...ticketsLine(transfer)],
        ],
      },
    ],
  };
}

/** An ending without a delivery and without a fault. */
function closed(transfer: Transfer, header: string, line: Line, sentence: string): Card {
  const { plan, requester } = transfer;
  return {
    fallback: `${shownText(requester.name)}, ${sentence}`,
    elements: [
      { type: 'header', text: `${header}: ${whatWords(plan)} to ${plan.destination}` },
      { type: 'text', lines: [[person(requester), ', ', ...line]] },
      { type: 'context', lines: [[transfer.transferId]] },
    ],
  };
}

function cancelled(transfer: Transfer): Card {
  const { plan, cancelRequested } = transfer;
  const by: Line = cancelRequested ? [' by ', person(cancelRequested.by)] : [];
  const safe = ` ${whatIsSafe(transfer)}`;
  return closed(
    transfer,
    'Cancelled',
    ['sending ', ...whatLine(plan), ' was cancelled', ...by, '.', safe],
    `sending ${whatWords(plan)} to ${plan.destination} was cancelled${cancelRequested ? ` by ${shownText(cancelRequested.by.name)}` : ''}.`,
  );
}

function rejected(transfer: Transfer): Card {
  const { plan, decision } = transfer;
  const withdrawn = decision?.outcome === 'withdrawn';
  const verb = withdrawn ? 'withdrawn' : 'rejected';
  const by: Line = decision ? [' by ', person(decision.by)] : [];
  return closed(
    transfer,
    withdrawn ? 'Withdrawn' : '❌ Rejected',
    ['the request to send ', ...whatLine(plan), ` was ${verb}`, ...by, '. Nothing was sent.'],
    `the request to send ${whatWords(plan)} to ${plan.destination} was ${verb}${decision ? ` by ${shownText(decision.by.name)}` : ''}.`,
  );
}

function expired(transfer: Transfer): Card {
  const { plan, approvalExpiresAt } = transfer;
  return closed(
    transfer,
    '⚠️ Expired',
    [
      'nobody decided on sending ',
      ...whatLine(plan),
      ` by ${formatInstant(approvalExpiresAt)}. Nothing was sent; please ask again if it is still needed.`,
    ],
    `the request to send ${whatWords(plan)} to ${plan.destination} expired before anybody decided.`,
  );
}

/**
 * How a transfer ended.
 *
 * @throws Error while the transfer has not ended: a defect of the caller
 */
export function outcomeCard(transfer: Transfer, facts: OutcomeFacts = {}): Card {
  switch (transfer.status) {
    case 'completed':
      return completed(transfer, facts);
    case 'failed':
      return failed(transfer);
    case 'cancelled':
      return cancelled(transfer);
    case 'rejected':
      return rejected(transfer);
    case 'expired':
      return expired(transfer);
    case 'pending_approval':
    case 'approved':
    case 'queued':
    case 'running':
      throw new Error(`${transfer.transferId}: no outcome while ${transfer.status}`);
  }
}

/** What the outcome of an earlier attempt becomes once somebody retried: its button is gone. */
export function supersededOutcomeCard(transfer: Transfer, attempt: number): Card {
  const { plan } = transfer;
  const failure = transfer.history.filter((entry) => entry.status === 'failed')[attempt - 1];
  const subject = `${whatWords(plan)} to ${plan.destination}`;
  return {
    fallback: `Attempt ${attempt} to send ${subject} failed and was tried again.`,
    elements: [
      { type: 'header', text: `❌ Attempt ${attempt} failed: ${subject}` },
      {
        type: 'text',
        lines: [
          ...(failure ? [[failure.text]] : []),
          ['It was tried again; the progress message shows how it goes.'],
        ],
      },
      { type: 'context', lines: [[transfer.transferId]] },
    ],
  };
}
