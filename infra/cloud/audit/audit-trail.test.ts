import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuditOutbox } from '../../../core/audit-outbox.ts';
import { isSettled, wantedRoles } from '../../../core/due-work.ts';
import { type AuditBucket, createAuditBucket } from '../../../core/s3-audit.ts';
import { createObjectStore, type ObjectStore } from '../../../core/stores/object-store.ts';
import { createTransferStore, type TransferStore } from '../../../core/stores/transfer-store.ts';
import type { Transfer } from '../../../core/transfer.ts';
import { move, note } from '../../../core/transfer-state.ts';
import { useDynamoDb } from '../../../test/support/dynamodb.ts';
import { bob, NOON, plannedObject, proposal } from '../../../test/support/transfers.ts';
import { ADMIN_POLICY, servicePolicy } from '../../local/access-policy.ts';
import { type AccessKey, createKeyRing } from '../../local/key-ring.ts';
import { type LocalS3, startS3 } from '../../local/s3.ts';
import { readStory, renderStory } from './story.ts';

const BUCKET = 'fileferry-audit';
const dynamo = useDynamoDb();
const keys = createKeyRing();
let folder: string;
let server: LocalS3;
let admin: S3Client;
let bucket: AuditBucket;
let store: TransferStore;
let objects: ObjectStore;
let clock = NOON;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fileferry-audit-'));
  server = await startS3({ folder, keys });
  const place = { region: 'us-east-1', endpoint: server.endpoint, forcePathStyle: true };
  const as = ({ accessKeyId, secretAccessKey }: AccessKey) => ({
    credentials: { accessKeyId, secretAccessKey },
  });
  admin = new S3Client({ ...place, ...as(keys.addUser('admin', ADMIN_POLICY)) });
  await admin.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const service = keys.addUser('fileferry', servicePolicy('arn:aws:iam::000000000000:role/None', BUCKET));
  bucket = createAuditBucket({ bucket: BUCKET, ...place, ...as(service) });
  const options = { client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock };
  store = createTransferStore({ ...options, audit: 'worker' });
  objects = createObjectStore(options);
});
afterAll(async () => {
  bucket.close();
  admin.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const outbox = (to: AuditBucket | undefined = bucket) =>
  createAuditOutbox({
    store,
    objects,
    bucket: to,
    writer: 'worker',
    now: () => clock,
    log: pino({ level: 'silent' }),
  });
const current = async (id: string) => (await store.get(id)) as Transfer;
const namesOf = async (id: string) =>
  (
    (await admin.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `worker/${id}/` }))).Contents ?? []
  ).map(({ Key = '' }) => Key);
const storyOf = async (id: string, record?: Transfer) =>
  readStory({ s3: admin, bucket: BUCKET, transferId: id, record });
const replace = (Key: string, Body: string) =>
  admin.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));

/** Asked for by Ana, approved by Bob, streamed and done. */
async function walked(): Promise<string> {
  clock = NOON;
  const planned = plannedObject();
  const transfer = proposal({}, [planned]);
  const id = transfer.transferId;
  await objects.write(id, [planned]);
  await store.create(transfer);
  await outbox().bringIn(id);
  const entry = (by: string, text: string) => ({ at: clock, by, text });
  await store.change(id, (seen) => ({
    next: move(
      { ...seen, decision: { outcome: 'approved', by: bob, at: clock, planHash: seen.planHash } },
      'approved',
      entry(bob.userId, 'Approved by Bob.'),
    ),
    result: undefined,
  }));
  const done = { state: 'done', finalPath: planned.targetPath, crc32: 7, verified: 'size' } as const;
  await objects.setProgress(transfer, 0, done, 1);
  await store.change(id, (seen) => {
    const running = move(
      move(seen, 'queued', entry('bot', 'On the queue.')),
      'running',
      entry('worker', 'Taken.'),
    );
    const steps = { ...running.steps, stream: { attempts: 1 } };
    return {
      next: {
        ...move({ ...running, steps }, 'completed', entry('worker', 'Completed.')),
        verified: 'size',
        endedAt: clock,
      },
      result: undefined,
    };
  });
  await outbox().bringIn(id);
  await outbox().bringIn(id);
  return id;
}

