/** A transfer's messages follow its record: through outages, crashes, deletions, retries and two writers at once. */
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { FerryError } from '../core/errors.ts';
import { createObjectStore, pagesOf } from '../core/stores/object-store.ts';
import { createTransferStore, type TransferStore } from '../core/stores/transfer-store.ts';
import type { MessageRef, ThreadRef } from '../core/thread-ref.ts';
import type { Transfer, TransferStatus } from '../core/transfer.ts';
import { lastSeq, move, note } from '../core/transfer-state.ts';
import { cardText, transferAt } from '../test/support/cards.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { bob, NOON, plannedObject, proposal } from '../test/support/transfers.ts';
import { cardWork, createAnnouncer, messageKey } from './announcer.ts';
import type { Card } from './card.ts';
import type { ChatClient, PostOptions } from './chat-client.ts';
import { createSettler, type Settler } from './settle.ts';

const log = pino({ level: 'silent' });
const away = () => new FerryError('unavailable', { retryable: true, userMessage: 'Slack is away.' });
const gone = () => new FerryError('not_found', { userMessage: 'It is gone.' });

interface Shown {
  readonly ref: MessageRef;
  readonly key: string;
  card: Card;
}

/** A chat that keeps what is posted, finds it again by its key, and fails when a test says so. */
class FakeChat implements ChatClient {
  readonly platform = 'slack';
  readonly directory = 'Slack';
  readonly messages: Shown[] = [];
  readonly calls: string[] = [];
  /** Asked before each call has its effect. */
  before: (call: string) => Promise<void> | void = () => undefined;
  /** Asked after a post has arrived. */
  afterPost: () => void = () => undefined;

  async post(thread: ThreadRef, card: Card, { key, lookFirst }: PostOptions): Promise<MessageRef> {
    this.calls.push(`post ${key.slice(15)}${lookFirst ? ' after a look' : ''}`);
    await this.before(`post ${key.slice(15)}`);
    const found = lookFirst ? this.messages.find((message) => message.key === key) : undefined;
    if (found) return found.ref;
    const ref = { thread, messageId: `${this.messages.length + 1}.000000` };
    this.messages.push({ ref, key, card });
    this.afterPost();
    return ref;
  }

  async update(message: MessageRef, card: Card): Promise<void> {
    const shown = this.messages.find(({ ref }) => ref.messageId === message.messageId);
    this.calls.push(`update ${shown?.key.slice(15)}`);
    await this.before(`update ${shown?.key.slice(15)}`);
    if (!shown) throw gone();
    shown.card = card;
  }

  dm(userId: string, card: Card, options: PostOptions): Promise<MessageRef> {
    const channelId = `D${userId.split(':').at(-1)}`;
    return this.post({ platform: 'slack', teamId: 'T01FERRY', channelId }, card, {
      ...options,
      lookFirst: true,
    });
  }

  async whisper(): Promise<void> {}

  delete(key: string): void {
    this.messages.splice(
      this.messages.findIndex((message) => message.key.endsWith(key)),
      1,
    );
  }

  keys(): string[] {
    return this.messages.map(({ key }) => key.slice(15));
  }

  text(key: string): string {
    const shown = this.messages.find((message) => message.key.endsWith(key));
    return shown ? cardText(shown.card) : '';
  }
}

test('says what has to be done, in reading order, for every status', () => {
  const posts = (status: TransferStatus) =>
    cardWork(transferAt(status)).map(({ kind, role }) => `${kind} ${role}`);
  expect(posts('pending_approval')).toEqual(['post approval']);
  expect(posts('approved')).toEqual(['post approval']);
  expect(posts('queued')).toEqual(['post approval', 'post progress']);
  expect(posts('running')).toEqual(['post approval', 'post progress']);
  expect(posts('rejected')).toEqual(['post approval', 'post outcome']);
  expect(posts('expired')).toEqual(['post approval', 'post outcome']);
  for (const status of ['completed', 'failed', 'cancelled'] as const) {
    expect(posts(status)).toEqual(['post approval', 'post progress', 'post outcome']);
  }
});

test('a message that shows the newest entry needs nothing', () => {
  const transfer = transferAt('queued');
  const ref = { thread: transfer.thread, messageId: '1.0' };
  const messages = [
    { role: 'approval', ref, shownThrough: lastSeq(transfer) },
    { role: 'progress', ref, shownThrough: lastSeq(transfer) - 1 },
  ] as const;
  expect(cardWork({ ...transfer, messages: [...messages] })).toMatchObject([
    { kind: 'update', role: 'progress' },
  ]);
});

