import { setTimeout as delay } from 'node:timers/promises';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { createSessions } from './sessions.ts';
import { createSessionStore } from './stores/session-store.ts';

const db = useDynamoDb();
const ANA = { userId: 'slack:T01FERRY:U01ANA', purpose: 'browse', subject: 'slack:C1/1.2' } as const;

function setUp() {
  const clock = { now: 1_790_000_000_250 };
  const store = createSessionStore({ client: db.documents, tablePrefix: db.prefix });
  return { clock, store, sessions: createSessions({ store, now: () => clock.now }) };
}

test('a session is good for ten seconds, to the millisecond, though the item is still there', async () => {
  const { clock, sessions } = setUp();
  const { token, expiresAt } = await sessions.openSession(ANA);
  expect(expiresAt).toBe(clock.now + 10_000);
  clock.now = expiresAt - 1;
  expect(await sessions.checkSession(token)).toEqual({ ...ANA, expiresAt });
  clock.now = expiresAt;
  await expect(sessions.checkSession(token)).rejects.toMatchObject({ code: 'not_allowed' });
});

test('a closed session is refused at once, and may be closed again', async () => {
  const { sessions } = setUp();
  const { token } = await sessions.openSession(ANA);
  await sessions.closeSession(token);
  await sessions.closeSession(token);
  await expect(sessions.checkSession(token)).rejects.toMatchObject({ code: 'not_allowed' });
});

test('an unknown token is refused, and so is what the table shows', async () => {
  const { sessions, store } = setUp();
  await expect(sessions.checkSession('guessed')).rejects.toMatchObject({ code: 'not_allowed' });
  await store.put('a-hash', { ...ANA, expiresAt: 1_790_000_009_000 });
  await expect(sessions.checkSession('a-hash')).rejects.toMatchObject({ code: 'not_allowed' });
});

test('tokens are long, differ, and do not stand in the table', async () => {
  const { sessions } = setUp();
  const [one, other] = [await sessions.openSession(ANA), await sessions.openSession(ANA)];
  expect(one.token).not.toBe(other.token);
  expect(Buffer.from(one.token, 'base64url')).toHaveLength(32);
  const { Item } = await db.documents.send(
    new GetCommand({ TableName: `${db.prefix}ActiveSessions`, Key: { session_token: one.token } }),
  );
  expect(Item).toBeUndefined();
});

test('the item carries whole seconds for DynamoDB, never earlier than the end', async () => {
  const { store } = setUp();
  await store.put('seconds', { ...ANA, expiresAt: 1_790_000_010_250 });
  const { Item } = await db.documents.send(
    new GetCommand({ TableName: `${db.prefix}ActiveSessions`, Key: { session_token: 'seconds' } }),
  );
  expect(Item).toMatchObject({ expires_at: 1_790_000_011, expires_at_ms: 1_790_000_010_250 });
});

test('a session is used up by one use, also when ten come at once', async () => {
  const { sessions } = setUp();
  const { token } = await sessions.openSession(ANA);
  const uses = await Promise.allSettled(Array.from({ length: 10 }, () => sessions.useSession(token)));
  expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect(sessions.useSession(token)).rejects.toMatchObject({ code: 'not_allowed' });
});

test('a session can be used at 9.5 seconds and not at 10.5, though the item is still there', async () => {
  const { clock, sessions } = setUp();
  const [early, late] = [await sessions.openSession(ANA), await sessions.openSession(ANA)];
  clock.now += 9_500;
  expect(await sessions.useSession(early.token)).toMatchObject(ANA);
  clock.now += 1_000;
  await expect(sessions.useSession(late.token)).rejects.toMatchObject({ code: 'not_allowed' });
});

test('the same holds on the real clock', { timeout: 20_000 }, async () => {
  const { store } = setUp();
  const sessions = createSessions({ store, now: Date.now });
  const [early, late] = [await sessions.openSession(ANA), await sessions.openSession(ANA)];
  await delay(early.expiresAt - 500 - Date.now());
  expect(await sessions.useSession(early.token)).toMatchObject(ANA);
  await delay(late.expiresAt + 500 - Date.now());
  await expect(sessions.useSession(late.token)).rejects.toMatchObject({ code: 'not_allowed' });
});

test('a session of a transfer says which run and which ticket it is for', async () => {
  const { sessions } = setUp();
  const holder = {
    ...ANA,
    purpose: 'transfer',
    subject: 'TRF-0123456789',
    attempt: 2,
    ticket: 'INC0010001',
  } as const;
  const { token } = await sessions.openSession(holder);
  expect(await sessions.useSession(token)).toMatchObject(holder);
});

test('a sweep removes what lapsed and nothing else', async () => {
  const { clock, sessions } = setUp();
  const gone = await sessions.openSession(ANA);
  clock.now += 5_000;
  const kept = await sessions.openSession(ANA);
  clock.now += 5_000;
  const closed = await sessions.openSession(ANA);
  await sessions.closeSession(closed.token);
  expect(await sessions.sweep()).toBe(1);
  expect(await sessions.sweep()).toBe(0);
  await expect(sessions.checkSession(gone.token)).rejects.toMatchObject({ code: 'not_allowed' });
  expect(await sessions.checkSession(kept.token)).toMatchObject(ANA);
});
