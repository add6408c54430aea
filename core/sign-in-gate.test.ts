/** Reading S3 with a person's own sign-in: bot and worker, a fake Identity Center and a real S3 over sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ADMIN_POLICY, READ_ONLY_ROLE_POLICY } from '../infra/local/access-policy.ts';
import { createKeyRing, LOCAL_ACCOUNT } from '../infra/local/key-ring.ts';
import { type LocalS3, startS3 } from '../infra/local/s3.ts';
import { type FakeIdentityCenter, startIdentityCenter } from '../test/fakes/identity-center.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, plannedObject, policy, proposal } from '../test/support/transfers.ts';
import { createIdentityCenter, createIdentityCenterClients, type SignIn } from './identity-center.ts';
import { createS3Access, type S3Access } from './s3-credentials.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSignInGate, type SignInGateOptions } from './sign-in-gate.ts';
import { createSessionStore, type SessionRecord } from './stores/session-store.ts';

const db = useDynamoDb();
const Bucket = 'finance-exports';
const object = plannedObject(0);
const log = pino({ level: 'silent' });
const folder = mkdtempSync(join(tmpdir(), 'sign-in-'));
let clock = Date.now();
const now = () => clock;
const keys = createKeyRing(now);
let s3: LocalS3;
let fake: FakeIdentityCenter;
let access: S3Access | undefined;
/** Sign-ins that were shown, and people who were told to ask again. */
let shown: { userId: string; signIn: SignIn }[];
let told: string[];
let opened: Omit<SessionRecord, 'expiresAt'>[];

beforeAll(async () => {
  s3 = await startS3({ folder, keys });
  const { accessKeyId, secretAccessKey } = keys.addUser('admin', ADMIN_POLICY);
  const admin = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await admin.send(new CreateBucketCommand({ Bucket }));
  await admin.send(new PutObjectCommand({ Bucket, Key: object.key, Body: 'body' }));
  admin.destroy();
});
afterAll(async () => {
  await s3.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  clock = Date.now();
  shown = [];
  told = [];
  opened = [];
  fake = await startIdentityCenter({
    keys,
    startUrl: 'https://ferry.awsapps.com/start',
    accountId: LOCAL_ACCOUNT,
    roleName: 'FileFerryReadOnly',
    policy: READ_ONLY_ROLE_POLICY,
    now,
  });
});
afterEach(async () => {
  access?.close();
  await fake.stop();
});

/** Lets the program ask again once somebody has decided; until then it waits. */
let decided: PromiseWithResolvers<void>;
function signInWith(
  meanwhile: SignInGateOptions['meanwhile'],
  change: (sessions: Sessions) => Partial<Sessions> = () => ({}),
): S3Access {
  decided = Promise.withResolvers<void>();
  const center = createIdentityCenter({
    ...createIdentityCenterClients({
      region: 'us-east-1',
      oidcEndpoint: fake.endpoint,
      ssoEndpoint: fake.endpoint,
    }),
    startUrl: 'https://ferry.awsapps.com/start',
    accountId: LOCAL_ACCOUNT,
    roleName: 'FileFerryReadOnly',
    now,
    async pause(ms) {
      await decided.promise;
      clock += ms;
    },
    log,
  });
  const sessions = createSessions({
    store: createSessionStore({ client: db.documents, tablePrefix: db.prefix }),
    now,
  });
  access = createS3Access({
    // Nobody may ask STS.
    sts: new STSClient({ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', maxAttempts: 1 }),
    sessions: {
      ...sessions,
      openSession: (holder) => {
        opened.push(holder);
        return sessions.openSession(holder);
      },
      ...change(sessions),
    },
    policy,
    role: { arn: `arn:aws:iam::${LOCAL_ACCOUNT}:role/FileFerryReadOnlyRole` },
    s3: { region: 'us-east-1', endpoint: s3.endpoint, forcePathStyle: true },
    personal: createSignInGate({
      center,
      prompt: async (userId, signIn) => void shown.push({ userId, signIn }),
      meanwhile,
      log,
    }),
    authorize: async () => 'INC0010001',
    log,
    now,
  });
  return access;
}
const read = async ({ client }: { client: S3Client }) =>
  (await client.send(new GetObjectCommand({ Bucket, Key: object.key }))).Body?.transformToString();
const decide = (outcome: 'allowed' | 'denied') => {
  fake.decide(shown.at(-1)?.signIn.code ?? '', outcome);
  decided.resolve();
};

it('shows the link to the person once, ends the turn, and tells them when to ask again', async () => {
  const again = Promise.withResolvers<void>();
  const bot = signInWith({
    askAgain: async (userId) => {
      told.push(userId);
      again.resolve();
    },
  });
  for (const turn of ['one', 'two']) {
    await expect(bot.forBrowse(ana, turn, Bucket)).rejects.toMatchObject({
      code: 'not_allowed',
      userMessage: expect.stringContaining('sign in to AWS'),
    });
  }
  expect(shown.map(({ userId }) => userId)).toEqual([ana.userId]);
  expect(opened).toEqual([]);
  decide('allowed');
  await again.promise;
  expect(told).toEqual([ana.userId]);
  expect(await read(await bot.forBrowse(ana, 'three', Bucket))).toBe('body');
  expect(opened).toMatchObject([{ purpose: 'browse', userId: ana.userId, subject: 'three' }]);
});

it('holds the transfer until the requester has signed in, and only then opens a session', async () => {
  const worker = signInWith('wait');
  const granting = worker.forTransfer(proposal({}, [object]));
  while (shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(opened).toEqual([]);
  decide('allowed');
  const grant = await granting;
  expect(await read(grant)).toBe('body');
  expect(opened).toMatchObject([{ purpose: 'transfer', ticket: 'INC0010001' }]);
});

it('asks to sign in again for the next session once the token has ended', async () => {
  const worker = signInWith('wait');
  const granting = worker.forTransfer(proposal({}, [object]));
  while (shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  decide('allowed');
  const grant = await granting;
  fake.signOutAll();
  clock += 300_000;
  await expect(read(grant)).rejects.toMatchObject({ code: 'not_allowed' });
  decided = Promise.withResolvers<void>();
  const next = read(grant);
  while (shown.length === 1) await new Promise((resolve) => setImmediate(resolve));
  decide('allowed');
  expect(await next).toBe('body');
});

it('says that nobody signed in, when they refused', async () => {
  const worker = signInWith('wait');
  const granting = worker.forTransfer(proposal({}, [object]));
  granting.catch(() => {});
  while (shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  decide('denied');
  await expect(granting).rejects.toMatchObject({
    code: 'not_allowed',
    userMessage: expect.stringContaining('Retry'),
  });
});

it('waits no longer than the run does', async () => {
  const worker = signInWith('wait');
  const stop = new AbortController();
  const granting = worker.forTransfer(proposal({}, [object]), undefined, stop.signal);
  granting.catch(() => {});
  while (shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await expect(granting).rejects.toMatchObject({ code: 'cancelled' });
  decided.resolve();
});

it('gives no credentials within a session that has lapsed', async () => {
  const worker = signInWith('wait', (sessions) => ({
    async openSession(holder) {
      const session = await sessions.openSession(holder);
      clock = session.expiresAt;
      return session;
    },
  }));
  const granting = worker.forTransfer(proposal({}, [object]));
  granting.catch(() => {});
  while (shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  decide('allowed');
  await expect(granting).rejects.toMatchObject({ code: 'unavailable' });
  expect(fake.calls).not.toContain('/federation/credentials');
});
