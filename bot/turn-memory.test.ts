/** What turns spoke of, before and after it is written with the exchange. */
import { beforeAll, expect, it } from 'vitest';
import { createUserContextStore, type UserContextStore } from '../core/stores/user-context-store.ts';
import type { ThreadRef } from '../core/thread-ref.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, NOON } from '../test/support/transfers.ts';
import { createTurnMemory } from './turn-memory.ts';

const db = useDynamoDb();
const here: ThreadRef = { platform: 'slack', teamId: 'T1', channelId: 'C1', threadTs: '1.1' };
const there: ThreadRef = { ...here, threadTs: '2.2' };
const object = { bucket: 'finance-exports', key: 'a.csv' };
let contexts: UserContextStore;
beforeAll(() => {
  contexts = createUserContextStore({ client: db.documents, tablePrefix: db.prefix, now: () => NOON });
});
const exchange = (thread: ThreadRef, at = NOON) => ({ at, thread, text: 'hi', reply: 'hello' });
const focusIn = async (memory: ReturnType<typeof createTurnMemory>, thread: ThreadRef) =>
  (await memory.recall({ person: ana, thread })).focus;

it('is known at once in its thread, and to other processes with the exchange', async () => {
  const memory = createTurnMemory(contexts);
  const other = createTurnMemory(contexts);
  await memory.keep({ person: ana, thread: here }, { object });
  expect(await focusIn(memory, here)).toEqual({ object });
  expect(await focusIn(memory, there)).toEqual({});
  expect(await focusIn(other, here)).toEqual({});
  await memory.remember(ana, exchange(there));
  expect(await focusIn(other, here)).toEqual({});
  await memory.remember(ana, exchange(here));
  expect(await focusIn(other, here)).toEqual({ object });
  await memory.forget(ana.userId);
  expect(await focusIn(memory, here)).toEqual({});
});

it('holds a question open until the next exchange of its thread', async () => {
  const memory = createTurnMemory(contexts);
  const question = { at: NOON, for: 'request_transfer', missing: ['destination'] };
  await memory.keep({ person: ana, thread: here }, { question });
  await memory.remember(ana, exchange(here));
  await memory.remember(ana, exchange(there, NOON + 1));
  expect(await focusIn(memory, here)).toEqual({ question });
  await memory.remember(ana, exchange(here, NOON + 2));
  expect(await focusIn(memory, here)).toEqual({});
});
