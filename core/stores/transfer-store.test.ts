import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { damage, useDynamoDb } from '../../test/support/dynamodb.ts';
import { loseNextAnswer } from '../../test/support/lost-answers.ts';
import { ana, bob, cleo, NOON, proposal } from '../../test/support/transfers.ts';
import { wantedRoles } from '../due-work.ts';
import { FerryError } from '../errors.ts';
import { TICKET_KINDS, type Transfer } from '../transfer.ts';
import { isEnded, lastSeq, move, note } from '../transfer-state.ts';
import { createDocumentClient } from './client.ts';
import { createTransferStore, type TransferStore } from './transfer-store.ts';

const DAY = 86_400_000;
const dynamo = useDynamoDb();
let clock = NOON;
let store: TransferStore;

/** As another process has it. */
const anotherStore = () =>
  createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });

beforeAll(() => {
  store = anotherStore();
});
beforeEach(() => {
  clock = NOON;
});

async function stored(changes: Partial<Transfer> = {}): Promise<Transfer> {
  const transfer = proposal(changes);
  expect(await store.create(transfer)).toBe('created');
  return transfer;
}

const approve = (current: Transfer, by: string) =>
  move(current, 'approved', { at: NOON, by, text: 'Approved.' });

/** Everybody knows how it ended. */
function settle(transfer: Transfer): Transfer {
  const seq = lastSeq(transfer);
  const ticket = (sysId: string) => ({ sysId, notedThrough: seq, closed: isEnded(transfer.status) });
  return {
    ...transfer,
    learned: true,
    tickets: { user: ticket(TICKET_KINDS[0]), audit: ticket(TICKET_KINDS[1]) },
    messages: wantedRoles(transfer).map((role) => ({
      role,
      ref: { thread: transfer.thread, messageId: role },
      shownThrough: seq,
    })),
  };
}

