import { pino } from 'pino';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { isSettled, wantedRoles } from '../core/due-work.ts';
import { createTransferStore, type TransferStore } from '../core/stores/transfer-store.ts';
import type { PostedMessage, Transfer } from '../core/transfer.ts';
import { isEnded, lastSeq, move, note } from '../core/transfer-state.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { bob, NOON, proposal } from '../test/support/transfers.ts';
import { createSettler, type SyncCards, type SyncTickets } from './settle.ts';

const dynamo = useDynamoDb();
let clock = NOON;
let store: TransferStore;
beforeAll(() => {
  store = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
});

const syncedTickets: SyncTickets = async (transfer) => {
  const closed = isEnded(transfer.status);
  const ticket = { sysId: 'a', number: 'INC0010001', notedThrough: lastSeq(transfer), closed };
  return { tickets: { user: ticket, audit: ticket } };
};
const syncedCards: SyncCards = async (transfer) => ({
  unsure: false,
  thread: transfer.thread,
  messages: wantedRoles(transfer).map(
    (role): PostedMessage => ({
      role,
      ref: { thread: transfer.thread, messageId: role },
      shownThrough: lastSeq(transfer),
    }),
  ),
});

function settler(
  parts: {
    tickets?: SyncTickets;
    cards?: SyncCards;
    lockMs?: number;
    roundMs?: number;
    in?: TransferStore;
  } = {},
) {
  return createSettler({
    store: parts.in ?? store,
    syncTickets: parts.tickets ?? syncedTickets,
    syncCards: parts.cards ?? syncedCards,
    lockMs: parts.lockMs ?? 60_000,
    ...(parts.roundMs === undefined ? {} : { roundMs: parts.roundMs }),
    now: () => clock,
    log: pino({ level: 'silent' }),
  });
}

async function given(): Promise<string> {
  clock = NOON;
  const transfer = proposal();
  await store.create(transfer);
  return transfer.transferId;
}

const current = async (id: string) => (await store.get(id)) as Transfer;

/** It settles what is left, and is told that somebody was at it before. */
async function expectSettledByNextLook(id: string): Promise<void> {
  const seen: boolean[] = [];
  await settler({
    cards: async (transfer, again) => {
      seen.push(again);
      return syncedCards(transfer, again);
    },
  }).settle(id);
  expect(seen).toEqual([true]);
  expect(isSettled(await current(id))).toBe(true);
}

