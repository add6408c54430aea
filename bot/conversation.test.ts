import { pino } from 'pino';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Card } from '../adapters/card.ts';
import { decodeChoiceValue } from '../adapters/cards/button-value.ts';
import type { ChatClient } from '../adapters/chat-client.ts';
import type { MessageEvent } from '../adapters/chat-event.ts';
import type { Planner, Reply, Turn } from '../agent/planner.ts';
import { FerryError } from '../core/errors.ts';
import { scopeOf } from '../core/policy.ts';
import { createTransferStore, type TransferStore } from '../core/stores/transfer-store.ts';
import type { ThreadRef } from '../core/thread-ref.ts';
import { buttonsOf, cardText } from '../test/support/cards.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, eve, NOON, policy, proposal } from '../test/support/transfers.ts';
import { type ConversationDeps, createConversation } from './conversation.ts';

const dynamo = useDynamoDb();
let store: TransferStore;
beforeAll(() => {
  store = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => NOON });
});

interface Sent {
  readonly how: 'post' | 'whisper' | 'dm';
  readonly to: string;
  readonly key?: string;
  readonly lookFirst?: boolean;
  readonly card: Card;
}
let sent: Sent[];
/** Why posting is refused; undefined while it is not. */
let refused: FerryError | undefined;
const channelOf = (thread: ThreadRef) => (thread.platform === 'slack' ? thread.channelId : '');
const slack: ChatClient = {
  platform: 'slack',
  directory: 'Slack',
  async post(thread, card, { key, lookFirst = false }) {
    if (refused) throw refused;
    sent.push({ how: 'post', to: channelOf(thread), key, lookFirst, card });
    return { thread, messageId: '1.1' };
  },
  async update() {},
  async dm(userId, card, { key }) {
    sent.push({ how: 'dm', to: userId, key, card });
    return { thread: inChannel, messageId: '1.1' };
  },
  async whisper(_thread, userId, card) {
    sent.push({ how: 'whisper', to: userId, card });
  },
};
const inChannel: ThreadRef = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1.1' };
const inDm: ThreadRef = { platform: 'slack', teamId: 'T01FERRY', channelId: 'D01ANA' };
const approvals: ThreadRef = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C02APPROVE' };

let turns: Turn[];
let settled: string[];
let remembered: string[];
beforeEach(() => {
  sent = [];
  refused = undefined;
  turns = [];
  settled = [];
  remembered = [];
});

function conversation(reply: Reply, changes: Partial<ConversationDeps> = {}) {
  const planner: Planner = {
    name: 'commands',
    async plan(turn) {
      turns.push(turn);
      return reply;
    },
  };
  return createConversation({
    planner,
    clients: { slack },
    store,
    policy,
    loadScope: async (it) =>
      scopeOf(
        it,
        it.plan.preview.map((object) => object.key),
      ),
    approversOf: async () => ['approvers'],
    settle: async (id) => void settled.push(id),
    approvalChannel: approvals,
    remember: async (_message, summary) => void remembered.push(summary),
    now: () => NOON,
    log: pino({ level: 'silent' }),
    ...changes,
  });
}

const message = (changes: Partial<MessageEvent> = {}): MessageEvent => ({
  kind: 'message',
  key: 'slack:T01FERRY:C01OPS:1.2',
  person: ana,
  thread: inChannel,
  scope: 'channel',
  command: false,
  receivedAt: NOON,
  text: 'list buckets',
  truncated: false,
  ...changes,
});
const signal = new AbortController().signal;
const said = () => cardText(sent[0]?.card as Card);

