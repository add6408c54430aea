/** Derives a transfer's audit events from each write to its record, so that no write can forget one. */
import { type Audit, type AuditEvent, auditHash } from './audit-event.ts';
import { TICKET_KINDS, type Transfer } from './transfer.ts';
import { isEnded } from './transfer-state.ts';

/** The program that writes. */
export type AuditWriter = 'bot' | 'worker';

/** The write that is told of. */
interface Write {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly by: AuditWriter;
}

type News = Pick<AuditEvent, 'at' | 'kind' | 'by' | 'text'> & {
  readonly facts?: Readonly<Record<string, string | number | undefined>>;
};

/** What only the record tells about an entry of its history. */
function factsOf(after: Transfer, status: Transfer['status'] | undefined): News['facts'] {
  const { plan, verified, failure } = after;
  switch (status) {
    case undefined:
      return undefined;
    case 'pending_approval':
      return {
        status,
        requester: after.requester.name,
        bucket: plan.bucket,
        destination: plan.destination,
        objects: plan.objectCount,
        bytes: plan.totalBytes,
        objectsDigest: plan.objectsDigest,
      };
    case 'completed':
      return { status, attempt: after.attempt, verified };
    case 'failed':
      return {
        status,
        attempt: after.attempt,
        step: failure?.step,
        code: failure?.code,
        reference: failure?.reference,
      };
    default:
      return { status };
  }
}

function decisionNews(before: Transfer | undefined, { decision }: Transfer): News[] {
  if (!decision || before?.decision) return [];
  const { outcome, by, at, planHash } = decision;
  const facts = { outcome, name: by.name, shownPlanHash: planHash };
  return [{ at, kind: 'decision', by: by.userId, text: `Decision: ${outcome}.`, facts }];
}

function historyNews(before: Transfer | undefined, after: Transfer): News[] {
  const known = before?.history.at(-1)?.seq ?? 0;
  return after.history
    .filter(({ seq }) => seq > known)
    .map(({ at, by, text, status }) => ({
      at,
      kind: status ? 'state' : 'note',
      by,
      text,
      facts: factsOf(after, status),
    }));
}

const RIGHTS = { check: 'look at its files in', stream: 'read its files from' } as const;

function sessionNews(before: Transfer | undefined, after: Transfer, by: AuditWriter): News[] {
  const { bucket } = after.plan;
  const ticket = after.tickets.user.number;
  return (after.sessions ?? []).slice(before?.sessions?.length ?? 0).map(({ at, purpose }) => ({
    at,
    kind: 'session',
    by,
    text: `A session in the requester's name gave the right to ${RIGHTS[purpose]} ${bucket}.`,
    facts: {
      user: after.requester.userId,
      purpose,
      bucket,
      attempt: after.attempt,
      ticket: purpose === 'stream' ? ticket : undefined,
    },
  }));
}

function ticketNews(before: Transfer | undefined, after: Transfer, { at, by }: Write): News[] {
  return TICKET_KINDS.flatMap((kind) => {
    const known = before?.tickets[kind];
    const { sysId, number = '', closed } = after.tickets[kind];
    const news = (what: string): News => ({
      at,
      kind: 'ticket',
      by,
      text: `The ${kind} ticket ${number} is ${what}.`,
      facts: { ticket: kind, number },
    });
    return [
      ...(sysId !== undefined && sysId !== known?.sysId ? [news('open')] : []),
      ...(closed && !known?.closed ? [news('closed')] : []),
    ];
  });
}

/** Stands for the digest of a list that was never written. */
export const NOT_LISTED = 'not listed';

/** Another attempt begins before the files of the one that ended were listed: that is told, and lost in no silence. */
function unlistedNews(before: Transfer | undefined, after: Transfer, { at, by }: Write): News[] {
  if (!before || after.attempt === before.attempt || !filesUnlisted(before)) return [];
  const { attempt } = before;
  const text = `The files of attempt ${attempt} were not listed before attempt ${after.attempt} was asked for; the next list has what arrived in both.`;
  return [{ at, kind: 'files', by, text, facts: { attempt, digest: NOT_LISTED } }];
}

function filesNews(before: Transfer | undefined, after: Transfer, by: AuditWriter): News[] {
  const files = after.audit?.files;
  if (!files || files.digest === before?.audit?.files?.digest) return [];
  const { attempt, objects, arrived, digest, name } = files;
  const text = `${arrived} of ${objects} files arrived; each is listed in ${name}.`;
  const facts = { attempt, objects, arrived, digest, name };
  return [{ at: after.endedAt ?? after.createdAt, kind: 'files', by, text, facts }];
}

const withoutGaps = (facts: News['facts']): AuditEvent['facts'] =>
  facts &&
  Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/**
 * The record with the events that this write means, chained to those before. A record without a chain gets one
 * that begins with its whole history.
 */
export function withAudit(stored: Transfer | undefined, after: Transfer, write: Write): Transfer {
  const before = stored?.audit ? stored : undefined;
  const news = [
    ...decisionNews(before, after),
    ...historyNews(before, after),
    ...sessionNews(before, after, write.by),
    ...ticketNews(before, after, write),
    ...unlistedNews(before, after, write),
    ...filesNews(before, after, write.by),
  ];
  if (news.length === 0) return after;
  let { seq, hash } = after.audit ?? { seq: 0, hash: '' };
  const events = news.map(({ facts, ...said }): AuditEvent => {
    seq += 1;
    const kept = withoutGaps(facts);
    const event = { ...said, seq, planHash: after.planHash, ...(kept ? { facts: kept } : {}) };
    hash = auditHash(after.transferId, event, hash);
    return { ...event, hash };
  });
  const audit: Audit = { ...after.audit, seq, hash, pending: [...(after.audit?.pending ?? []), ...events] };
  return { ...after, audit };
}

/** Whether the list of files of an attempt that began to stream is still to be written. */
export function filesUnlisted({ audit, status, steps, attempt }: Transfer): boolean {
  return (
    audit !== undefined && isEnded(status) && steps.stream.attempts > 0 && audit.files?.attempt !== attempt
  );
}

/** Whether the audit bucket lacks something. */
export function auditBehind(transfer: Transfer): boolean {
  return (transfer.audit?.pending.length ?? 0) > 0 || filesUnlisted(transfer);
}
