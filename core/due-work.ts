/** What a transfer still owes the world, derived from its record; the reconciler finds it by the time it is due. */

import { auditBehind } from './audit.ts';
import { type MessageRole, type PostedMessage, TICKET_KINDS, type Transfer } from './transfer.ts';
import { isEnded, lastSeq } from './transfer-state.ts';

/** How long after a hand-over the reconciler looks whether it arrived, in milliseconds. */
const GRACE = {
  /** `approved` but not on the queue. */
  enqueue: 10_000,
  /** On the queue, but no worker has taken it; sending it again is harmless. */
  pickup: 300_000,
  /** A lease that lapsed. */
  lease: 5_000,
  /** Tickets, cards or audit events behind the record. */
  followUp: 20_000,
} as const;

/** Longest pauses between tries that were in vain so far, in milliseconds. */
export const LONGEST = { ended: 3_600_000, waiting: 300_000 } as const;

/** A message for a lapsed run is sent again at most this often, in milliseconds. */
export const RESEND_MS = 60_000;

/** The messages that should exist in the thread at this status. */
export function wantedRoles(transfer: Transfer): MessageRole[] {
  const { status } = transfer;
  if (status === 'pending_approval' || status === 'approved') return ['approval'];
  if (status === 'rejected' || status === 'expired') return ['approval', 'outcome'];
  return isEnded(status) ? ['approval', 'progress', 'outcome'] : ['approval', 'progress'];
}

/** The message that was posted in a role; each attempt has an outcome of its own. */
export function postedAs(transfer: Transfer, role: MessageRole): PostedMessage | undefined {
  return transfer.messages.find(
    (message) => message.role === role && (role !== 'outcome' || (message.attempt ?? 1) === transfer.attempt),
  );
}

/** Whether a wanted message is missing or shows an older state than the record's. */
export function cardsBehind(transfer: Transfer): boolean {
  return (
    wantedRoles(transfer).some((role) => !postedAs(transfer, role)) ||
    transfer.messages.some((message) => message.shownThrough < lastSeq(transfer))
  );
}

/** Whether a ticket is still to be opened, noted or closed. */
export function ticketsBehind(transfer: Transfer): boolean {
  return TICKET_KINDS.some((kind) => {
    const ticket = transfer.tickets[kind];
    return (
      ticket.sysId === undefined ||
      ticket.notedThrough < lastSeq(transfer) ||
      ticket.closed !== isEnded(transfer.status)
    );
  });
}

/**
 * Whether the thread, the tickets, the audit bucket and the learning table all know how the record stands.
 *
 * @param audits whether there is an audit bucket
 */
export function isSettled(transfer: Transfer, audits = true): boolean {
  const learned = transfer.learned || (transfer.status !== 'completed' && transfer.status !== 'failed');
  const audited = !audits || !auditBehind(transfer);
  return !ticketsBehind(transfer) && !cardsBehind(transfer) && audited && learned;
}

/**
 * How long to wait before the next try of something that has been in vain for `tried` milliseconds: a quarter of
 * that, so that what cannot be done for hours or days leaves the looks to what can.
 */
export const backOff = (tried: number, least: number, most: number): number =>
  Math.round(Math.min(Math.max(tried / 4, least), most));

/** How long until the next try to tell tickets, thread and audit bucket. */
function followUpIn({ status, endedAt, history, waiting }: Transfer, now: number): number {
  if (isEnded(status)) {
    return backOff(now - (endedAt ?? history.at(-1)?.at ?? now), GRACE.followUp, LONGEST.ended);
  }
  return waiting ? backOff(now - waiting.since, GRACE.followUp, LONGEST.waiting) : GRACE.followUp;
}

/** Before this, a run that was put off is not taken up again (epoch ms); 0 when it may be at once. */
export const putOffUntil = ({ waiting, cancelRequested }: Transfer): number =>
  cancelRequested ? 0 : (waiting?.until ?? 0);

/** When a run that lost its worker is to be sent to the queue: not at every look, and not while it is put off. */
function reviveAt(transfer: Transfer, now: number): number {
  const { lease, queuedAt = 0 } = transfer;
  const sentAgain = queuedAt > (lease?.expiresAt ?? 0) && lease !== undefined;
  return Math.max(
    (lease?.expiresAt ?? now) + GRACE.lease,
    sentAgain ? queuedAt + RESEND_MS : 0,
    putOffUntil(transfer),
  );
}

/**
 * When somebody should next look after this transfer (epoch ms), or undefined when nothing is owed.
 *
 * @param audits whether there is an audit bucket
 */
export function dueAt(transfer: Transfer, now: number, audits = true): number | undefined {
  const times: number[] = [];
  if (!isSettled(transfer, audits)) {
    const { until = 0 } = transfer.settling ?? {};
    const next = now + followUpIn(transfer, now);
    // Somebody may be at it: should that process die, its lock lapses.
    times.push(until > now ? Math.min(until, next) : next);
  }
  switch (transfer.status) {
    case 'pending_approval':
      times.push(transfer.approvalExpiresAt);
      break;
    case 'approved':
      times.push(now + GRACE.enqueue);
      break;
    case 'queued':
      // Without `queuedAt` a retry or a cancellation moved it here and nothing was sent yet.
      times.push(now + (transfer.queuedAt === undefined || transfer.waiting ? GRACE.enqueue : GRACE.pickup));
      break;
    case 'running':
      times.push(reviveAt(transfer, now));
      break;
    default:
      break;
  }
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** A look may come this much before its time, in milliseconds. */
const EARLY_MS = 25_000;

/**
 * The time that the index should hold. An earlier one that it holds already stays when it is close: looking too
 * early is harmless, and moving an entry costs as much as writing a small record. Never later than `due`.
 *
 * @param held what the index holds now, if anything
 */
export function dueToHold(
  due: number | undefined,
  held: number | undefined,
  now: number,
): number | undefined {
  if (due === undefined || held === undefined || held > due) return due;
  return due - held <= Math.min(EARLY_MS, (due - now) * (3 / 4)) ? held : due;
}
