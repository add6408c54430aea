import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ADMIN_POLICY,
  mayAssume,
  READ_ONLY_ROLE_POLICY,
  READ_ONLY_ROLE_TRUST,
} from '../infra/local/access-policy.ts';
import { type AccessKey, createKeyRing, LOCAL_ACCOUNT } from '../infra/local/key-ring.ts';
import type { LocalServer } from '../infra/local/listen.ts';
import { type LocalS3, startS3 } from '../infra/local/s3.ts';
import { startSts } from '../infra/local/sts.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { loseNextAnswer } from '../test/support/lost-answers.ts';
import { ana, eve, plannedObject, policy, proposal } from '../test/support/transfers.ts';
import { FerryError } from './errors.ts';
import { createS3Access, roleSessionName, type S3AccessOptions, type S3Grant } from './s3-credentials.ts';
import { createSessions } from './sessions.ts';
import { createDocumentClient } from './stores/client.ts';
import { createSessionStore, type SessionRecord } from './stores/session-store.ts';

const db = useDynamoDb();
const Bucket = 'finance-exports';
const roleArn = `arn:aws:iam::${LOCAL_ACCOUNT}:role/FileFerryReadOnlyRole`;
let clock = Date.now();
const keys = createKeyRing(() => clock);
const admin = keys.addUser('admin', ADMIN_POLICY);
const service = keys.addUser('fileferry', mayAssume(roleArn));
const folder = mkdtempSync(join(tmpdir(), 's3-access-'));
let s3: LocalS3;
let sts: LocalServer;

const plain = ({ accessKeyId, secretAccessKey }: AccessKey) => ({ accessKeyId, secretAccessKey });
const objects = [plannedObject(0), plannedObject(1)];
const [first = plannedObject(), second = plannedObject()] = objects;
const OTHER = 'salaries/2026.csv';
const SIBLING = 'reports/2026/Q3/file-99.csv';

