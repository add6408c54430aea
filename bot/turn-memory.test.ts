import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createUserContextStore, type UserContextStore } from '../core/stores/user-context-store.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, NOON } from '../test/support/transfers.ts';
import { createTurnMemory } from './turn-memory.ts';

const db = useDynamoDb();
let contexts: UserContextStore;
beforeEach(async () => {
  contexts = createUserContextStore({ client: db.documents, tablePrefix: db.prefix, now: () => NOON });
  for (const { userId } of [ana, bob]) await contexts.forget(userId);
});

const exchange = {
  at: NOON,
  thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1.1' } as const,
  text: 'send it',
  reply: 'proposed TRF-0000000001',
};
const object = { bucket: 'finance-exports', key: 'q3.pdf' };

describe("a turn's memory", () => {
  it('knows at once what the turn spoke of, and writes it with the exchange', async () => {
    const append = vi.fn(contexts.append);
    const memory = createTurnMemory({ ...contexts, append });
    await memory.keep(ana, { object });
    await memory.keep(ana, { transferId: 'TRF-0000000001' });
    expect(await memory.recall(ana)).toEqual({ object, transferId: 'TRF-0000000001' });
    expect((await contexts.get(ana.userId)).focus).toEqual({});
    await memory.remember(ana, exchange);
    expect(append).toHaveBeenCalledTimes(1);
    const { focus, exchanges } = await contexts.get(ana.userId);
    expect({ focus, exchanges }).toEqual({
      focus: { object, transferId: 'TRF-0000000001' },
      exchanges: [exchange],
    });
  });

  it('keeps people apart', async () => {
    const memory = createTurnMemory(contexts);
    await memory.keep(ana, { object });
    expect(await memory.recall(bob)).toEqual({});
    await memory.remember(bob, exchange);
    expect((await contexts.get(bob.userId)).focus).toEqual({});
  });

  it('forgets what is not written yet, too', async () => {
    const memory = createTurnMemory(contexts);
    await memory.keep(ana, { object });
    await memory.forget(ana.userId);
    await memory.remember(ana, exchange);
    expect((await contexts.get(ana.userId)).focus).toEqual({});
  });
});
