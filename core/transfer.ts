/** What a transfer is: the record that proposal, approval, worker, tickets and cards all read. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { auditSchema } from './audit-event.ts';
import { canonicalJson } from './canonical-json.ts';
import { TRANSFER_ID } from './ids.ts';
import { personSchema } from './person.ts';
import { messageRefSchema, threadRefSchema } from './thread-ref.ts';

/** An instant in epoch milliseconds. Only DynamoDB's TTL attribute `expires_at` is in epoch seconds. */
const instant = z.number().int().nonnegative();
const bytes = z.number().int().nonnegative();

export const TRANSFER_STATUSES = [
  'pending_approval',
  'approved',
  'rejected',
  'expired',
  'queued',
  'running',
  'completed',
  'failed',
  'cancelled',
] as const;
const statusSchema = z.enum(TRANSFER_STATUSES);
export type TransferStatus = z.infer<typeof statusSchema>;

/** The six steps shown to people as a checklist, in order. */
export const STEP_NAMES = ['validate', 'tickets', 'authorize', 'stream', 'update tickets', 'notify'] as const;
export type StepName = (typeof STEP_NAMES)[number];

const stepSchema = z.strictObject({
  startedAt: instant.optional(),
  endedAt: instant.optional(),
  /** How often the step was begun, over all attempts. */
  attempts: z.number().int().nonnegative(),
});
export type Step = z.infer<typeof stepSchema>;

/** What the destination does when the final name is taken: `rename` puts ` (1)` before the extension. */
export const existingPolicySchema = z.enum(['refuse', 'overwrite', 'rename']);
export type ExistingPolicy = z.infer<typeof existingPolicySchema>;

/** One S3 object of a plan, pinned to the version that was seen when it was proposed. */
const plannedObjectSchema = z.strictObject({
  /** Position in the plan, from 0. */
  index: z.number().int().nonnegative(),
  key: z.string().min(1),
  size: bytes,
  /** Entity tag as S3 sent it, quotes included; sent back as `If-Match`. */
  etag: z.string().min(1),
  versionId: z.string().optional(),
  /** Absolute path on the FTP server, the destination's folder included. */
  targetPath: z.string().min(1),
});
export type PlannedObject = z.infer<typeof plannedObjectSchema>;

/** How far one object provably got on the FTP server. */
const checkpointSchema = z.strictObject({
  /** The temporary name that this upload wrote to. */
  tempPath: z.string(),
  /** Where a later upload is about to move it, or has moved it already. */
  movedTo: z.string().optional(),
  /** Files of earlier tries that the server did not let go, to be removed when the object is in its place. */
  left: z.array(z.string()).max(4).optional(),
  /** Bytes that were handed to the server in order. */
  bytes: bytes,
  /** CRC-32 (IEEE) of those bytes, unsigned; continue it with `zlib.crc32(data, previous)`. */
  crc32: z.number().int().nonnegative(),
  /** The same at a few places before: a server may hold less of the file than was handed to it. */
  earlier: z
    .array(z.strictObject({ bytes, crc32: z.number().int().nonnegative() }))
    .max(8)
    .optional(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

/**
 * One object's state on the way. `renaming` is written before the rename, so that a crash right after it is
 * told from a target that somebody else put there.
 */
const objectStateSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('pending') }),
  z.strictObject({ state: z.literal('uploading'), checkpoint: checkpointSchema }),
  z.strictObject({
    state: z.literal('renaming'),
    checkpoint: checkpointSchema,
    finalPath: z.string(),
    /** What was verified before the rename, in words. */
    verified: z.string().optional(),
  }),
  z.strictObject({
    state: z.literal('done'),
    finalPath: z.string(),
    crc32: z.number().int().nonnegative(),
    /** What was verified, in words: `size`, `size + CRC32 by server`. */
    verified: z.string(),
  }),
  z.strictObject({ state: z.literal('failed'), code: z.string(), message: z.string() }),
]);
export type ObjectState = z.infer<typeof objectStateSchema>;

