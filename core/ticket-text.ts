/** The words and values of the two tickets of a transfer; pure. */

import { destinationOf } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';
import { INCIDENT_STATE, type IncidentFields } from './servicenow-incident.ts';
import { plainText, shownText } from './shown-text.ts';
import type { HistoryEntry, TicketKind, Transfer, TransferStatus } from './transfer.ts';

/** Lengths of the base system's columns, in characters; longer text would be cut without a word. */
const MAX = { shortDescription: 160, description: 3_900, note: 3_900, closeNotes: 1_000 } as const;

/** What ties a ticket to its transfer: `TRF-…:user`, `TRF-…:audit`. */
export function correlationId(transferId: string, kind: TicketKind): string {
  return `${transferId}:${kind}`;
}

/** Says in the ticket itself through which history entry it was noted. */
export function correlationDisplay(transferId: string, seq: number): string {
  return `FileFerry ${transferId} #${seq}`;
}

/** The sequence number in {@link correlationDisplay}; 0 for anything else. */
export function notedThrough(transferId: string, display: string): number {
  const match = /^FileFerry (\S+) #(\d{1,9})$/.exec(display);
  return match?.[1] === transferId ? Number(match[2]) : 0;
}

/**
 * Text inside a ticket's journal or description: neither `[code]`, by which a journal shows HTML, nor `@[`, by
 * which it mentions a user.
 */
