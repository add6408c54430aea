import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { NOON } from '../../test/support/transfers.ts';
import { createUserContextStore, type Exchange, type UserContextStore } from './user-context-store.ts';

const DAY = 86_400_000;
const dynamo = useDynamoDb();
let clock = NOON;
let store: UserContextStore;
let user: string;
let made = 0;

beforeAll(() => {
  store = createUserContextStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
});
beforeEach(() => {
  clock = NOON;
  made += 1;
  user = `slack:T01FERRY:U${made}`;
});

const exchange = (n: number, changes: Partial<Exchange> = {}): Exchange => ({
  at: NOON + n,
  thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS' },
  text: `question ${n}`,
  reply: `answer ${n}`,
  ...changes,
});
const texts = async () => (await store.get(user)).exchanges.map(({ text }) => text);

describe('exchanges', () => {
  it('are kept in order, the last ten of them', async () => {
    for (let n = 1; n <= 12; n += 1) await store.append(user, exchange(n));
    expect(await texts()).toEqual(Array.from({ length: 10 }, (_, n) => `question ${n + 3}`));
  });

  it('that come at once do not lose each other', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, n) => store.append(user, exchange(n))));
    expect(await texts()).toEqual(Array.from({ length: 10 }, (_, n) => `question ${n}`));
  });

  it('are bounded, also in the middle of an emoji', async () => {
    const long = '😀'.repeat(40_000);
    for (let n = 0; n < 10; n += 1) await store.append(user, exchange(n, { text: `x${long}`, reply: long }));
    const context = await store.get(user);
    expect(Buffer.byteLength(JSON.stringify(context))).toBeLessThan(100_000);
    expect(context.exchanges.every(({ text, reply }) => text.isWellFormed() && reply.length === 1_000)).toBe(
      true,
    );
  });

  it('are gone after 30 days of silence, and each new one begins the 30 days anew', async () => {
    await store.append(user, exchange(1));
    clock += 29 * DAY;
    await store.append(user, exchange(2));
    clock += 29 * DAY;
    expect(await texts()).toEqual(['question 1', 'question 2']);
    clock += DAY;
    expect(await texts()).toEqual([]);
    await store.append(user, exchange(3));
    expect(await texts()).toEqual(['question 3']);
  });

  it('are one person’s alone', async () => {
    await store.append(user, exchange(1));
    expect(await store.get(`${user}x`)).toEqual({ exchanges: [], preferences: {}, foci: [] });
  });
});

describe('preferences', () => {
  it('are set, changed and removed beside the exchanges', async () => {
    await store.append(user, exchange(1));
    await store.prefer(user, 'destination', 'acme-ftp');
    await store.prefer(user, 'bucket', 'finance-exports');
    await store.prefer(user, 'destination', 'other-ftp');
    expect(await store.get(user)).toMatchObject({
      exchanges: [{ text: 'question 1' }],
      preferences: { bucket: 'finance-exports', destination: 'other-ftp' },
    });
    await store.prefer(user, 'bucket', undefined);
    expect((await store.get(user)).preferences).toEqual({ destination: 'other-ftp' });
  });

  it('are bounded in number and length', async () => {
    for (let n = 0; n < 30; n += 1) await store.prefer(user, `name ${n}`, 'value');
    await expect(store.prefer(user, 'one more', 'value')).rejects.toMatchObject({ code: 'bad_input' });
    await store.prefer(user, 'name 0', 'another value');
    await expect(store.prefer(user, 'name 0', 'v'.repeat(501))).rejects.toMatchObject({ code: 'bad_input' });
    await expect(store.prefer(user, 'n'.repeat(51), 'v')).rejects.toMatchObject({ code: 'bad_input' });
  });
});

it('forgets a person altogether', async () => {
  await store.append(user, exchange(1));
  await store.prefer(user, 'destination', 'acme-ftp');
  await store.forget(user);
  expect(await store.get(user)).toEqual({ exchanges: [], preferences: {}, foci: [] });
  await store.append(user, exchange(2));
  expect(await texts()).toEqual(['question 2']);
});
