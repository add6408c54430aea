/** Teams' ChatClient against the fake Bot Connector: the contract of all platforms, and what is Teams' own. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FerryError } from '../../core/errors.ts';
import type { NoteStore } from '../../core/stores/note-store.ts';
import type { TeamsThreadRef } from '../../core/thread-ref.ts';
import {
  type ChatClientHarness,
  describeChatClientContract,
} from '../../test/contract/chat-client.contract.ts';
import {
  startTeamsConnector,
  type TeamsConnectorServer,
  type TeamsMessage,
} from '../../test/fakes/teams-connector.ts';
import { TEAMS_APP, TEAMS_TENANT } from '../../test/fakes/teams-world.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import { memoryNotes } from '../../test/support/memory-notes.ts';
import { TeamsChatClient } from './client.ts';
import { createTeamsConnector } from './connector.ts';
import { createRoutes } from './routes.ts';
import { knownServiceUrls } from './service-urls.ts';

const logger = pino({ level: 'silent' });
const CHANNEL = '19:transfers@thread.tacv2';
const ANA = '00000000-0000-0000-0000-00000000000a';
const BOB = '00000000-0000-0000-0000-00000000000b';
const CLEO = '00000000-0000-0000-0000-00000000000c';
const userId = (aadObjectId: string) => `teams:${TEAMS_TENANT}:${aadObjectId}`;
const objectId = (id: string) => id.split(':')[2] ?? '';

function newClient(server: TeamsConnectorServer, notes: NoteStore): TeamsChatClient {
  const connector = createTeamsConnector({
    identity: { appId: '', appType: 'SingleTenant', tenantId: TEAMS_TENANT },
    serviceUrls: knownServiceUrls([], true),
    now: Date.now,
    timeoutMs: 300,
    patienceMs: 5_000,
    backoffMs: [1, 1, 1],
  });
  const routes = createRoutes({
    notes,
    appId: TEAMS_APP,
    fallback: server.serviceUrl,
    now: Date.now,
    logger,
  });
  return new TeamsChatClient({ connector, routes, notes, logger, now: Date.now });
}

interface World {
  readonly server: TeamsConnectorServer;
  readonly notes: NoteStore;
  readonly client: TeamsChatClient;
  readonly thread: TeamsThreadRef;
}

async function world(): Promise<World> {
  const server = await startTeamsConnector();
  for (const [aadObjectId, name] of [
    [ANA, 'Ana Silva'],
    [BOB, 'Bob Stone'],
    [CLEO, 'Cleo Park'],
  ] as const) {
    server.addUser({ aadObjectId, name, email: `${name.split(' ', 1)[0]?.toLowerCase()}@example.com` });
  }
  server.addConversation({ id: CHANNEL, members: [ANA, BOB] });
  server.addConversation({ id: '19:hr@thread.tacv2', members: [ANA], withBot: false });
  const notes = memoryNotes();
  const thread = {
    platform: 'teams',
    tenantId: TEAMS_TENANT,
    serviceUrl: server.serviceUrl,
    conversationId: `${CHANNEL};messageid=1795376915000`,
    botId: `28:${TEAMS_APP}`,
  } as const;
  return { server, notes, client: newClient(server, notes), thread };
}

const show = ({ id, activity }: TeamsMessage) => ({ messageId: id, shown: JSON.stringify(activity) });

async function makeHarness(): Promise<ChatClientHarness> {
  const { server, notes, client, thread } = await world();
  return {
    client,
    otherClient: newClient(server, notes),
    canLook: false,
    thread,
    closedThread: { ...thread, conversationId: '19:hr@thread.tacv2' },
    ana: userId(ANA),
    bob: userId(BOB),
    cleo: userId(CLEO),
    messages: async (where) => server.messages((where as TeamsThreadRef).conversationId).map(show),
    whispers: async (_where, viewer) => server.personalMessages(objectId(viewer)).map(show),
    directMessages: async (id) => server.personalMessages(objectId(id)).map(show),
    remove: ({ messageId }) => server.remove(messageId),
    throttle(retryAfter, times) {
      server.fail('send', { kind: 'throttle', retryAfter }, times);
      server.fail('update', { kind: 'throttle', retryAfter }, times);
    },
    loseNextAnswer: () => server.fail('send', { kind: 'hang' }),
    failNextPost: () => server.fail('send', { kind: 'http', status: 502 }),
    close: () => server.close(),
  };
}

describeChatClientContract('Teams', makeHarness);

describe('TeamsChatClient', () => {
  let server: TeamsConnectorServer;
  let notes: NoteStore;
  let client: TeamsChatClient;
  let thread: TeamsThreadRef;
  const card = SAMPLE_CARDS.outcome;

  beforeEach(async () => {
    ({ server, notes, client, thread } = await world());
  });
  afterEach(() => server.close());

  it('posts a card with a summary for notifications, in the thread and not as a reply to nothing', async () => {
    await client.post(thread, card, { key: 'TRF-1/outcome' });
    const [call] = server.callsOf('send');
    expect(call).toMatchObject({ conversationId: thread.conversationId });
    expect(call?.body).toMatchObject({ summary: card.fallback });
    expect(call?.body).not.toHaveProperty('replyToId');
  });

  it('begins a thread where the policy names a channel only', async () => {
    const channel = { ...thread, conversationId: CHANNEL, serviceUrl: '', botId: '' };
    const ref = await client.post(channel, card, { key: 'TRF-1/approval' });
    expect(server.messages(`${CHANNEL};messageid=${ref.messageId}`)).toHaveLength(1);
    expect(ref.thread).toMatchObject({ serviceUrl: server.serviceUrl, botId: `28:${TEAMS_APP}` });
  });

  it.each([429, 412, 502, 504])('repeats an edit that Teams answers with %d', async (status) => {
    const ref = await client.post(thread, card, { key: 'TRF-1/progress' });
    server.fail('update', { kind: 'http', status }, 2);
    await client.update(ref, card);
    expect(server.callsOf('update')).toHaveLength(3);
  });

  it.each([429, 412, 502, 504])('repeats a post that Teams answers with %d', async (status) => {
    server.fail('send', { kind: 'http', status }, 2);
    await client.post(thread, card, { key: 'TRF-1/progress' });
    expect(server.callsOf('send')).toHaveLength(3);
    expect(server.messages(thread.conversationId)).toHaveLength(1);
  });

  it('gives an edit up with a fault that can be tried again', async () => {
    const ref = await client.post(thread, card, { key: 'TRF-1/progress' });
    server.fail('update', { kind: 'drop' }, 4);
    await expect(client.update(ref, card)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    server.fail('update', { kind: 'http', status: 429 }, 4);
    await expect(client.update(ref, card)).rejects.toMatchObject({ code: 'throttled', retryable: true });
  });

  it('keeps the pace that Teams allows in a thread without being refused', async () => {
    const ref = await client.post(thread, card, { key: 'TRF-1/progress' });
    await Promise.all(Array.from({ length: 12 }, () => client.update(ref, card)));
    expect(server.messages(thread.conversationId)[0]?.edits).toBe(12);
    expect(server.callsOf('update')).toHaveLength(12);
  });

  it('goes where the tenant is now, not where it was when the thread was stored', async () => {
    const moved = { ...thread, serviceUrl: 'http://127.0.0.1:1/gone/' };
    const ref = { thread: moved, messageId: '1.1' };
    await notes.put(`teams:service-url:${TEAMS_TENANT}`, server.serviceUrl);
    const posted = await client.post(moved, card, { key: 'TRF-1/outcome' });
    expect(posted.thread).toMatchObject({ serviceUrl: server.serviceUrl });
    await expect(client.update(ref, card)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('speaks to no server that it does not know', async () => {
    await notes.put(`teams:service-url:${TEAMS_TENANT}`, 'https://evil.example/teams/');
    const error = (await client.post(thread, card, { key: 'k' }).catch((thrown) => thrown)) as FerryError;
    expect(error).toMatchObject({ code: 'not_allowed', retryable: false });
    expect(server.calls).toHaveLength(0);
  });

  it('does not take an unknown refusal for an outage', async () => {
    server.fail('send', { kind: 'http', status: 400, code: 'BadSyntax' });
    await expect(client.post(thread, card, { key: 'k' })).rejects.toMatchObject({
      code: 'internal',
      retryable: false,
    });
    expect(server.callsOf('send')).toHaveLength(1);
  });

  it('tells the thread, but not the secret, where it may not write to a person', async () => {
    server.fail('create', { kind: 'http', status: 403, code: 'ForbiddenOperationException' });
    await client.whisper(thread, userId(BOB), card);
    const [message] = server.messages(thread.conversationId);
    expect(message?.activity.summary).toContain('Add FileFerry to your apps');
    expect(JSON.stringify(message)).not.toContain('acme-ftp');
    expect(server.personalMessages(BOB)).toHaveLength(0);
  });

  it('shows that it works on an answer, and minds no refusal of that', async () => {
    await client.thinking(thread);
    expect(server.callsOf('send')[0]?.body).toMatchObject({ type: 'typing' });
    server.fail('send', { kind: 'http', status: 403 });
    await client.thinking(thread);
    expect(server.all()).toEqual([]);
    expect(server.callsOf('send')).toHaveLength(2);
  });

  it('opens a personal chat once', async () => {
    await client.dm(userId(ANA), card, { key: 'a' });
    await client.dm(userId(ANA), card, { key: 'b' });
    expect(server.callsOf('create')).toHaveLength(1);
    expect(server.personalMessages(ANA)).toHaveLength(2);
  });

  it('does not wait for ever for a token of its own', async () => {
    const connector = createTeamsConnector({
      identity: { appId: TEAMS_APP, appType: 'SingleTenant', tenantId: TEAMS_TENANT },
      serviceUrls: knownServiceUrls([], true),
      now: Date.now,
      timeoutMs: 20,
      backoffMs: [],
      credentials: {
        isValidAppId: async () => true,
        isAuthenticationDisabled: async () => false,
        // As MSAL's, whose POST knows no timeout.
        createCredentials: async () => ({ signRequest: () => new Promise(() => {}) }),
      },
    });
    await expect(connector.send(thread, { type: 'message', text: 'Hello' })).rejects.toMatchObject({
      code: 'timeout',
      retryable: true,
    });
    expect(server.calls).toHaveLength(0);
  });

  it('refuses a thread of another platform', async () => {
    const slack = { platform: 'slack', teamId: 'T', channelId: 'C' } as const;
    await expect(client.post(slack, card, { key: 'k' })).rejects.toMatchObject({ code: 'internal' });
  });
});

it('shows that it types, which is no message', async () => {
  const { server, client, thread } = await world();
  try {
    expect(await client.thinking(thread)).toBe(true);
    expect(server.all()).toEqual([]);
    server.fail('send', { kind: 'http', status: 403 });
    expect(await client.thinking(thread)).toBe(false);
  } finally {
    await server.close();
  }
});