describe('where a reply goes', () => {
  const list: Reply = { kind: 'list', title: 'Buckets', items: [{ name: 'finance-exports' }] };

  it('shows what depends on the asker’s rights to the asker alone', async () => {
    await conversation(list).say(message(), signal, false);
    expect(sent).toMatchObject([{ how: 'whisper', to: ana.userId }]);
  });

  it('writes it openly in a direct message, where nobody else reads', async () => {
    await conversation(list).say(message({ scope: 'dm', thread: inDm }), signal, false);
    expect(sent).toMatchObject([{ how: 'post', to: 'D01ANA' }]);
  });

  it.each<Reply>([
    { kind: 'help' },
    { kind: 'refusal', reason: 'There is no bucket "finanz".' },
    { kind: 'answer', text: 'Please use the button.' },
  ])('says %o in the thread', async (reply) => {
    await conversation(reply).say(message(), signal, false);
    expect(sent).toMatchObject([{ how: 'post', to: 'C01OPS', lookFirst: false }]);
  });

  it('answers a slash command to the asker alone: nobody else saw it', async () => {
    await conversation({ kind: 'help' }).say(message({ command: true }), signal, false);
    expect(sent).toMatchObject([{ how: 'whisper', to: ana.userId }]);
  });

  it('writes to the asker directly where it may not write in the channel, also that something failed', async () => {
    refused = new FerryError('not_found', { userMessage: 'Invite it.' });
    const talk = conversation({ kind: 'help' });
    await talk.say(message(), signal, false);
    await talk.apologize(message(), new FerryError('unavailable', { userMessage: 'S3 is away.' }));
    expect(sent).toMatchObject([
      { how: 'dm', to: ana.userId },
      { how: 'dm', to: ana.userId },
    ]);
    refused = new FerryError('throttled', { retryable: true, userMessage: 'Slow down.' });
    await expect(talk.say(message(), signal, false)).rejects.toThrow('Slow down.');
  });

  it('gives in its help an example that the policy allows', async () => {
    await conversation({ kind: 'help' }).say(message(), signal, false);
    expect(said()).toContain('send s3://finance-exports/reports/report.csv to acme-ftp');
  });

  it('looks for its own reply before it repeats a turn that an earlier process began', async () => {
    const talk = conversation({ kind: 'help' });
    await talk.say(message(), signal, true);
    await talk.say(message(), signal, true);
    expect(sent[0]).toMatchObject({ lookFirst: true });
    expect(sent[0]?.key).toBe(sent[1]?.key);
    expect(sent[0]?.key).toMatch(/^[A-Za-z0-9:/.-]{1,100}$/);
  });

  it('offers choices that say their text in the asker’s name only', async () => {
    const question: Reply = {
      kind: 'question',
      question: 'Which one?',
      choices: [{ label: 'acme-ftp', text: 'send s3://finance-exports/a to acme-ftp' }],
    };
    await conversation(question).say(message(), signal, false);
    const [button] = buttonsOf(sent[0]?.card as Card);
    expect(decodeChoiceValue(button?.value ?? '')).toEqual({
      userId: ana.userId,
      text: 'send s3://finance-exports/a to acme-ftp',
    });
  });
});

describe('who may speak', () => {
  it.each(['guest', 'external', 'deactivated', 'bot'] as const)(
    'turns a %s away before any planner runs',
    async (standing) => {
      await conversation({ kind: 'help' }).say(message({ person: { ...ana, standing } }), signal, false);
      expect(turns).toEqual([]);
      expect(sent).toMatchObject([{ how: 'whisper' }]);
    },
  );

  it('refuses a message that was too long to read whole', async () => {
    await conversation({ kind: 'help' }).say(
      message({ truncated: true, text: 'x'.repeat(4_000) }),
      signal,
      false,
    );
    expect(turns).toEqual([]);
    expect(said()).toContain('longer than the 4000 characters');
  });
});

describe('proposals', () => {
  it('come from the record: the reply only settles it', async () => {
    await conversation({ kind: 'proposed', transferId: 'TRF-0000000001' }).say(message(), signal, false);
    expect(settled).toEqual(['TRF-0000000001']);
    expect(sent).toEqual([]);
    expect(turns[0]?.proposalThread).toEqual(inChannel);
    expect(remembered).toEqual(['proposed TRF-0000000001']);
  });

  it('from a direct message go to the approvals channel, and the asker is told', async () => {
    const transfer = proposal({ thread: approvals });
    await store.create(transfer);
    const dm = message({ scope: 'dm', thread: inDm });
    await conversation({ kind: 'proposed', transferId: transfer.transferId }).say(dm, signal, false);
    expect(turns[0]?.proposalThread).toEqual(approvals);
    expect(sent).toMatchObject([{ how: 'post', to: 'D01ANA' }]);
    expect(said()).toContain(transfer.transferId);
  });

  it('have nowhere to go from a direct message without such a channel', async () => {
    const talk = conversation({ kind: 'refusal', reason: 'x' }, { approvalChannel: undefined });
    await talk.say(message({ scope: 'dm', thread: inDm }), signal, false);
    expect(turns[0]?.proposalThread).toBeUndefined();
  });

  it('have nowhere to go from a direct message when nobody in the approvals channel could approve them', async () => {
    const inTeams: ThreadRef = {
      platform: 'teams',
      tenantId: 'tenant-1',
      serviceUrl: '',
      conversationId: '19:approvals@thread.tacv2',
      botId: '',
    };
    const talk = conversation({ kind: 'refusal', reason: 'x' }, { approvalChannel: inTeams });
    const { email: _none, ...person } = ana;
    await talk.say(message({ scope: 'dm', thread: inDm, person }), signal, false);
    await talk.say(message({ scope: 'dm', thread: inDm }), signal, false);
    expect(turns[0]).toMatchObject({ proposalThread: undefined, noApproval: expect.anything() });
    expect(turns[1]?.proposalThread).toEqual(inTeams);
  });
});

