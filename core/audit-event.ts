/** Audit events: what one says, and the chain of hashes that shows whether one was changed, removed or put in. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';

const AUDIT_KINDS = ['state', 'note', 'decision', 'session', 'ticket', 'files'] as const;

const auditEventSchema = z.strictObject({
  /** From 1, without gaps. */
  seq: z.number().int().positive(),
  /** Epoch milliseconds. */
  at: z.number().int().nonnegative(),
  kind: z.enum(AUDIT_KINDS),
  /** `platform:tenant:user`, or the program that did it by itself. */
  by: z.string(),
  /** One sentence for the reader. */
  text: z.string(),
  /** Of the plan as it stood at that moment. */
  planHash: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  /** SHA-256 (hex) over the hash of the event before and everything above. */
  hash: z.string().length(64),
});
export type AuditEvent = z.infer<typeof auditEventSchema>;

/** What the record keeps: where its chain stands, and the events that the audit bucket does not have yet. */
export const auditSchema = z.strictObject({
  seq: z.number().int().nonnegative(),
  hash: z.string(),
  pending: z.array(auditEventSchema),
  /** The list of files of the attempt that ended last, an object of its own in the bucket. */
  files: z
    .strictObject({
      attempt: z.number().int().positive(),
      objects: z.number().int().nonnegative(),
      arrived: z.number().int().nonnegative(),
      /** SHA-256 (hex) of the object's bytes. */
      digest: z.string().length(64),
      /** Key in the bucket. */
      name: z.string(),
    })
    .optional(),
});
export type Audit = z.infer<typeof auditSchema>;

/** A line in the bucket. */
export const auditLineSchema = z.strictObject({ transferId: z.string(), ...auditEventSchema.shape });
export type AuditLine = z.infer<typeof auditLineSchema>;

/** @param previous hash of the event before; empty for the first */
export function auditHash(transferId: string, event: Omit<AuditEvent, 'hash'>, previous: string): string {
  const { seq, at, kind, by, text, planHash, facts } = event;
  const content = canonicalJson({ transferId, seq, at, kind, by, text, planHash, facts });
  return createHash('sha256').update(`${previous}\n${content}`).digest('hex');
}

/**
 * What is wrong with a story, one sentence for each fault; empty when every link holds.
 *
 * @param events of one transfer, by sequence number, each once
 */
export function chainFaults(transferId: string, events: readonly AuditEvent[]): string[] {
  const faults: string[] = [];
  let previous: AuditEvent | undefined;
  for (const event of events) {
    const expected = (previous?.seq ?? 0) + 1;
    if (event.seq !== expected) {
      const last = event.seq - 1;
      faults.push(
        last === expected ? `event ${last} is missing` : `events ${expected} to ${last} are missing`,
      );
    } else if (auditHash(transferId, event, previous?.hash ?? '') !== event.hash) {
      faults.push(
        expected === 1
          ? 'event 1 was changed'
          : `event ${expected} does not follow from event ${expected - 1}: one of them was changed`,
      );
    }
    previous = event;
  }
  return faults;
}