test('keys fit the platform and tell attempts apart', () => {
  const transfer = transferAt('failed', { attempt: 2 });
  expect(messageKey(transfer, 'approval')).toBe(`${transfer.transferId}/approval`);
  expect(messageKey(transfer, 'outcome')).toBe(`${transfer.transferId}/outcome/2`);
});

describe('over a store', () => {
  const dynamo = useDynamoDb();
  let chat: FakeChat;
  let store: TransferStore;
  let clock: number;

  /** A bot or a worker; its tickets are always in step unless ServiceNow is away. */
  function ferry({ away = (): boolean => false, direct = async (_userId: string) => false } = {}): Settler {
    const now = () => clock;
    const objects = createObjectStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now });
    return createSettler({
      store,
      lockMs: 60_000,
      now,
      log,
      syncTickets: async (transfer) => {
        if (away()) {
          const ticketsDelayed = { since: clock, reason: 'ServiceNow cannot be reached' };
          return { tickets: transfer.tickets, ticketsDelayed };
        }
        const ticket = {
          sysId: 's',
          number: 'INC0010001',
          notedThrough: lastSeq(transfer),
          closed: ['completed', 'failed', 'cancelled', 'rejected', 'expired'].includes(transfer.status),
        };
        return { tickets: { user: ticket, audit: ticket } };
      },
      syncCards: createAnnouncer({
        clients: { slack: chat },
        objects,
        approversOf: () => ['approvers'],
        wantsDirect: direct,
        now,
        log,
      }),
    });
  }

  const get = async (transferId: string): Promise<Transfer> => {
    const transfer = await store.get(transferId);
    if (!transfer) throw new Error('the record is gone');
    return transfer;
  };
  const go = (transferId: string, ...path: TransferStatus[]) =>
    store.change(transferId, (current) => ({
      next: path.reduce(
        (record, status) => move(record, status, { at: clock, by: 'test', text: `Now ${status}.` }),
        current.decision
          ? current
          : { ...current, decision: { outcome: 'approved', by: bob, at: clock, planHash: current.planHash } },
      ),
      result: undefined,
    }));
  async function stored(changes: Partial<Transfer> = {}): Promise<string> {
    const transfer = proposal(changes);
    await store.create(transfer);
    return transfer.transferId;
  }

  beforeEach(() => {
    clock = NOON;
    chat = new FakeChat();
    store = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
  });

  test('from request to delivery: three messages, each showing the newest state', async () => {
    const id = await stored();
    const { settle } = ferry();
    await settle(id);
    expect(chat.text('approval')).toContain('<Approve>');
    await go(id, 'approved', 'queued');
    await settle(id);
    expect(chat.text('approval')).toContain('✅ Approved by @Bob');
    expect(chat.text('progress')).toContain('⏳ Queued');
    await go(id, 'running', 'completed');
    await settle(id);
    expect(chat.keys()).toEqual(['approval', 'progress', 'outcome/1']);
    expect(chat.text('progress')).toContain('✅ Delivered');

    const record = await get(id);
    expect(record.messages.map(({ role, shownThrough }) => [role, shownThrough])).toEqual(
      ['approval', 'progress', 'outcome'].map((role) => [role, lastSeq(record)]),
    );
    expect(record.settling).toBeUndefined();
    const calls = chat.calls.length;
    await settle(id);
    expect(chat.calls).toHaveLength(calls);
  });

  test('two processes at once post nothing twice', async () => {
    const id = await stored();
    await go(id, 'approved', 'queued', 'running');
    await Promise.all([ferry(), ferry(), ferry(), ferry()].map(({ settle }) => settle(id)));
    expect(chat.keys()).toEqual(['approval', 'progress']);
  });

  test('what happens while a message is on its way is shown afterwards, without another call', async () => {
    const id = await stored();
    const other = ferry();
    chat.before = async (call) => {
      if (call !== 'post approval') return;
      await go(id, 'approved', 'queued');
      await other.settle(id);
    };
    await ferry().settle(id);
    expect(chat.keys()).toEqual(['approval', 'progress']);
    expect(chat.text('approval')).toContain('✅ Approved by @Bob');
  });

  test('an outage leaves the messages behind and due; later all are there once', async () => {
    const id = await stored();
    const { settle } = ferry();
    chat.before = () => {
      throw away();
    };
    await settle(id);
    expect(chat.calls).toEqual(['post approval']);
    clock += 60_000;
    expect(await store.listDue(10)).toContain(id);
    chat.before = () => undefined;
    await settle(id);
    expect(chat.keys()).toEqual(['approval']);
    expect((await get(id)).settling).toBeUndefined();
  });

  test('a post that arrived although its answer was lost is found, brought up to date and not repeated', async () => {
    const id = await stored();
    const { settle } = ferry();
    chat.afterPost = () => {
      throw away();
    };
    await settle(id);
    chat.afterPost = () => undefined;
    await go(id, 'approved');
    await settle(id);
    expect(chat.keys()).toEqual(['approval']);
    expect(chat.calls).toEqual(['post approval', 'post approval after a look', 'update approval']);
    expect(chat.text('approval')).toContain('✅ Approved by @Bob');
    expect((await get(id)).messages).toHaveLength(1);
  });

  test('nor is it repeated when the record went on meanwhile', async () => {
    const id = await stored();
    const { settle } = ferry();
    chat.before = () => go(id, 'approved').then(() => undefined);
    chat.afterPost = () => {
      throw away();
    };
    await settle(id);
    chat.before = () => undefined;
    chat.afterPost = () => undefined;
    await settle(id);
    expect(chat.calls).toEqual(['post approval', 'post approval after a look', 'update approval']);
    expect(chat.keys()).toEqual(['approval']);
  });

  test('what was posted before an outage in the middle stays known', async () => {
    const id = await stored();
    await go(id, 'approved', 'queued');
    chat.before = (call) => {
      if (call === 'post progress') throw away();
    };
    const { settle } = ferry();
    await settle(id);
    expect((await get(id)).messages.map(({ role }) => role)).toEqual(['approval']);
    chat.before = () => undefined;
    await settle(id);
    expect(chat.calls).toEqual([
      'post approval',
      'post progress',
      'post progress after a look',
      'update progress',
    ]);
  });

  test('after a crash with the lock held, the next process waits for it to lapse and looks before it posts', async () => {
    const id = await stored();
    await store.change(id, (current) => ({
      next: { ...current, settling: { owner: 'a dead process', until: clock + 60_000 } },
      result: undefined,
    }));
    const { settle } = ferry();
    await settle(id);
    expect(chat.calls).toEqual([]);
    clock += 60_001;
    await settle(id);
    expect(chat.calls).toEqual(['post approval after a look', 'update approval']);
  });

  test('an approval card that is deleted before anybody decided is posted again', async () => {
    const id = await stored();
    let away = true;
    const { settle } = ferry({ away: () => away });
    await settle(id);
    chat.delete('approval');
    away = false;
    await settle(id);
    expect(chat.keys()).toEqual(['approval']);
    expect(chat.text('approval')).toContain('INC0010001');
    const [message] = (await get(id)).messages;
    expect(message?.ref).toEqual(chat.messages[0]?.ref);
  });

  test('a deleted progress message is posted again, a deleted approval card is not missed', async () => {
    const id = await stored();
    const { settle } = ferry();
    await go(id, 'approved', 'queued');
    await settle(id);
    chat.delete('approval');
    chat.delete('progress');
    await go(id, 'running');
    await settle(id);
    expect(chat.keys()).toEqual(['progress']);
    const record = await get(id);
    expect(record.messages.every(({ shownThrough }) => shownThrough === lastSeq(record))).toBe(true);
  });

  test('the outcome goes directly to who wants it so as well, without its button', async () => {
    const id = await stored();
    const asked: string[] = [];
    const { settle } = ferry({
      direct: async (userId) => {
        asked.push(userId);
        return true;
      },
    });
    await go(id, 'approved', 'queued', 'running', 'failed');
    await settle(id);
    await settle(id);
    expect(asked).toEqual([(await get(id)).requester.userId]);
    expect(chat.keys()).toEqual(['approval', 'progress', 'outcome/1', 'outcome/1/dm']);
    expect(chat.text('outcome/1/dm')).not.toContain('<Retry>');
  });

  test('the outcome is in the thread, also when nobody knows how the person wants it', async () => {
    const id = await stored();
    const { settle } = ferry({
      direct: async () => {
        throw new FerryError('unavailable', { retryable: true, userMessage: 'DynamoDB is away.' });
      },
    });
    await go(id, 'approved', 'queued', 'running', 'completed');
    await settle(id);
    expect(chat.keys()).toEqual(['approval', 'progress', 'outcome/1']);
  });

  test('a retry closes the failed outcome, and the next attempt gets its own', async () => {
    const id = await stored();
    const { settle } = ferry();
    await go(id, 'approved', 'queued', 'running', 'failed');
    await settle(id);
    expect(chat.text('outcome/1')).toContain('<Retry>');
    await store.change(id, (current) => ({
      next: { ...move(current, 'queued', { at: clock, by: 'test', text: 'Retried.' }), attempt: 2 },
      result: undefined,
    }));
    await settle(id);
    expect(chat.text('outcome/1')).not.toContain('<Retry>');
    await go(id, 'running', 'completed');
    await settle(id);
    expect(chat.keys()).toEqual(['approval', 'progress', 'outcome/1', 'outcome/2']);
    expect(chat.text('outcome/2')).toContain('✅ Delivered');
  });

  test('a second attempt that ended before anybody looked still gets an outcome of its own', async () => {
    const id = await stored();
    const { settle } = ferry();
    await go(id, 'approved', 'queued', 'running', 'failed');
    await settle(id);
    await go(id, 'queued', 'running', 'failed');
    await store.change(id, (current) => ({ next: { ...current, attempt: 2 }, result: undefined }));
    await settle(id);
    expect(chat.text('outcome/1')).not.toContain('<Retry>');
    expect(chat.text('outcome/2')).toContain('<Retry>');
  });

  test('a card posted to a channel begins the thread of what follows', async () => {
    const id = await stored({ thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS' } });
    await go(id, 'approved', 'queued');
    await ferry().settle(id);
    expect(chat.messages.map(({ ref }) => ref.thread)).toMatchObject([
      { channelId: 'C01OPS' },
      { channelId: 'C01OPS', threadTs: '1.000000' },
    ]);
    expect((await get(id)).thread).toMatchObject({ threadTs: '1.000000' });
  });

  test('where the bot may not write, the requester is told directly, once', async () => {
    const id = await stored();
    let refused = 0;
    chat.before = () => {
      refused += 1;
      if (refused === 1) throw gone();
    };
    const { settle } = ferry();
    await settle(id);
    expect(chat.messages.map(({ ref }) => ref.thread)).toMatchObject([{ channelId: 'DU01ANA' }]);
    expect(chat.text('approval')).toContain('Please invite me there');
    expect((await get(id)).messages).toHaveLength(1);
  });

  test('the outcome names the file as it was numbered at the destination', async () => {
    const id = await stored();
    const objects = createObjectStore({
      client: dynamo.documents,
      tablePrefix: dynamo.prefix,
      now: () => clock,
    });
    const record = await store.get(id);
    await objects.write(id, [plannedObject()], record && pagesOf(record));
    const done = {
      state: 'done',
      finalPath: '/incoming/file-0 (1).csv',
      crc32: 1,
      verified: 'size',
    } as const;
    await objects.setProgress(await get(id), 0, done, 1);
    await store.change(id, (current) => ({
      next: { ...current, plan: { ...current.plan, existing: 'rename' } },
      result: undefined,
    }));
    await go(id, 'approved', 'queued', 'running', 'completed');
    await ferry().settle(id);
    expect(chat.text('outcome/1')).toContain('/incoming/file-0 (1).csv');
  });

  test('cards that told of delayed tickets tell their numbers once ServiceNow is back', async () => {
    const id = await stored();
    let isAway = true;
    const { settle } = ferry({ away: () => isAway });
    await settle(id);
    expect(chat.text('approval')).toContain('delayed: ServiceNow cannot be reached');
    await settle(id);
    expect(chat.calls).toEqual(['post approval']);
    isAway = false;
    await settle(id);
    expect(chat.text('approval')).toContain('INC0010001');
    expect(chat.text('approval')).not.toContain('delayed');
    await settle(id);
    expect(chat.calls).toEqual(['post approval', 'update approval']);
  });

  test('the checklist of a delivered file says that its tickets were told, when they were', async () => {
    const id = await stored();
    let isAway = false;
    const { settle } = ferry({ away: () => isAway });
    await settle(id);
    await go(id, 'approved', 'queued', 'running', 'completed');
    isAway = true;
    await settle(id);
    expect(chat.text('progress')).toContain(
      '[active] Update tickets (delayed: ServiceNow cannot be reached)',
    );
    isAway = false;
    await settle(id);
    expect(chat.text('progress')).toContain('[done] Update tickets');
  });

  test('a note without a change of state reaches the cards too', async () => {
    const id = await stored();
    const { settle } = ferry();
    await settle(id);
    await store.change(id, (current) => ({
      next: note(
        { ...current, ticketsDelayed: { since: clock, reason: 'ServiceNow cannot be reached' } },
        {
          at: clock,
          by: 'bot',
          text: 'Tickets are delayed.',
        },
      ),
      result: undefined,
    }));
    await settle(id);
    expect(chat.calls).toEqual(['post approval', 'update approval']);
  });
});
