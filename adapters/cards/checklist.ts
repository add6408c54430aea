/** The six steps of a transfer as a checklist, read from its record. */
import { ticketsBehind } from '../../core/due-work.ts';
import { shownText } from '../../core/shown-text.ts';
import { STEP_NAMES, type StepName, type Transfer } from '../../core/transfer.ts';
import { isEnded } from '../../core/transfer-state.ts';
import type { CardElement, ChecklistState } from '../card.ts';
import { formatDuration } from '../format.ts';

const LABELS: Readonly<Record<StepName, string>> = {
  validate: 'Validate',
  tickets: 'Open tickets',
  authorize: 'Authorize',
  stream: 'Stream',
  'update tickets': 'Update tickets',
  notify: 'Notify',
};

function stateOf(transfer: Transfer, name: StepName): ChecklistState {
  const { status, failure } = transfer;
  const { startedAt, endedAt } = transfer.steps[name];
  const ended = isEnded(status);
  if (status === 'failed' && failure?.step === name) return 'failed';
  if (endedAt !== undefined) return 'done';
  // The card that says how it ended is the notification: it cannot show itself as still to come.
  if (name === 'notify' && ended) return 'done';
  // However it ended, the tickets are told; when ServiceNow cannot be reached, later.
  if (name === 'update tickets' && ended) return ticketsBehind(transfer) ? 'active' : 'done';
  if (ended) return status === 'completed' ? 'waiting' : 'skipped';
  return startedAt === undefined ? 'waiting' : 'active';
}

function detailOf(transfer: Transfer, name: StepName, state: ChecklistState): string | undefined {
  const { startedAt, endedAt, attempts } = transfer.steps[name];
  const parts: string[] = [];
  if (state === 'done' && startedAt !== undefined && endedAt !== undefined && endedAt - startedAt >= 1_000) {
    parts.push(formatDuration((endedAt - startedAt) / 1_000));
  }
  if (attempts > 1) parts.push(`attempt ${attempts}`);
  if (state !== 'done' && name.endsWith('tickets') && transfer.ticketsDelayed) {
    parts.push(`delayed: ${shownText(transfer.ticketsDelayed.reason)}`);
  }
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** The checklist element: done, under way, to come, failed, or skipped because the transfer ended before. */
export function checklist(transfer: Transfer): Extract<CardElement, { type: 'checklist' }> {
  return {
    type: 'checklist',
    items: STEP_NAMES.map((name) => {
      const state = stateOf(transfer, name);
      const detail = detailOf(transfer, name, state);
      return { label: LABELS[name], state, ...(detail === undefined ? {} : { detail }) };
    }),
  };
}