export const transferObjectSchema = z.strictObject({
  ...plannedObjectSchema.shape,
  progress: objectStateSchema,
});
export type TransferObject = z.infer<typeof transferObjectSchema>;

/** What will be done if it is approved. The objects themselves are kept beside the record, in pages. */
const planSchema = z.strictObject({
  bucket: z.string().min(1),
  /** What the person asked for, in S3 terms; shown on cards and tickets. */
  selection: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('keys') }),
    z.strictObject({ kind: z.literal('prefix'), prefix: z.string() }),
    z.strictObject({ kind: z.literal('glob'), pattern: z.string() }),
  ]),
  /** A registered destination's name. */
  destination: z.string().min(1),
  existing: existingPolicySchema,
  priority: z.enum(['normal', 'high']),
  objectCount: z.number().int().positive(),
  totalBytes: bytes,
  /** SHA-256 (hex) over every planned object, in order: what pins a plan of any length. */
  objectsDigest: z.string().length(64),
  /** Which pages hold the objects; those of older records go by the digest. */
  pages: z
    .string()
    .regex(/^[0-9a-f]{24}$/)
    .optional(),
  /** The first objects, for cards and tickets. */
  preview: z.array(plannedObjectSchema).min(1).max(5),
});
export type TransferPlan = z.infer<typeof planSchema>;

const decisionSchema = z.strictObject({
  /** `withdrawn`: the requester took the request back before anybody decided. */
  outcome: z.enum(['approved', 'rejected', 'withdrawn']),
  by: personSchema,
  at: instant,
  planHash: z.string(),
});
export type Decision = z.infer<typeof decisionSchema>;

export const TICKET_KINDS = ['user', 'audit'] as const;
export type TicketKind = (typeof TICKET_KINDS)[number];

const ticketSchema = z.strictObject({
  /** ServiceNow's number, such as `INC0010001`; absent until it was created. */
  number: z.string().optional(),
  sysId: z.string().optional(),
  /** Sequence number of the last history entry that stands in the ticket as a work note; 0 for none. */
  notedThrough: z.number().int().nonnegative(),
  closed: z.boolean(),
});
export type Ticket = z.infer<typeof ticketSchema>;

/** One entry of the record's story: every state change and whatever else a reader should know. */
const historyEntrySchema = z.strictObject({
  /** From 1, without gaps. */
  seq: z.number().int().positive(),
  at: instant,
  /** The status entered, when the entry is a state change. */
  status: statusSchema.optional(),
  /** `platform:tenant:user` or `worker`/`bot`/`reconciler`. */
  by: z.string(),
  /** One sentence for tickets and the audit reader. */
  text: z.string(),
});
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

/** `approval`: the proposal card with buttons. `progress`: the one edited message. `outcome`: the last word. */
const MESSAGE_ROLES = ['approval', 'progress', 'outcome'] as const;
export type MessageRole = (typeof MESSAGE_ROLES)[number];

const postedMessageSchema = z.strictObject({
  role: z.enum(MESSAGE_ROLES),
  /** The attempt whose outcome it tells; only with `outcome`, the other messages go on through all attempts. */
  attempt: z.number().int().positive().optional(),
  ref: messageRefSchema,
  /** Sequence number of the history entry that the card last showed. */
  shownThrough: z.number().int().nonnegative(),
});
export type PostedMessage = z.infer<typeof postedMessageSchema>;

const leaseSchema = z.strictObject({
  /** Which worker process holds it. */
  owner: z.string(),
  /** Fencing token: grows with every lease of this transfer; a smaller one may no longer write. */
  token: z.number().int().positive(),
  /** When it lapses unless renewed; a released lease lapses at once. */
  expiresAt: instant,
});
export type Lease = z.infer<typeof leaseSchema>;

const failureSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  step: z.enum(STEP_NAMES),
  /** Reference id that the log has too, for unexpected errors. */
  reference: z.string().optional(),
});
export type Failure = z.infer<typeof failureSchema>;

