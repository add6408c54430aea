/** Records and people for tests: a proposal of Ana's that Bob may decide on, changed as a test needs it. */
import { parsePolicy } from '../../core/config.ts';
import { transferIdFor } from '../../core/ids.ts';
import type { Person } from '../../core/person.ts';
import {
  hashPlan,
  objectsDigest,
  type PlannedObject,
  type Transfer,
  type TransferPlan,
} from '../../core/transfer.ts';

const account = (id: string, name: string): Person => ({
  userId: `slack:T01FERRY:${id}`,
  name,
  email: `${name.toLowerCase()}@example.com`,
  standing: 'member',
});

export const ana = account('U01ANA', 'Ana');
export const bob = account('U02BOB', 'Bob');
export const cleo = account('U03CLEO', 'Cleo');
/** A member of no group. */
export const eve = account('U09EVE', 'Eve');

export const policy = parsePolicy(`
groups:
  finance: ["${ana.userId}", "${cleo.userId}"]
  approvers: ["${bob.userId}", "${ana.userId}", "${cleo.userId}"]
buckets:
  finance-exports: {}
  marketing-assets: {}
destinations:
  acme-ftp: { host: 127.0.0.1, tls: none, user: ferry, password: "env:ACME_PASSWORD", folder: /incoming }
rules:
  - { request: [finance], from: [finance-exports/reports/], to: [acme-ftp], approve: [approvers] }
servicenow: { userGroup: File Transfers, auditGroup: Compliance }
`);

export const NOON = Date.UTC(2026, 10, 22, 12);

let made = 0;

export function plannedObject(index = 0, changes: Partial<PlannedObject> = {}): PlannedObject {
  return {
    index,
    key: `reports/2026/Q3/file-${index}.csv`,
    size: 1_000 + index,
    etag: `"etag-${index}"`,
    targetPath: `/incoming/file-${index}.csv`,
    ...changes,
  };
}

/** A fresh proposal by Ana, waiting for a decision. */
export function proposal(changes: Partial<Transfer> = {}, objects = [plannedObject()]): Transfer {
  made += 1;
  const digest = objectsDigest();
  for (const object of objects) digest.add(object);
  const plan: TransferPlan = {
    bucket: 'finance-exports',
    selection: { kind: 'keys' },
    destination: 'acme-ftp',
    existing: 'refuse',
    priority: 'normal',
    objectCount: objects.length,
    totalBytes: objects.reduce((sum, object) => sum + object.size, 0),
    objectsDigest: digest.hex(),
    preview: objects.slice(0, 5),
  };
  const step = { attempts: 0 };
  return {
    transferId: transferIdFor(`test turn ${made}`),
    version: 1,
    status: 'pending_approval',
    requester: ana,
    createdAt: NOON,
    thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1795348800.000100' },
    plan,
    planHash: hashPlan(plan),
    approvalExpiresAt: NOON + 24 * 3_600_000,
    tickets: { user: { notedThrough: 0, closed: false }, audit: { notedThrough: 0, closed: false } },
    steps: {
      validate: step,
      tickets: step,
      authorize: step,
      stream: step,
      'update tickets': step,
      notify: step,
    },
    attempt: 1,
    history: [{ seq: 1, at: NOON, status: 'pending_approval', by: ana.userId, text: 'Requested by Ana.' }],
    messages: [],
    learned: false,
    ...changes,
  };
}