beforeAll(async () => {
  s3 = await startS3({ folder, keys });
  sts = await startSts({
    keys,
    role: { arn: roleArn, externalId: 'ferry', policy: READ_ONLY_ROLE_POLICY, trust: READ_ONLY_ROLE_TRUST },
  });
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: plain(admin),
  });
  await client.send(new CreateBucketCommand({ Bucket }));
  for (const Key of [first.key, second.key, SIBLING, OTHER]) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}` }));
  }
  client.destroy();
});
afterAll(async () => {
  await Promise.all([s3.stop(), sts.stop()]);
  rmSync(folder, { recursive: true });
});

/** Every session that was opened, though none stays in the table. */
let opened: Omit<SessionRecord, 'expiresAt'>[];
beforeEach(() => {
  opened = [];
  clock = Date.now();
});

function access(changes: Partial<S3AccessOptions> = {}) {
  const sessions = createSessions({
    store: createSessionStore({ client: db.documents, tablePrefix: db.prefix }),
    now: () => clock,
  });
  return createS3Access({
    sts: new STSClient({
      endpoint: sts.endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: plain(service),
    }),
    sessions: {
      ...sessions,
      openSession: (holder) => {
        opened.push(holder);
        return sessions.openSession(holder);
      },
    },
    policy,
    role: { arn: roleArn, externalId: 'ferry' },
    s3: { region: 'us-east-1', endpoint: s3.endpoint, forcePathStyle: true },
    log: pino({ level: 'silent' }),
    now: () => clock,
    ...changes,
  });
}

const read = async ({ client }: S3Grant, Key: string) =>
  (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
const list = async ({ client }: S3Grant, Prefix?: string) =>
  (await client.send(new ListObjectsV2Command({ Bucket, Prefix }))).KeyCount;
const denied = { $metadata: expect.objectContaining({ httpStatusCode: 403 }) };

describe('forBrowse', () => {
  test('reaches what the policy lets this person see, for reading only', async () => {
    const grant = await access().forBrowse(ana, 'slack:C1/1.2', Bucket);
    expect(await list(grant, 'reports/')).toBe(3);
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    await expect(list(grant)).rejects.toMatchObject(denied);
    await expect(read(grant, OTHER)).rejects.toMatchObject(denied);
    const put = new PutObjectCommand({ Bucket, Key: first.key, Body: 'x' });
    await expect(grant.client.send(put)).rejects.toMatchObject(denied);
    expect(opened).toEqual([{ userId: ana.userId, purpose: 'browse', subject: 'slack:C1/1.2' }]);
  });

  test('opens nothing for somebody who may see nothing there', async () => {
    await expect(access().forBrowse(eve, 'turn', Bucket)).rejects.toMatchObject({ code: 'not_allowed' });
    await expect(access().forBrowse(ana, 'turn', 'other')).rejects.toMatchObject({ code: 'not_allowed' });
    expect(opened).toEqual([]);
  });
});

describe('forTransfer', () => {
  test("reaches the plan's keys in the requester's name, and leaves no session behind", async () => {
    const transfer = proposal({}, objects);
    const grant = await access().forTransfer(transfer);
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    expect(await read(grant, second.key)).toBe(`body of ${second.key}`);
    await expect(read(grant, SIBLING)).rejects.toMatchObject(denied);
    await expect(list(grant, 'reports/')).rejects.toMatchObject(denied);
    expect(opened).toEqual([
      { userId: ana.userId, purpose: 'transfer', attempt: 1, subject: transfer.transferId },
    ]);
    const { Count } = await db.documents.send(new ScanCommand({ TableName: `${db.prefix}ActiveSessions` }));
    expect(Count).toBe(0);
  });

  test('the role session tells which transfer and who', async () => {
    const transfer = proposal({}, objects);
    const { client } = await access().forTransfer(transfer);
    const { accessKeyId } = await client.config.credentials();
    expect(keys.find(accessKeyId)?.arn).toMatch(
      new RegExp(`/FileFerryReadOnlyRole/${transfer.transferId}@slack-T01FERRY-U01ANA$`),
    );
  });

  test('keys beyond those of the record, or its prefix, set the reach', async () => {
    const many = Array.from({ length: 7 }, (_, index) => plannedObject(index));
    const byKeys = await access().forTransfer(
      proposal({}, many),
      many.map(({ key }) => key),
    );
    expect(await read(byKeys, second.key)).toBe(`body of ${second.key}`);
    await expect(read(byKeys, SIBLING)).rejects.toMatchObject(denied);
    const transfer = proposal({}, many);
    const plan = { ...transfer.plan, selection: { kind: 'prefix', prefix: 'reports/' } } as const;
    const byPrefix = await access().forTransfer({ ...transfer, plan });
    expect(await read(byPrefix, SIBLING)).toBe(`body of ${SIBLING}`);
    await expect(read(byPrefix, OTHER)).rejects.toMatchObject(denied);
  });
});

describe('credentials', () => {
  test('serve many requests, and two minutes before their end come from a new session', async () => {
    const grant = await access({ renewMs: 900_000 }).forTransfer(proposal({}, objects));
    const start = clock;
    await Promise.all([read(grant, first.key), read(grant, second.key)]);
    clock = start + 779_000;
    await read(grant, first.key);
    expect(opened).toHaveLength(1);
    clock = start + 781_000;
    await Promise.all([read(grant, first.key), read(grant, second.key)]);
    expect(opened).toHaveLength(2);
  });

  test('come with every session from a fresh permission, whose refusal stops the reading', async () => {
    let refusal: FerryError | undefined;
    let asked = 0;
    const grant = await access({
      authorize: async () => {
        asked += 1;
        if (refusal) throw refusal;
        return 'INC0010001';
      },
    }).forTransfer(proposal({}, objects));
    const start = clock;
    expect(opened).toMatchObject([{ purpose: 'transfer', attempt: 1, ticket: 'INC0010001' }]);
    refusal = new FerryError('unavailable', { retryable: true, userMessage: 'ServiceNow does not answer.' });
    clock = start + 790_000;
    // An outage is no refusal while what we hold is good.
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    refusal = new FerryError('not_allowed', { userMessage: 'Ana may no longer request this.' });
    clock += 15_000;
    await expect(read(grant, first.key)).rejects.toMatchObject({ code: 'not_allowed' });
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(opened).toHaveLength(1);
  });

  test('carry who and what for as session tags', async () => {
    const sent: Record<string, unknown>[] = [];
    const client = new STSClient({
      endpoint: sts.endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: plain(service),
    });
    client.middlewareStack.add((next) => (args) => {
      sent.push(args.input as Record<string, unknown>);
      return next(args);
    });
    const transfer = proposal({}, objects);
    await access({ sts: client, role: { arn: roleArn, externalId: 'ferry' } }).forTransfer(transfer);
    expect(sent[0]?.Tags).toEqual([
      { Key: 'fileferry-user', Value: ana.userId },
      { Key: 'fileferry-subject', Value: transfer.transferId },
    ]);
  });

  test('to look at the files before there are tickets need no permission of a run', async () => {
    const grant = await access({
      authorize: async () => {
        throw new Error('not to be asked');
      },
    }).forCheck(proposal({}, objects));
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    expect(opened).toMatchObject([
      { purpose: 'browse', subject: expect.stringMatching(/^TRF-.*\/check\/1$/) },
    ]);
  });

  test('are asked for anew every five minutes of reading, and stop when that is refused', async () => {
    let refused: FerryError | undefined;
    const grant = await access({
      authorize: async () => {
        if (refused) throw refused;
        return 'INC0010001';
      },
    }).forTransfer(proposal({}, objects));
    clock += 299_999;
    await read(grant, first.key);
    expect(opened).toHaveLength(1);
    clock += 1;
    await read(grant, first.key);
    expect(opened).toHaveLength(2);

    // An outage of the ticket service is no refusal, and is not asked about at every read.
    refused = new FerryError('unavailable', { retryable: true, userMessage: 'ServiceNow is down.' });
    clock += 300_000;
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    refused = new FerryError('cancelled', { userMessage: 'Cancelled, as ticket INC0010001 was.' });
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    clock += 15_000;
    await expect(read(grant, first.key)).rejects.toMatchObject({ code: 'cancelled' });
    expect(opened).toHaveLength(2);
  });

  test('are asked for as often as the settings say', async () => {
    const grant = await access({ renewMs: 60_000, authorize: async () => 'INC1' }).forTransfer(
      proposal({}, objects),
    );
    clock += 60_000;
    await read(grant, first.key);
    expect(opened).toHaveLength(2);
  });

  test('are gone once the grant is closed', async () => {
    const grant = await access().forTransfer(proposal({}, objects));
    await read(grant, first.key);
    await grant.close();
    await expect(read(grant, first.key)).rejects.toMatchObject({ code: 'not_allowed' });
  });

  test('are not to be had in a session that lapsed on the way', async () => {
    const store = createSessionStore({ client: db.documents, tablePrefix: db.prefix });
    const sessions = createSessions({ store, now: () => clock });
    const late = access({
      sessions: {
        ...sessions,
        async openSession(holder) {
          const session = await sessions.openSession(holder);
          clock = session.expiresAt;
          return session;
        },
      },
      sts: new STSClient({
        endpoint: 'http://127.0.0.1:1',
        region: 'us-east-1',
        credentials: plain(service),
      }),
    });
    await expect(late.forTransfer(proposal({}, objects))).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
  });

  test('come from another session when the answer to the use of the first was lost', async () => {
    const client = createDocumentClient({ region: 'us-east-1', endpoint: db.endpoint });
    client.config.credentials = async () => ({ accessKeyId: 'local', secretAccessKey: 'local' });
    loseNextAnswer(client, 'DeleteItem');
    const store = createSessionStore({ client, tablePrefix: db.prefix });
    const sessions = createSessions({ store, now: () => clock });
    const tokens: string[] = [];
    let permissions = 0;
    const grant = await access({
      sessions: {
        ...sessions,
        async openSession(holder) {
          const session = await sessions.openSession(holder);
          tokens.push(session.token);
          return session;
        },
      },
      authorize: async () => {
        permissions += 1;
        return 'INC0010001';
      },
    }).forTransfer(proposal({}, objects));
    expect(await read(grant, first.key)).toBe(`body of ${first.key}`);
    expect(tokens).toHaveLength(2);
    expect(permissions).toBe(2);
    for (const token of tokens) {
      await expect(sessions.useSession(token)).rejects.toMatchObject({ code: 'not_allowed' });
    }
    client.destroy();
  });

  test.each([
    ['the wrong ExternalId', () => ({ role: { arn: roleArn, externalId: 'guessed' } }), 'not_allowed', false],
    [
      'an STS that is down',
      () => ({
        sts: new STSClient({
          endpoint: 'http://127.0.0.1:1',
          region: 'us-east-1',
          maxAttempts: 1,
          credentials: plain(service),
        }),
      }),
      'unavailable',
      true,
    ],
  ])('are refused with %s, and no secret is told', async (_what, changes, code, retryable) => {
    const error = await access(changes())
      .forTransfer(proposal({}, objects))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, retryable });
    expect(inspect(error, { depth: 9 })).not.toContain(service.secretAccessKey);
    expect(inspect(error, { depth: 9 })).not.toContain(service.accessKeyId);
  });
});

test('role session names fit what AssumeRole takes, whoever it is', () => {
  for (const userId of ['slack:T1:U1', `teams:${'x'.repeat(80)}:Ünïcode user`, '北:京:😀']) {
    for (const holder of [
      { userId, purpose: 'browse', subject: 'a turn' },
      { userId, purpose: 'transfer', subject: 'TRF-0123456789' },
    ] as const) {
      expect(roleSessionName(holder)).toMatch(/^[\w+=,.@-]{2,64}$/);
    }
  }
});