describe('a record', () => {
  it('comes back as it was stored', async () => {
    const transfer = await stored({
      forecast: { seconds: 1.5, lowSeconds: 1, highSeconds: 2, successRate: 0.9, samples: 7 },
    });
    expect(await store.get(transfer.transferId)).toEqual(transfer);
  });

  it('says where a message is only when that is not its own thread, and comes back whole', async () => {
    const transfer = proposal();
    const { thread } = transfer;
    if (thread.platform !== 'slack') throw new Error('a proposal of these tests is in Slack');
    const elsewhere = { ...thread, channelId: 'C02AUDIT' };
    const messages = [thread, elsewhere].map((where) => ({
      role: 'approval' as const,
      ref: { thread: where, messageId: '1' },
      shownThrough: 1,
    }));
    await store.create({ ...transfer, messages });
    const { Item } = await dynamo.documents.send(
      new GetCommand({
        TableName: `${dynamo.prefix}TransferRequests`,
        Key: { transfer_id: transfer.transferId },
      }),
    );
    expect(Item?.messages.map(({ ref }: { ref: object }) => ref)).toEqual([
      { messageId: '1' },
      { thread: elsewhere, messageId: '1' },
    ]);
    expect((await store.get(transfer.transferId))?.messages).toEqual(messages);
  });

  it('is created once', async () => {
    const transfer = await stored();
    expect(await store.create({ ...transfer, requester: cleo })).toBe('exists');
    expect((await store.get(transfer.transferId))?.requester).toEqual(ana);
  });

  it('is gone after 90 days, although DynamoDB has not deleted it yet', async () => {
    const { transferId } = await stored();
    clock = NOON + 90 * DAY - 1;
    expect(await store.get(transferId)).toBeDefined();
    clock = NOON + 90 * DAY;
    expect(await store.get(transferId)).toBeUndefined();
    expect(await store.listByUser(ana.userId, 100)).toEqual([]);
    await expect(store.change(transferId, () => ({ result: 0 }))).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('is undefined when there is none', async () => {
    expect(await store.get('TRF-0000000000')).toBeUndefined();
  });
});

describe('a change', () => {
  it('is written with the next version and told', async () => {
    const { transferId } = await stored();
    const { transfer, result } = await store.change(transferId, (current) => ({
      next: approve(current, bob.userId),
      result: 'done',
    }));
    expect(result).toBe('done');
    expect(transfer).toMatchObject({ status: 'approved', version: 2 });
    expect(await store.get(transferId)).toEqual(transfer);
  });

  it('writes nothing when nothing is to change', async () => {
    const { transferId } = await stored();
    expect(await store.change(transferId, () => ({ result: 'seen' }))).toMatchObject({ result: 'seen' });
    expect((await store.get(transferId))?.version).toBe(1);
  });

  it('lets exactly one of 200 concurrent decisions win', async () => {
    const { transferId } = await stored();
    const deciders = Array.from({ length: 200 }, (_, n) => `slack:T01FERRY:U${n}`);
    const answers = await Promise.all(
      deciders.map(async (by) => {
        const { result } = await anotherStore().change(transferId, (current) =>
          current.status === 'pending_approval'
            ? { next: approve(current, by), result: by }
            : { result: undefined },
        );
        return result;
      }),
    );
    const winners = answers.filter((answer) => answer !== undefined);
    expect(winners).toHaveLength(1);
    expect(await store.get(transferId)).toMatchObject({
      version: 2,
      history: [{ seq: 1 }, { seq: 2, by: winners[0] }],
    });
  });

  it('loses none of several that come at once', async () => {
    const { transferId } = await stored();
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        anotherStore().change(transferId, (current) => ({
          next: note(current, { at: NOON, by: 'bot', text: `note ${n}` }),
          result: undefined,
        })),
      ),
    );
    const after = await store.get(transferId);
    expect(after?.version).toBe(9);
    expect(after?.history.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('loses no condition to another change of the same process', async () => {
    const { transferId } = await stored();
    let asked = 0;
    await Promise.all(
      Array.from({ length: 3 }, (_, n) =>
        store.change(transferId, (current) => {
          asked += 1;
          return { next: note(current, { at: NOON, by: 'bot', text: `note ${n}` }), result: undefined };
        }),
      ),
    );
    expect(asked).toBe(3);
  });

  it('refuses to write a record that is none', async () => {
    const { transferId } = await stored();
    const wrong = store.change(transferId, (current) => ({
      next: { ...current, attempt: 0 },
      result: undefined,
    }));
    await expect(wrong).rejects.toThrow();
    expect((await store.get(transferId))?.version).toBe(1);
  });
});

describe('a person’s transfers', () => {
  it('are theirs, newest first, as many as asked for', async () => {
    const requester = { ...ana, userId: 'slack:T01FERRY:ULIST' };
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      ids.unshift((await stored({ requester, createdAt: NOON + n })).transferId);
    }
    await stored({ requester: cleo });
    expect((await store.listByUser(requester.userId, 3)).map((it) => it.transferId)).toEqual(ids.slice(0, 3));
    expect((await store.listByUser(requester.userId, 100)).map((it) => it.transferId)).toEqual(ids);
    expect(await store.listByUser('slack:T01FERRY:UNOBODY', 10)).toEqual([]);
  });

  it('are not lost with one that cannot be read', async () => {
    const requester = { ...ana, userId: 'slack:T01FERRY:UBROKEN' };
    const [one, two] = [await stored({ requester }), await stored({ requester })];
    await damage(dynamo, one.transferId);
    expect((await store.listByUser(requester.userId, 10)).map((it) => it.transferId)).toEqual([
      two.transferId,
    ]);
  });

  it('can be a hundred at once', async () => {
    const requester = { ...ana, userId: 'slack:T01FERRY:UMANY' };
    await Promise.all(Array.from({ length: 105 }, (_, n) => stored({ requester, createdAt: NOON + n })));
    const listed = await store.listByUser(requester.userId, 500);
    expect(listed.map((it) => it.createdAt - NOON)).toEqual(Array.from({ length: 100 }, (_, n) => 104 - n));
  });
});

describe('due work', () => {
  it('is listed once it is due, longest overdue first, until the transfer is settled', async () => {
    clock = NOON + 3 * DAY;
    const late = settle(proposal({ approvalExpiresAt: clock + 2_000 }));
    const early = settle(proposal({ approvalExpiresAt: clock + 1_000 }));
    await store.create(late);
    await store.create(early);
    const due = async () =>
      (await store.listDue(1_000)).filter((id) => id === late.transferId || id === early.transferId);
    expect(await due()).toEqual([]);
    clock += 1_000;
    expect(await due()).toEqual([early.transferId]);
    clock += 1_000;
    expect(await due()).toEqual([early.transferId, late.transferId]);

    await store.change(early.transferId, (current) => ({
      next: settle(move(current, 'expired', { at: clock, by: 'reconciler', text: 'Nobody decided.' })),
      result: undefined,
    }));
    clock += DAY;
    expect(await due()).toEqual([late.transferId]);
  });

  it('can be put off unread, until its next change', async () => {
    clock = NOON + 10 * DAY;
    const { transferId } = await stored({ approvalExpiresAt: clock });
    const isDue = async () => (await store.listDue(1_000)).includes(transferId);
    clock += 60_000;
    expect(await isDue()).toBe(true);
    expect(await store.putOff(transferId, clock + 5_000)).toBe('put off');
    expect(await isDue()).toBe(false);
    expect(await store.putOff(transferId, clock + 5_000)).toBe('not due');
    clock += 5_000;
    expect(await isDue()).toBe(true);
    await store.putOff(transferId, clock + DAY);
    await store.change(transferId, (current) => ({ next: current, result: undefined }));
    clock += 60_000;
    expect(await isDue()).toBe(true);
    expect(await store.putOff('TRF-0000000000', clock + DAY)).toBe('not due');
  });

  it('lists no more than asked for', async () => {
    await stored();
    await stored();
    clock = NOON + DAY;
    expect(await store.listDue(1)).toHaveLength(1);
  });
});

describe('when the answer to a write is lost', () => {
  /** A process whose SDK sends again what was not answered. */
  function process() {
    const client = createDocumentClient({ region: 'us-east-1', endpoint: dynamo.endpoint });
    client.config.credentials = async () => ({ accessKeyId: 'local', secretAccessKey: 'local' });
    loseNextAnswer(client, 'PutItem');
    return {
      client,
      own: createTransferStore({ client, tablePrefix: dynamo.prefix, now: () => clock }),
    };
  }

  it('knows its own record again that it has just created', async () => {
    const { client, own } = process();
    const transfer = proposal();
    expect(await own.create(transfer)).toBe('created');
    expect(await own.create(transfer)).toBe('exists');
    expect(await store.get(transfer.transferId)).toEqual(transfer);
    client.destroy();
  });

  it('knows its own change again, and makes it once', async () => {
    const { transferId } = await stored();
    const { client, own } = process();
    const approveOnce = (current: Transfer) =>
      current.status === 'pending_approval'
        ? { next: approve(current, bob.userId), result: 'decided' }
        : { result: 'decided before' };
    const { transfer, result } = await own.change(transferId, approveOnce);
    expect(result).toBe('decided');
    expect(await store.get(transferId)).toEqual(transfer);
    expect(transfer.version).toBe(2);
    expect((await own.change(transferId, approveOnce)).result).toBe('decided before');
    client.destroy();
  });
});

describe('when the database fails', () => {
  it('says so in words, and that a retry can help', async () => {
    const client = createDocumentClient({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' });
    client.config.credentials = async () => ({ accessKeyId: 'local', secretAccessKey: 'local' });
    const offline = createTransferStore({ client, tablePrefix: dynamo.prefix, now: () => clock });
    const thrown = await offline.get('TRF-0000000000').catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(FerryError);
    expect(thrown).toMatchObject({ code: 'unavailable', retryable: true });
    await expect(offline.create(proposal())).rejects.toMatchObject({ code: 'unavailable' });
    client.destroy();
  });

  it('refuses an item that is no record instead of guessing', async () => {
    const { transferId } = await stored();
    await damage(dynamo, transferId);
    await expect(store.get(transferId)).rejects.toMatchObject({ code: 'unreadable', retryable: false });
  });
});
