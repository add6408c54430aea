/** How cards name the parts of a transfer: what, from where, to where, when. */
import { shownText } from '../../core/shown-text.ts';
import type { Transfer, TransferPlan } from '../../core/transfer.ts';
import { type CardAction, code, type Line, type Span } from '../card.ts';
import { formatBytes } from '../format.ts';
import { encodeTransferValue } from './button-value.ts';

/** Longest name in a header, in UTF-16 units. */
const HEADLINE = 80;

const INSTANT = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

/** An instant (epoch ms) such as `22 Nov 2026, 14:05 UTC`: readers sit in several time zones. */
export function formatInstant(at: number): string {
  return `${INSTANT.format(at)} UTC`;
}

/** `a`, `a or b`, `a, b or c`. */
export function orList(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** `1 file`, `12 files`. */
export const countFiles = (count: number): string => `${count} file${count === 1 ? '' : 's'}`;

const baseName = (key: string): string => key.replace(/\/+$/, '').split('/').at(-1) || key;

/** What is moved in a few plain words for a header or a notification: `q3.pdf`, `200 files from finance-exports`. */
export function whatWords(plan: TransferPlan): string {
  const [first] = plan.preview;
  if (plan.objectCount === 1 && first) return shownText(baseName(first.key), HEADLINE);
  return `${countFiles(plan.objectCount)} from ${plan.bucket}`;
}

/** `whatWords` inside a sentence: a file's name is somebody else's text and stands apart as code. */
export function whatSpan(plan: TransferPlan): Span {
  return plan.objectCount === 1 ? code(whatWords(plan)) : whatWords(plan);
}

/** What is moved, exactly: the whole key of a single file, or what the person asked for in S3's terms. */
export function whatLine(plan: TransferPlan): Line {
  const [first] = plan.preview;
  if (plan.objectCount === 1 && first) return [code(`${plan.bucket}/${first.key}`)];
  const files = countFiles(plan.objectCount);
  switch (plan.selection.kind) {
    case 'keys':
      return [`${files} from `, code(plan.bucket)];
    case 'prefix':
      return [`${files} under `, code(`${plan.bucket}/${plan.selection.prefix}`)];
    case 'glob':
      return [`${files} matching `, code(`${plan.bucket}/${plan.selection.pattern}`)];
  }
}

/**
 * Where it goes: the target path of a single file; each path of several stands in `objectLines`.
 *
 * @param finalPath the name it got, when it is there already
 */
export function targetLine(plan: TransferPlan, finalPath = plan.preview[0]?.targetPath): Line {
  return plan.objectCount === 1 && finalPath ? [plan.destination, ', ', code(finalPath)] : [plan.destination];
}

/** The first files of a plan of several with size and target, and how many more there are; empty for one file. */
export function objectLines(plan: TransferPlan): Line[] {
  if (plan.objectCount === 1) return [];
  const lines: Line[] = plan.preview.map((object) => [
    code(shownText(object.key)),
    ` (${formatBytes(object.size)}) → `,
    code(shownText(object.targetPath)),
  ]);
  const more = plan.objectCount - plan.preview.length;
  return more > 0 ? [...lines, [`… and ${more} more`]] : lines;
}

/** Ticket numbers, or why there are none yet. */
export function ticketsLine(transfer: Transfer): Line {
  const { user, audit } = transfer.tickets;
  const known = [
    ...(user.number ? [`${user.number} (request)`] : []),
    ...(audit.number ? [`${audit.number} (audit)`] : []),
  ];
  const missing = known.length < 2;
  if (transfer.ticketsDelayed && missing) {
    return [
      [...known, `delayed: ${shownText(transfer.ticketsDelayed.reason)}; they follow by themselves`].join(
        ', ',
      ),
    ];
  }
  return [known.length === 0 ? 'being opened' : known.join(', ')];
}

const BUTTONS = {
  approve: { label: 'Approve', style: 'primary' },
  reject: { label: 'Reject', style: 'danger' },
  retry: { label: 'Retry', style: 'primary' },
  status: { label: 'Details' },
} as const;

/** A button about one transfer; what it may do is decided on the server when it is pressed. */
export function transferButton(transfer: Transfer, actionId: keyof typeof BUTTONS): CardAction {
  return { actionId, ...BUTTONS[actionId], value: encodeTransferValue(transfer) };
}

/** The button that stops a transfer, worded for how far it got. */
export function cancelButton(transfer: Transfer, label: 'Withdraw' | 'Cancel'): CardAction {
  return {
    actionId: 'cancel',
    label,
    value: encodeTransferValue(transfer),
    confirm:
      label === 'Withdraw'
        ? 'Take this request back? Nothing has been sent yet.'
        : 'Stop this transfer? Files that were already delivered stay; the one on its way will not appear.',
  };
}

/** Why nothing moves now, and that nobody has to do anything; empty when it is not waiting. */
export function waitingLines({ waiting }: Transfer): Line[] {
  if (!waiting) return [];
  const { since, reason } = waiting;
  return [
    [`⏳ Waiting since ${formatInstant(since)}: ${shownText(reason, 300)}`],
    ['Nothing is lost; it goes on by itself.'],
  ];
}