describe('what a person may see of transfers', () => {
  it('is their own and those that they may decide on', async () => {
    const transfer = proposal();
    await store.create(transfer);
    const talk = conversation({ kind: 'help' });
    expect(await talk.visibleTo(ana, transfer.transferId)).toBeDefined();
    expect(await talk.visibleTo(bob, transfer.transferId)).toBeDefined();
    expect(await talk.visibleTo(eve, transfer.transferId)).toBeUndefined();
    expect(cardText(await talk.statusFor(eve, transfer.transferId))).toContain('no transfer');
  });

  it('leaves out others’ transfers from a list, whatever the planner found', async () => {
    const [own, other] = [proposal(), proposal({ requester: bob })];
    await store.create(own);
    await store.create(other);
    const reply: Reply = {
      kind: 'transfers',
      title: 'Your transfers',
      transferIds: [own.transferId, other.transferId],
      empty: 'None.',
    };
    await conversation(reply).say(
      message({ person: { ...eve, userId: ana.userId }, scope: 'dm', thread: inDm }),
      signal,
      false,
    );
    expect(said()).toContain(own.transferId);
    expect(said()).not.toContain(other.transferId);
  });
});

describe('failures', () => {
  it('are told in the thread in the error’s own words', async () => {
    const error = new FerryError('unavailable', { retryable: true, userMessage: 'S3 cannot be reached.' });
    await conversation({ kind: 'help' }).apologize(message(), error);
    expect(said()).toContain('S3 cannot be reached.');
  });

  it('to remember do not fail the turn', async () => {
    const talk = conversation({ kind: 'help' }, { remember: async () => Promise.reject(new Error('down')) });
    await expect(talk.say(message(), signal, false)).resolves.toBeUndefined();
  });
});

describe('an answer that grows', () => {
  const growing = (): Planner => ({
    name: 'bedrock',
    async plan(turn) {
      turns.push(turn);
      turn.draft?.('There are ');
      return { kind: 'answer', text: 'There are two files.', personal: true };
    },
  });

  it('is shown in a direct message, where it becomes the reply', async () => {
    const talk = conversation({ kind: 'help' }, { planner: growing() });
    await talk.say(message({ scope: 'dm', thread: inDm }), signal, false);
    expect(sent).toHaveLength(1);
    expect(said()).toContain('There are');
  });

  it.each([
    ['in a channel, where others would see it', message(), 'typed'],
    ['for a slash command', message({ command: true, scope: 'dm', thread: inDm }), 'typed'],
    ['for a button', message({ scope: 'dm', thread: inDm }), 'exact'],
  ] as const)('is not shown %s', async (_where, event, words) => {
    await conversation({ kind: 'help' }, { planner: growing() }).say(event, signal, false, words);
    expect(turns[0]?.draft).toBeUndefined();
    expect(said()).toContain('two files');
  });

  it('is ended when the turn fails', async () => {
    const failing: Planner = {
      name: 'bedrock',
      async plan(turn) {
        turn.draft?.('There are ');
        throw new FerryError('unavailable', { userMessage: 'S3 cannot be reached.' });
      },
    };
    const edits: Card[] = [];
    const talk = conversation(
      { kind: 'help' },
      {
        planner: failing,
        clients: { slack: { ...slack, update: async (_ref, card) => void edits.push(card) } },
      },
    );
    await expect(talk.say(message({ scope: 'dm', thread: inDm }), signal, false)).rejects.toThrow('S3');
    expect(edits.map(cardText).join()).toContain('cut off');
  });
});
