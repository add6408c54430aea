/** The one message that shows how far a transfer is; edited as it goes on. */
import type { Transfer } from '../../core/transfer.ts';
import { type Card, type CardElement, type Line, person } from '../card.ts';
import { formatBytes, formatDuration, percent } from '../format.ts';
import { checklist } from './checklist.ts';
import { canRetry } from './outcome-card.ts';
import { cancelButton, targetLine, transferButton, waitingLines, whatLine, whatWords } from './wording.ts';

/** What the worker knows better than the record while it streams. */
export interface LiveProgress {
  readonly bytesDone: number;
  readonly objectsDone: number;
  /** Bytes a second; absent while it is not known. */
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
}

type ProgressElement = Extract<CardElement, { type: 'progress' }>;

/**
 * The progress bar of a transfer.
 *
 * @param live the running worker's own figures; without them the record's are shown
 */
export function progressOf(transfer: Transfer, live?: LiveProgress): ProgressElement {
  const { plan, status, progress } = transfer;
  const totals = { bytesTotal: plan.totalBytes, objectsTotal: plan.objectCount };
  if (status === 'completed') {
    return { type: 'progress', ...totals, bytesDone: plan.totalBytes, objectsDone: plan.objectCount };
  }
  const bytesDone = Math.min((live ?? progress)?.bytesDone ?? 0, plan.totalBytes);
  const done = { bytesDone, objectsDone: (live ?? progress)?.objectsDone ?? 0 };
  const bytesPerSecond = (live ?? progress)?.bytesPerSecond;
  if (status !== 'running' || !bytesPerSecond) return { type: 'progress', ...totals, ...done };
  return {
    type: 'progress',
    ...totals,
    ...done,
    bytesPerSecond,
    secondsLeft: live?.secondsLeft ?? (plan.totalBytes - bytesDone) / bytesPerSecond,
  };
}

/** The state as a header and as a sentence for notifications. */
function wordsOf(transfer: Transfer, bar: ProgressElement): { header: string; sentence: string } {
  const what = whatWords(transfer.plan);
  const to = `${what} to ${transfer.plan.destination}`;
  switch (transfer.status) {
    case 'pending_approval':
      return { header: `⏳ Waiting for approval: ${to}`, sentence: `Sending ${to} waits for approval.` };
    case 'approved':
      return { header: `⏳ Approved: ${to}`, sentence: `Sending ${to} is approved and about to be queued.` };
    case 'queued':
      return { header: `⏳ Queued: ${to}`, sentence: `Sending ${to} is queued and starts soon.` };
    case 'running': {
      if (transfer.cancelRequested) {
        return { header: `⏳ Stopping: ${to}`, sentence: `Sending ${to} is being stopped.` };
      }
      const left = bar.secondsLeft === undefined ? '' : `, ${formatDuration(bar.secondsLeft)} left`;
      return {
        header: `🚚 Sending ${to}`,
        sentence: `Sending ${to}: ${percent(bar.bytesDone, bar.bytesTotal)} %${left}.`,
      };
    }
    case 'completed':
      return {
        header: `✅ Delivered: ${to}`,
        sentence: `${what} was delivered to ${transfer.plan.destination}.`,
      };
    case 'failed':
      return { header: `❌ Failed: ${to}`, sentence: `Sending ${to} failed.` };
    case 'cancelled':
      return { header: `Cancelled: ${to}`, sentence: `Sending ${to} was cancelled.` };
    case 'rejected':
      return transfer.decision?.outcome === 'withdrawn'
        ? { header: `Withdrawn: ${to}`, sentence: `The request to send ${to} was withdrawn.` }
        : { header: `❌ Rejected: ${to}`, sentence: `The request to send ${to} was rejected.` };
    case 'expired':
      return {
        header: `⚠️ Expired: ${to}`,
        sentence: `The request to send ${to} expired before anybody decided.`,
      };
  }
}

/** What a reader should know beyond the bar: whom it waits for, what went wrong, what was verified. */
function remarks(transfer: Transfer): Line[] {
  const { status, cancelRequested, failure, progress, verified } = transfer;
  const lines: Line[] = [];
  const active = status === 'queued' || status === 'running';
  if (active && cancelRequested) lines.push(['Stopping, as ', person(cancelRequested.by), ' asked.']);
  else if (active) lines.push(...waitingLines(transfer));
  if (status === 'failed' && failure) lines.push([`❌ ${failure.message}`]);
  if (progress && progress.objectsFailed > 0) {
    lines.push([`⚠️ ${progress.objectsFailed} of ${transfer.plan.objectCount} files failed.`]);
  }
  if (status === 'completed' && verified) lines.push([`Verified: ${verified}.`]);
  return lines;
}

function context(transfer: Transfer, now: number): Line {
  const { startedAt, endedAt, attempt, status } = transfer;
  const parts = [transfer.transferId];
  if (attempt > 1) parts.push(`attempt ${attempt}`);
  if (startedAt !== undefined && (endedAt !== undefined || status === 'running')) {
    const seconds = ((endedAt ?? now) - startedAt) / 1_000;
    parts.push(`${endedAt === undefined ? 'for' : 'took'} ${formatDuration(seconds)}`);
  }
  return [parts.join(' · ')];
}

/**
 * How a transfer stands. While it runs, the worker renders this with `live` for every edit.
 *
 * @param now epoch milliseconds
 * @param how.live the running worker's own figures
 * @param how.aside not in the transfer's thread, where the outcome has the Retry button
 */
export function progressCard(
  transfer: Transfer,
  now: number,
  { live, aside = false }: { readonly live?: LiveProgress; readonly aside?: boolean } = {},
): Card {
  const { plan, status } = transfer;
  const bar = progressOf(transfer, live);
  const { header, sentence } = wordsOf(transfer, bar);
  const notes = remarks(transfer);
  const started = status !== 'pending_approval' && status !== 'rejected' && status !== 'expired';
  // Where a taken name was numbered, the outcome tells the name; the plan has another.
  const target = status === 'completed' && plan.existing === 'rename' ? [plan.destination] : targetLine(plan);
  const mayStop = (status === 'queued' || status === 'running') && !transfer.cancelRequested;
  const actions = mayStop
    ? [cancelButton(transfer, 'Cancel')]
    : aside && status === 'failed' && canRetry(transfer)
      ? [transferButton(transfer, 'retry')]
      : [];
  return {
    fallback: sentence,
    elements: [
      { type: 'header', text: header },
      {
        type: 'text',
        lines: [[...whatLine(plan), ` (${formatBytes(plan.totalBytes)}) → `, ...target]],
      },
      ...(started ? [bar, checklist(transfer)] : []),
      ...(notes.length > 0 ? [{ type: 'text' as const, lines: notes }] : []),
      ...(actions.length > 0 ? [{ type: 'actions' as const, actions }] : []),
      { type: 'context', lines: [context(transfer, now)] },
    ],
  };
}
