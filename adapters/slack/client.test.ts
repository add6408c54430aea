/** Slack's ChatClient against the fake Slack: the contract of all platforms, and what is Slack's own. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FerryError } from '../../core/errors.ts';
import type { SlackThreadRef } from '../../core/thread-ref.ts';
import {
  type ChatClientHarness,
  describeChatClientContract,
} from '../../test/contract/chat-client.contract.ts';
import {
  type FakeMessage,
  SLACK_BOT,
  SLACK_TEAM,
  type SlackServer,
  startSlackServer,
} from '../../test/fakes/slack-server.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import { SlackChatClient } from './client.ts';
import { createSlackApi } from './web-api.ts';

const logger = pino({ level: 'silent' });

function newClient(server: SlackServer): SlackChatClient {
  const api = createSlackApi({
    token: SLACK_BOT.token,
    apiUrl: server.url,
    logger,
    timeoutMs: 300,
    patienceMs: 5_000,
    backoffMs: [1, 1],
  });
  return new SlackChatClient({ api, logger, now: Date.now });
}

interface Workspace {
  readonly server: SlackServer;
  readonly client: SlackChatClient;
  readonly thread: SlackThreadRef;
}

async function workspace(): Promise<Workspace> {
  const server = await startSlackServer();
  for (const [id, name] of [
    ['U01ANA', 'ana'],
    ['U02BOB', 'bob'],
    ['U03CLEO', 'cleo'],
  ] as const) {
    server.addUser({ id, name });
  }
  server.addChannel({ id: 'C01OPS', members: ['U01ANA', 'U02BOB', SLACK_BOT.userId] });
  server.addChannel({ id: 'C02OLD', members: ['U01ANA', SLACK_BOT.userId], archived: true });
  server.addChannel({ id: 'C03HR', members: ['U01ANA'] });
  const threadTs = server.say('C01OPS', 'U01ANA', '<@U0FERRY> send it');
  const thread = { platform: 'slack', teamId: SLACK_TEAM, channelId: 'C01OPS', threadTs } as const;
  return { server, client: newClient(server), thread };
}

const show = ({ ts, text, blocks }: FakeMessage) => ({
  messageId: ts,
  shown: JSON.stringify([text, blocks]),
});
const slackId = (userId: string): string => userId.split(':')[2] ?? '';

async function makeHarness(): Promise<ChatClientHarness> {
  const { server, client, thread } = await workspace();
  return {
    client,
    otherClient: newClient(server),
    canLook: true,
    thread,
    closedThread: { platform: 'slack', teamId: SLACK_TEAM, channelId: 'C03HR' },
    ana: 'slack:T01FERRY:U01ANA',
    bob: 'slack:T01FERRY:U02BOB',
    cleo: 'slack:T01FERRY:U03CLEO',
    async messages(where, viewer) {
      const { channelId, threadTs } = where as SlackThreadRef;
      const all = server.messages(channelId, slackId(viewer));
      return all.filter((one) => one.thread_ts === threadTs).map(show);
    },
    async whispers(where, viewer) {
      const { channelId } = where as SlackThreadRef;
      return server
        .messages(channelId, slackId(viewer))
        .filter((one) => one.onlyFor === slackId(viewer))
        .map(show);
    },
    directMessages: async (userId) => server.messages(`D${slackId(userId).slice(1)}`).map(show),
    remove: ({ thread: where, messageId }) => server.remove((where as SlackThreadRef).channelId, messageId),
    throttle(retryAfter, times) {
      server.fail('chat.postMessage', { kind: 'throttle', retryAfter }, times);
      server.fail('chat.update', { kind: 'throttle', retryAfter }, times);
    },
    loseNextAnswer: () => server.fail('chat.postMessage', { kind: 'hang' }),
    failNextPost: () => server.fail('chat.postMessage', { kind: 'http', status: 500 }),
    close: () => server.close(),
  };
}

describeChatClientContract('Slack', makeHarness);

describe('SlackChatClient', () => {
  let server: SlackServer;
  let client: SlackChatClient;
  let thread: SlackThreadRef;
  const card = SAMPLE_CARDS.outcome;

  beforeEach(async () => {
    ({ server, client, thread } = await workspace());
  });
  afterEach(() => server.close());

  it('marks the message by its first block and unfurls nothing', async () => {
    await client.post(thread, card, { key: 'TRF-1/outcome' });
    const [call] = server.callsOf('chat.postMessage');
    expect(JSON.parse(call?.blocks ?? '')[0].block_id).toBe('ff:TRF-1/outcome');
    expect(call).toMatchObject({ unfurl_links: 'false', unfurl_media: 'false' });
  });

  it('does not take another author’s message for its own', async () => {
    const mine = await client.post(thread, card, { key: 'TRF-1/outcome' });
    const [message] = server.messages('C01OPS').filter(({ ts }) => ts === mine.messageId);
    Object.assign(message ?? {}, { user: 'U99OTHER', bot_id: 'B99OTHER' });
    const again = await client.post(thread, card, { key: 'TRF-1/outcome', lookFirst: true });
    expect(again.messageId).not.toBe(mine.messageId);
  });

  it('finds its message on a later page', async () => {
    for (let i = 0; i < 250; i += 1) server.say('C01OPS', 'U01ANA', 'talk', thread.threadTs);
    const first = await client.post(thread, card, { key: 'TRF-1/outcome' });
    const again = await client.post(thread, card, { key: 'TRF-1/outcome', lookFirst: true });
    expect(again).toEqual(first);
    expect(server.callsOf('conversations.replies')).toHaveLength(2);
  });

  it('reads the key of another process’s message once, then only edits', async () => {
    const ref = await client.post(thread, card, { key: 'TRF-1/progress' });
    const worker = newClient(server);
    for (let i = 0; i < 3; i += 1) await worker.update(ref, card);
    expect(server.callsOf('conversations.replies')).toHaveLength(1);
    expect(server.callsOf('chat.update')).toHaveLength(3);
  });

  it('edits without the mark where it may not read', async () => {
    const ref = await client.post(thread, card, { key: 'TRF-1/progress' });
    server.fail('conversations.replies', { kind: 'error', error: 'missing_scope' }, 9);
    await newClient(server).update(ref, card);
    expect(server.callsOf('chat.update')).toHaveLength(1);
  });

  it('repeats an edit through an outage, and gives up with a fault that can be tried again', async () => {
    const ref = await client.post(thread, card, { key: 'TRF-1/progress' });
    server.fail('chat.update', { kind: 'drop' }, 2);
    await client.update(ref, card);
    server.fail('chat.update', { kind: 'http', status: 503 }, 3);
    await expect(client.update(ref, card)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    server.fail('chat.update', { kind: 'hang' }, 3);
    await expect(client.update(ref, card)).rejects.toMatchObject({ code: 'timeout', retryable: true });
  });

  it('obeys the pace of one post a second', async () => {
    const strict = await startSlackServer({ rates: true });
    strict.addChannel({ id: 'C01OPS', members: [SLACK_BOT.userId] });
    const pacing = newClient(strict);
    const where = { platform: 'slack', teamId: SLACK_TEAM, channelId: 'C01OPS' } as const;
    await pacing.post(where, card, { key: 'TRF-1/a' });
    await pacing.post(where, card, { key: 'TRF-1/b' });
    expect(strict.messages('C01OPS')).toHaveLength(2);
    expect(strict.callsOf('chat.postMessage')).toHaveLength(3);
    await strict.close();
  });

  it.each([
    ['C02OLD', 'archived'],
    ['C03HR', '/invite'],
    ['C99NONE', 'not there'],
  ])('says why it cannot write in %s', async (channelId, words) => {
    const post = client.post({ platform: 'slack', teamId: SLACK_TEAM, channelId }, card, { key: 'k' });
    const error = (await post.catch((thrown) => thrown)) as FerryError;
    expect(error).toMatchObject({ code: 'not_found', retryable: false });
    expect(error.userMessage).toContain(words);
  });

  it('does not take an unknown refusal for an outage', async () => {
    server.fail('chat.postMessage', { kind: 'error', error: 'something_new' });
    await expect(client.post(thread, card, { key: 'k' })).rejects.toMatchObject({
      code: 'internal',
      retryable: false,
    });
    expect(server.callsOf('chat.postMessage')).toHaveLength(1);
  });

  it('refuses a thread of another platform', async () => {
    const teams = {
      platform: 'teams',
      tenantId: 't',
      serviceUrl: 's',
      conversationId: 'c',
      botId: 'b',
    } as const;
    await expect(client.post(teams, card, { key: 'k' })).rejects.toMatchObject({ code: 'internal' });
  });

  it('knows whether Slack accepts its token', async () => {
    expect(await client.ready()).toBe(true);
    server.fail('auth.test', { kind: 'error', error: 'token_revoked' });
    expect(await client.ready()).toBe(false);
    server.fail('auth.test', { kind: 'http', status: 500 }, 9);
    expect(await client.ready()).toBe(false);
  });
});
