/** Reading neutral cards in tests: their text, their buttons, and a transfer in every status to render. */
import type { Card, CardAction, CardElement, Line } from '../../adapters/card.ts';
import { TRANSFER_STATUSES, type Transfer, type TransferStatus } from '../../core/transfer.ts';
import { ana, bob, NOON, proposal } from './transfers.ts';

const lineText = (line: Line): string =>
  line
    .map((span) => (typeof span === 'string' ? span : span.kind === 'person' ? `@${span.name}` : span.text))
    .join('');

function elementText(element: CardElement): string[] {
  switch (element.type) {
    case 'header':
      return [element.text];
    case 'text':
    case 'context':
      return element.lines.map(lineText);
    case 'fields':
      return element.fields.map(({ label, value }) => `${label}: ${lineText(value)}`);
    case 'progress':
      return [`${element.bytesDone}/${element.bytesTotal}`];
    case 'checklist':
      return element.items.map(
        ({ label, state, detail }) => `[${state}] ${label}${detail ? ` (${detail})` : ''}`,
      );
    case 'actions':
      return element.actions.map(({ label }) => `<${label}>`);
    case 'open':
      return [`<${element.label}: ${element.url}>`];
  }
}

/** Everything that a reader sees, a line each; people as `@Name`, buttons as `<Label>`. */
export const cardText = (card: Card): string => card.elements.flatMap(elementText).join('\n');

export const buttonsOf = (card: Card): CardAction[] =>
  card.elements.flatMap((element) => (element.type === 'actions' ? [...element.actions] : []));

/** Every piece of text that a platform formats: bold, links and code, but no plain strings. */
export const formattedSpans = (card: Card) =>
  card.elements
    .flatMap((element): Line[] =>
      element.type === 'text' || element.type === 'context'
        ? [...element.lines]
        : element.type === 'fields'
          ? element.fields.map(({ value }) => value)
          : [],
    )
    .flat()
    .filter((span) => typeof span !== 'string');

const MINUTE = 60_000;
const decided = (
  outcome: 'approved' | 'rejected' | 'withdrawn',
  planHash: string,
): Pick<Transfer, 'decision'> => ({
  decision: { outcome, by: outcome === 'withdrawn' ? ana : bob, at: NOON + 5 * MINUTE, planHash },
});

/** Ana's proposal as it would stand in this status, with the history that led there. */
export function transferAt(status: TransferStatus, changes: Partial<Transfer> = {}): Transfer {
  const base = proposal();
  const paths: Readonly<Record<TransferStatus, TransferStatus[]>> = {
    pending_approval: [],
    approved: ['approved'],
    rejected: ['rejected'],
    expired: ['expired'],
    queued: ['approved', 'queued'],
    running: ['approved', 'queued', 'running'],
    completed: ['approved', 'queued', 'running', 'completed'],
    failed: ['approved', 'queued', 'running', 'failed'],
    cancelled: ['approved', 'queued', 'cancelled'],
  };
  const path = paths[status];
  const started = path.includes('running') ? { startedAt: NOON + 6 * MINUTE } : {};
  return {
    ...base,
    status,
    ...(path.includes('approved') ? decided('approved', base.planHash) : {}),
    ...(status === 'rejected' ? decided('rejected', base.planHash) : {}),
    ...started,
    ...(['completed', 'failed', 'cancelled', 'rejected', 'expired'].includes(status)
      ? { endedAt: NOON + 7 * MINUTE }
      : {}),
    ...(status === 'failed'
      ? {
          failure: {
            code: 'target_unreachable',
            message: 'acme-ftp did not answer.',
            step: 'stream' as const,
          },
        }
      : {}),
    history: [
      ...base.history,
      ...path.map((entered, index) => ({
        seq: index + 2,
        at: NOON + index * MINUTE,
        status: entered,
        by: 'test',
        text: `Now ${entered}.`,
      })),
    ],
    ...changes,
  };
}

export const everyStatus = (): Transfer[] => TRANSFER_STATUSES.map((status) => transferAt(status));