describe('the audit trail', () => {
  it('tells the whole story after the record is gone: decision, states, files', async () => {
    const id = await walked();
    const record = await current(id);
    expect(record.audit?.pending).toEqual([]);
    const story = await storyOf(id, record);
    expect(story).toMatchObject({ record: 'agrees', faults: [] });
    expect(story.events.map(({ kind }) => kind)).toEqual([
      'state',
      'decision',
      'state',
      'state',
      'state',
      'state',
      'files',
    ]);
    expect(await storyOf(id)).toMatchObject({ record: 'gone', faults: [], events: story.events });
    expect(renderStory(story)).toContain('✓ every link of the hash chain holds');
    expect(story.events.at(-1)?.facts).toMatchObject({ objects: 1, arrived: 1, attempt: 1 });
  });

  it('shows a changed line, a removed object and a changed list of files', async () => {
    const id = await walked();
    const names = await namesOf(id);
    const list = names.find((name) => name.includes('/files-')) ?? '';
    await replace(list, 'other');
    expect((await storyOf(id)).faults).toEqual([`the list of files ${list} was changed`]);
    const [first = ''] = names;
    await admin.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: first }));
    expect((await storyOf(id)).faults).toContain('event 1 is missing');
    const forged = { ...(await storyOf(id)).events[0], text: 'Approved by Mallory.', transferId: id };
    const { from: _from, ...line } = forged as typeof forged & { from?: string };
    await replace(`worker/${id}/000001-000009-forged.jsonl`, `${JSON.stringify({ ...line, seq: 1 })}\n`);
    expect((await storyOf(id)).faults).toContain('event 1 was changed');
  });

  it('shows that the record was changed behind the chain, or that the last events are missing', async () => {
    const id = await walked();
    const record = await current(id);
    const history = record.history.map((entry) => ({ ...entry, by: 'slack:T01FERRY:U01ANA' }));
    expect(await storyOf(id, { ...record, history })).toMatchObject({ record: 'differs' });
    const last = (await namesOf(id)).filter((name) => !name.includes('/files-')).at(-1);
    await admin.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: last }));
    expect((await storyOf(id, record)).faults[0]).toMatch(/the record's chain ends with event 7/);
  });

  it('never writes over what is there', async () => {
    await bucket.put('worker/once', 'first');
    await bucket.put('worker/once', 'second');
    const { Body } = await admin.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'worker/once' }));
    expect(await Body?.transformToString()).toBe('first');
  });

  it('stays due while the bucket is away, without holding anything up, and is brought in later', async () => {
    clock = NOON;
    const transfer = proposal();
    const id = transfer.transferId;
    await store.create(transfer);
    const away: AuditBucket = { put: () => Promise.reject(new Error('no route')), close() {} };
    await outbox(away).bringIn(id);
    expect((await current(id)).audit?.pending).toHaveLength(1);
    expect(isSettled(await current(id))).toBe(false);
    await outbox().bringIn(id);
    expect((await storyOf(id, await current(id))).faults).toEqual([]);
    expect((await current(id)).audit?.pending).toEqual([]);
  });

  /** Ended in the midst of its files, of which only the record tells. */
  async function failedUnlisted(): Promise<string> {
    clock = NOON;
    const transfer = proposal({ status: 'running' });
    const id = transfer.transferId;
    await store.create(transfer);
    await store.change(id, (seen) => ({
      next: {
        ...move(seen, 'failed', { at: clock, by: 'worker', text: 'Failed.' }),
        steps: { ...seen.steps, stream: { attempts: 1 } },
        endedAt: clock,
      },
      result: undefined,
    }));
    return id;
  }

  it('has the events of a transfer whose files cannot be listed', async () => {
    const id = await failedUnlisted();
    await outbox().bringIn(id);
    const record = await current(id);
    expect(record.audit?.pending).toEqual([]);
    expect(record.audit?.files).toBeUndefined();
    expect((await storyOf(id, record)).events).toHaveLength(2);
  });

  it('tells that files were not listed before the next attempt', async () => {
    const id = await failedUnlisted();
    await store.change(id, (seen) => ({
      next: {
        ...move(seen, 'queued', { at: clock, by: bob.userId, text: 'Another try.' }),
        attempt: 2,
        endedAt: undefined,
      },
      result: undefined,
    }));
    clock += 20_000;
    await outbox().bringIn(id);
    const { events, faults } = await storyOf(id, await current(id));
    expect(faults).toEqual([]);
    expect(events.map(({ kind, facts }) => [kind, facts?.digest])).toContainEqual(['files', 'not listed']);
  });

  it('is looked for by nobody once auditing is switched off', async () => {
    clock = NOON;
    const unaudited = createTransferStore({
      client: dynamo.documents,
      tablePrefix: dynamo.prefix,
      now: () => clock,
    });
    const transfer = proposal({ status: 'running' });
    const id = transfer.transferId;
    await store.create(transfer);
    await store.change(id, (seen) => ({
      next: {
        ...move(seen, 'cancelled', { at: clock, by: 'worker', text: 'Cancelled.' }),
        tickets: {
          user: { sysId: 'a', notedThrough: 2, closed: true },
          audit: { sysId: 'b', notedThrough: 2, closed: true },
        },
        messages: wantedRoles({ ...seen, status: 'cancelled' }).map((role) => ({
          role,
          ref: { thread: seen.thread, messageId: role },
          shownThrough: 2,
        })),
      },
      result: undefined,
    }));
    clock += 20_000;
    expect(await unaudited.listDue(100)).toContain(id);
    await createAuditOutbox({
      store: unaudited,
      objects,
      bucket: undefined,
      writer: 'worker',
      now: () => clock,
      log: pino({ level: 'silent' }),
    }).bringIn(id);
    clock += 86_400_000;
    expect(await unaudited.listDue(100)).not.toContain(id);
    expect((await current(id)).audit?.pending).not.toEqual([]);
  });

  it('gathers events of a transfer that moves on, for a while', async () => {
    clock = NOON;
    const transfer = proposal({ status: 'running' });
    await store.create(transfer);
    const id = transfer.transferId;
    await store.change(id, (seen) => ({
      next: note(seen, { at: clock, by: 'worker', text: 'One more.' }),
      result: undefined,
    }));
    await outbox().bringIn(id);
    expect(await namesOf(id)).toEqual([]);
    clock += 20_000;
    await outbox().bringIn(id);
    expect(await namesOf(id)).toHaveLength(1);
  });
});