export const transferSchema = z.strictObject({
  transferId: z.string().regex(TRANSFER_ID),
  /** Grows by one with every write; each write is conditional on it. */
  version: z.number().int().positive(),
  status: statusSchema,
  requester: personSchema,
  createdAt: instant,
  /** The thread in which it was asked for. */
  thread: threadRefSchema,
  plan: planSchema,
  /** Hash of `plan`; an approval counts only for the plan with this hash. */
  planHash: z.string(),
  /** What was expected when it was proposed, for the card; absent without any history. */
  forecast: z
    .strictObject({
      seconds: z.number(),
      lowSeconds: z.number(),
      highSeconds: z.number(),
      successRate: z.number(),
      /** Ends of the interval that the rate lies in with 90 %. */
      successLow: z.number().optional(),
      successHigh: z.number().optional(),
      /** Transfers of this size to this destination that it rests on; those to all where it has none. */
      samples: z.number(),
      /** Transfers of this size to other destinations that it leans on beside those. */
      elsewhere: z.number().optional(),
    })
    .optional(),
  approvalExpiresAt: instant,
  decision: decisionSchema.optional(),
  tickets: z.strictObject({ user: ticketSchema, audit: ticketSchema }),
  /** Why tickets are behind, while ServiceNow cannot be reached. */
  ticketsDelayed: z.strictObject({ since: instant, reason: z.string() }).optional(),
  steps: z.record(z.enum(STEP_NAMES), stepSchema),
  /** The sessions that its runs opened in the requester's name, oldest first: to look at the objects, to read them. */
  sessions: z.array(z.strictObject({ at: instant, purpose: z.enum(['check', 'stream']) })).optional(),
  /** Counts runs: 1 for the first, one more with each retry by a person. */
  attempt: z.number().int().positive(),
  lease: leaseSchema.optional(),
  progress: z
    .strictObject({
      objectsDone: z.number().int().nonnegative(),
      objectsFailed: z.number().int().nonnegative(),
      bytesDone: bytes,
      bytesPerSecond: z.number().nonnegative(),
      at: instant,
    })
    .optional(),
  /** Why the transfer pauses, for the card: who or what it waits for. */
  waiting: z
    .strictObject({
      reason: z.string(),
      since: instant,
      /** Of a run that was put off: when it is to be taken up again. */
      until: instant.optional(),
    })
    .optional(),
  /** Runs in a row of this attempt that a passing fault ended without more bytes having arrived than before. */
  brokenRuns: z.int().nonnegative().optional(),
  cancelRequested: z.strictObject({ by: personSchema, at: instant }).optional(),
  failure: failureSchema.optional(),
  /** What was verified at the end, in words. */
  verified: z.string().optional(),
  queuedAt: instant.optional(),
  startedAt: instant.optional(),
  endedAt: instant.optional(),
  history: z.array(historyEntrySchema).min(1),
  messages: z.array(postedMessageSchema),
  /** Who is bringing tickets and cards in step right now; a lock that lapses by itself. */
  settling: z.strictObject({ owner: z.string(), until: instant }).optional(),
  /** The chain of audit events; absent while nothing is audited. */
  audit: auditSchema.optional(),
  /** Whether the outcome was counted in AgentLearning; counted once. */
  learned: z.boolean(),
});
export type Transfer = z.infer<typeof transferSchema>;

/** Hash of a plan, carried by the approval buttons: SHA-256, first 32 hex digits. */
export function hashPlan(plan: TransferPlan): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex').slice(0, 32);
}

/** Digest over a plan's objects, fed one by one so that ten thousand need no list in memory. */
export function objectsDigest(): { add(object: PlannedObject): void; hex(): string } {
  const hash = createHash('sha256');
  return {
    add: (object) => void hash.update(`${canonicalJson(object)}\n`),
    hex: () => hash.digest('hex'),
  };
}