describe('settling', () => {
  it('brings tickets and cards in step and gives the lock back', async () => {
    const id = await given();
    await settler().settle(id);
    const transfer = await current(id);
    expect(isSettled(transfer)).toBe(true);
    expect(transfer.settling).toBeUndefined();
    expect(transfer.messages).toHaveLength(1);
  });

  it('needs no write for a lock that was taken ahead', async () => {
    clock = NOON;
    const one = settler();
    const transfer = proposal();
    await store.create(one.ahead(transfer));
    expect((await current(transfer.transferId)).settling).toBeDefined();
    await one.settle(transfer.transferId);
    const settled = await current(transfer.transferId);
    expect(settled).toMatchObject({ version: 2 });
    expect(settled.settling).toBeUndefined();
    expect(isSettled(settled)).toBe(true);
  });

  it('looks before it posts when the process died that took the lock ahead', async () => {
    clock = NOON;
    const transfer = proposal();
    await store.create(settler().ahead(transfer));
    const looked: boolean[] = [];
    const cards: SyncCards = async (seen, again) => {
      looked.push(again);
      return syncedCards(seen, again);
    };
    const other = settler({ cards });
    await other.settle(transfer.transferId);
    expect(looked).toEqual([]);
    clock += 60_001;
    await other.settle(transfer.transferId);
    expect(looked).toEqual([true]);
  });

  it('takes no lock ahead of one that is held, or that lapsed unseen', async () => {
    const settling = { owner: 'bot-1', until: NOON - 1 };
    expect(settler().ahead(proposal({ settling })).settling).toEqual(settling);
  });

  it('uses a lock that was taken ahead once', async () => {
    clock = NOON;
    const transfer = proposal();
    const looked: boolean[] = [];
    const cards: SyncCards = async (_seen, again) => {
      looked.push(again);
      throw new Error('Slack is away');
    };
    const one = createSettler({
      store,
      syncTickets: syncedTickets,
      syncCards: cards,
      lockMs: 60_000,
      now: () => clock,
      log: pino({ level: 'silent' }),
    });
    await store.create(one.ahead(transfer));
    await one.settle(transfer.transferId);
    await one.settle(transfer.transferId);
    expect(looked).toEqual([false, true]);
  });

  it('goes on without a write when the record went on meanwhile', async () => {
    const id = await given();
    let rounds = 0;
    const cards: SyncCards = async (seen, again) => {
      rounds += 1;
      if (rounds === 1) {
        const entry = { at: NOON, by: 'worker', text: 'Went on.' };
        await store.change(id, (now) => ({ next: note(now, entry), result: undefined }));
      }
      return syncedCards(seen, again);
    };
    await settler({ cards }).settle(id);
    const settled = await current(id);
    expect(rounds).toBe(2);
    expect(isSettled(settled)).toBe(true);
    // Created, locked, went on, settled.
    expect(settled.version).toBe(4);
  });

  it('writes nothing when nothing is behind', async () => {
    const id = await given();
    await settler().settle(id);
    const { version } = await current(id);
    await settler().settle(id);
    expect((await current(id)).version).toBe(version);
  });

  it('is done by one process at a time', async () => {
    const id = await given();
    let inside = 0;
    let most = 0;
    let posts = 0;
    const cards: SyncCards = async (transfer, again) => {
      inside += 1;
      most = Math.max(most, inside);
      posts += 1;
      await new Promise(setImmediate);
      inside -= 1;
      return syncedCards(transfer, again);
    };
    await Promise.all(Array.from({ length: 8 }, () => settler({ cards }).settle(id)));
    expect({ most, posts }).toEqual({ most: 1, posts: 1 });
  });

  it('goes on for what happened while it was at it', async () => {
    const id = await given();
    let rounds = 0;
    const cards: SyncCards = async (transfer, again) => {
      rounds += 1;
      if (rounds === 1) {
        await store.change(id, (it) => ({
          next: {
            ...move(it, 'approved', { at: clock, by: bob.userId, text: 'Approved.' }),
            decision: { outcome: 'approved', by: bob, at: clock, planHash: it.planHash },
          },
          result: undefined,
        }));
      }
      return syncedCards(transfer, again);
    };
    await settler({ cards }).settle(id);
    const transfer = await current(id);
    expect(transfer.status).toBe('approved');
    expect(isSettled(transfer)).toBe(true);
  });

  it('keeps what an outage left behind due, and finishes it later', async () => {
    const id = await given();
    const down: SyncTickets = async (transfer) => ({
      tickets: transfer.tickets,
      ticketsDelayed: { since: clock, reason: 'ServiceNow cannot be reached' },
    });
    await settler({ tickets: down }).settle(id);
    const delayed = await current(id);
    expect(delayed).toMatchObject({ ticketsDelayed: { since: NOON }, messages: [{ role: 'approval' }] });
    expect(isSettled(delayed)).toBe(false);
    clock += 60_000;
    expect(await store.listDue(10)).toContain(id);
    await settler().settle(id);
    expect(await current(id)).not.toHaveProperty('ticketsDelayed', expect.anything());
    expect(isSettled(await current(id))).toBe(true);
  });

  it('keeps its lock for as long as ServiceNow or the platform takes', async () => {
    const id = await given();
    let rounds = 0;
    const slow: SyncTickets = async (transfer) => {
      rounds += 1;
      clock += 200;
      await vi.waitFor(async () => expect((await current(id)).settling?.until).toBe(clock + 300));
      clock += 200;
      await settler({ tickets: slow }).settle(id);
      return syncedTickets(transfer);
    };
    await settler({ tickets: slow, lockMs: 300 }).settle(id);
    expect(rounds).toBe(1);
    expect(isSettled(await current(id))).toBe(true);
  });

  it('lets another process look for what one that died may have posted', async () => {
    const id = await given();
    await store.change(id, (it) => ({
      next: { ...it, settling: { owner: 'dead', until: clock + 60_000 } },
      result: undefined,
    }));
    const seen: boolean[] = [];
    const cards: SyncCards = async (transfer, again) => {
      seen.push(again);
      return syncedCards(transfer, again);
    };
    await settler({ cards }).settle(id);
    expect(seen).toEqual([]);
    clock += 60_001;
    await settler({ cards }).settle(id);
    expect(seen).toEqual([true]);
  });

  it('never throws, and leaves the record due, when the chat platform fails', async () => {
    const id = await given();
    const cards: SyncCards = async () => {
      throw new Error('Slack is down');
    };
    await settler({ cards }).settle(id);
    clock += 20_001;
    expect(await store.listDue(10)).toContain(id);
    await expectSettledByNextLook(id);
  });

  it('gives up a call that never settles, so that the next look may go on', async () => {
    const id = await given();
    const stuck = settler({ cards: () => new Promise(() => {}), roundMs: 50 });
    await stuck.settle(id);
    expect((await current(id)).settling?.until).toBeLessThanOrEqual(clock);
    await expectSettledByNextLook(id);
    await stuck.idle();
  });

  it('does not write down what comes after it was given up', async () => {
    const id = await given();
    const late = Promise.withResolvers<void>();
    let changes = 0;
    const counted: TransferStore = {
      ...store,
      change: async (...asked) => {
        const answer = await store.change(...asked);
        changes += 1;
        return answer;
      },
    };
    const cards: SyncCards = async (transfer, again) => {
      await late.promise;
      return { ...(await syncedCards(transfer, again)), messages: [] };
    };
    await settler({ cards, roundMs: 50, in: counted }).settle(id);
    await settler().settle(id);
    const { version } = await current(id);
    const before = changes;
    late.resolve();
    await vi.waitFor(() => expect(changes).toBe(before + 1));
    expect(await current(id)).toMatchObject({ version, messages: [{ role: 'approval' }] });
  });

  it('does not have anybody wait for the audit bucket, but at the end', async () => {
    const id = await given();
    const bucket = Promise.withResolvers<void>();
    const brought: string[] = [];
    const audited = createSettler({
      store,
      syncTickets: syncedTickets,
      syncCards: syncedCards,
      syncAudit: async (transferId) => {
        await bucket.promise;
        brought.push(transferId);
      },
      lockMs: 60_000,
      now: () => clock,
      log: pino({ level: 'silent' }),
    });
    for (let times = 0; times < 4; times += 1) await audited.settle(id);
    expect(isSettled(await current(id))).toBe(true);
    expect(brought).toEqual([]);
    bucket.resolve();
    await audited.idle();
    // Once for the first, and once for all that came while it was at it.
    expect(brought).toEqual([id, id]);
  });

  it('does not lose a note that was written after the last look', async () => {
    const id = await given();
    await settler().settle(id);
    await store.change(id, (it) => ({
      next: note(it, { at: clock, by: 'worker', text: 'More.' }),
      result: undefined,
    }));
    await settler().settle(id);
    expect(isSettled(await current(id))).toBe(true);
  });
});
