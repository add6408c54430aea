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

/** Whether the thread, the tickets, the audit bucket and the learning table all know how the record stands. */
export function isSettled(transfer: Transfer): boolean {
  const learned = transfer.learned || (transfer.status !== 'completed' && transfer.status !== 'failed');
  return !ticketsBehind(transfer) && !cardsBehind(transfer) && !auditBehind(transfer) && learned;
}

/** When somebody should next look after this transfer (epoch ms), or undefined when nothing is owed. */
export function dueAt(transfer: Transfer, now: number): number | undefined {
  const times: number[] = [];
  if (!isSettled(transfer)) {
    const { until = 0 } = transfer.settling ?? {};
    // Somebody may be at it: should that process die, its lock lapses.
    times.push(until > now ? Math.min(until, now + GRACE.followUp) : now + GRACE.followUp);
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
      times.push((transfer.lease?.expiresAt ?? now) + GRACE.lease);
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