function inert(text: string): string {
  return text.replace(/\[(\s*\/?\s*code\s*)\]/gi, '($1)').replace(/@\[/g, '@ [');
}

const line = (text: string, max: number): string => inert(plainText(text, max));
const path = (text: string, max: number): string => inert(shownText(text, max));
const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
const bytes = (count: number): string => `${count.toLocaleString('en-US')} bytes`;
const files = (count: number): string => `${count.toLocaleString('en-US')} ${count === 1 ? 'file' : 'files'}`;

function bounded(lines: readonly string[], max: number): string {
  const text = lines.join('\n');
  return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;
}

/** Two numbers from which ServiceNow computes the priority, read-only itself: 5 - Planning, or 2 - High. */
function weight(kind: TicketKind, transfer: Transfer): Pick<IncidentFields, 'impact' | 'urgency'> {
  return kind === 'user' && transfer.plan.priority === 'high'
    ? { impact: '2', urgency: '1' }
    : { impact: '3', urgency: '3' };
}

/** What the ticket is created with. */
export function openingFields(
  kind: TicketKind,
  transfer: Transfer,
  policy: PolicyConfig,
): IncidentFields & { readonly correlation_id: string } {
  const { transferId, plan } = transfer;
  const what = `${files(plan.objectCount)} from ${plan.bucket} to ${plan.destination}`;
  return {
    correlation_id: correlationId(transferId, kind),
    correlation_display: correlationDisplay(transferId, 0),
    short_description: line(
      kind === 'user'
        ? `File transfer ${transferId}: ${what}`
        : `Audit of file transfer ${transferId}: ${what}`,
      MAX.shortDescription,
    ),
    description: description(kind, transfer, policy),
    assignment_group: kind === 'user' ? policy.servicenow.userGroup : policy.servicenow.auditGroup,
    ...weight(kind, transfer),
  };
}

/**
 * What was asked for, and in an audit ticket by which right and exactly what.
 *
 * @param otherNumber number of the transfer's other ticket, once it is known
 */
export function description(
  kind: TicketKind,
  transfer: Transfer,
  policy: PolicyConfig,
  otherNumber?: string,
): string {
  const { plan, requester } = transfer;
  const selection =
    plan.selection.kind === 'prefix'
      ? `all under ${path(plan.selection.prefix, 200)}`
      : plan.selection.kind === 'glob'
        ? `all that match ${path(plan.selection.pattern, 200)}`
        : 'the named files';
  const other = otherNumber && line(otherNumber, 40);
  const more = plan.objectCount - plan.preview.length;
  const lines = [
    `Transfer: ${transfer.transferId}`,
    ...(other ? [`${kind === 'user' ? 'Audit ticket' : 'Ticket of the requester'}: ${other}`] : []),
    `Requested by: ${line(requester.name, 80)}${requester.email ? ` <${line(requester.email, 120)}>` : ''}`,
    `Requested at: ${instant(transfer.createdAt)}`,
    `From: S3 bucket ${line(plan.bucket, 63)}, ${selection}`,
    `To: ${line(plan.destination, 63)}`,
    `Amount: ${files(plan.objectCount)}, ${bytes(plan.totalBytes)}`,
    `Priority: ${plan.priority}`,
    ...(kind === 'audit' ? auditFacts(transfer, policy) : []),
    'Files:',
    ...plan.preview.map(
      (object) =>
        `- ${path(object.key, 200)} (${bytes(object.size)}) → ${path(object.targetPath, 200)}${
          kind === 'audit' ? `, ETag ${line(object.etag, 80)}` : ''
        }`,
    ),
    ...(more > 0 ? [`- and ${files(more)} more`] : []),
  ];
  return bounded(lines, MAX.description);
}

function auditFacts(transfer: Transfer, policy: PolicyConfig): string[] {
  const { plan, requester } = transfer;
  const destination = destinationOf(policy, plan.destination);
  return [
    `Requester id: ${line(requester.userId, 120)} (${requester.standing})`,
    `Plan hash: ${line(transfer.planHash, 64)}`,
    `Digest of all files: ${line(plan.objectsDigest, 64)}`,
    `Server: ${
      destination
        ? `${line(destination.host, 100)}:${destination.port}, TLS ${destination.tls}, folder ${path(destination.folder, 100)}`
        : 'no longer registered'
    }`,
    `If a file exists there: ${plan.existing}`,
    'The requester may not approve it.',
    `Approval lapses at: ${instant(transfer.approvalExpiresAt)}`,
  ];
}

/** The work note of one history entry; the first one also names the other ticket. */
export function workNote(kind: TicketKind, entry: HistoryEntry, otherNumber?: string): string {
  const status = entry.status ? ` ${entry.status.replaceAll('_', ' ')}:` : '';
  const by = kind === 'audit' ? ` (by ${line(entry.by, 120)})` : '';
  const lines = [
    `#${entry.seq} ${instant(entry.at)}${status} ${line(entry.text, 2_000)}${by}`,
    ...(otherNumber
      ? [`${kind === 'user' ? 'Audit ticket' : 'Ticket of the requester'}: ${line(otherNumber, 40)}`]
      : []),
  ];
  return bounded(lines, MAX.note);
}

/** Resolution codes of the base system. */
const CLOSE_CODE = {
  completed: 'Solution provided',
  failed: 'No resolution provided',
  cancelled: 'Resolved by caller',
  rejected: 'No resolution provided',
  expired: 'No resolution provided',
} as const satisfies Partial<Record<TransferStatus, string>>;

/**
 * The state of the ticket at this status. A failed transfer is only Resolved, because a person may retry it, which
 * sets the ticket to In Progress again; Closed is for what is final, since an instance may let nobody change it.
 */
export function stateFields(kind: TicketKind, transfer: Transfer): IncidentFields {
  switch (transfer.status) {
    case 'pending_approval':
      return { state: INCIDENT_STATE.new };
    case 'approved':
    case 'queued':
    case 'running':
      return { state: INCIDENT_STATE.inProgress };
    case 'failed':
    case 'completed':
    case 'cancelled':
    case 'rejected':
    case 'expired':
      return {
        state: transfer.status === 'failed' ? INCIDENT_STATE.resolved : INCIDENT_STATE.closed,
        close_code: CLOSE_CODE[transfer.status],
        close_notes: bounded(closeNotes(kind, transfer), MAX.closeNotes),
      };
  }
}

function closeNotes(kind: TicketKind, transfer: Transfer): string[] {
  const { plan, decision, failure } = transfer;
  const decidedBy = decision
    ? `${line(decision.by.name, 80)}${kind === 'audit' ? ` (${line(decision.by.userId, 120)})` : ''} at ${instant(decision.at)}`
    : undefined;
  const audit = kind === 'audit' ? [`Plan hash: ${line(transfer.planHash, 64)}`] : [];
  const approved = decision?.outcome === 'approved' ? [`Approved by ${decidedBy}.`] : [];
  switch (transfer.status) {
    case 'completed':
      return [
        `${files(plan.objectCount)}, ${bytes(plan.totalBytes)}, delivered to ${line(plan.destination, 63)}.`,
        ...(transfer.verified ? [`Verified: ${line(transfer.verified, 200)}.`] : []),
        ...approved,
        ...audit,
      ];
    case 'failed':
      return [
        failure
          ? `Failed at “${failure.step}”: ${line(failure.message, 400)}${failure.reference ? ` (${line(failure.reference, 20)})` : ''}`
          : 'The transfer failed.',
        'A retry opens this ticket again.',
        ...approved,
        ...audit,
      ];
    case 'rejected':
      return [
        decision?.outcome === 'withdrawn'
          ? `Withdrawn by ${decidedBy}. Nothing was transferred.`
          : `Rejected by ${decidedBy ?? 'an approver'}. Nothing was transferred.`,
        ...audit,
      ];
    case 'expired':
      return ['Nobody decided in time. Nothing was transferred.', ...audit];
    default:
      return [
        `Cancelled${transfer.cancelRequested ? ` by ${line(transfer.cancelRequested.by.name, 80)}` : ''}.`,
        ...approved,
        ...audit,
      ];
  }
}
