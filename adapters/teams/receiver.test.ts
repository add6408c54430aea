/** The Teams endpoint over real HTTP, with tokens signed by keys of our own: who gets in, and what follows. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type MicrosoftKeys,
  publishMicrosoftKeys,
  type TokenClaims,
} from '../../test/fakes/microsoft-keys.ts';
import { startTeamsConnector, type TeamsConnectorServer } from '../../test/fakes/teams-connector.ts';
import { personalIdOf, TEAMS_APP, TEAMS_TENANT } from '../../test/fakes/teams-world.ts';
import { memoryNotes } from '../../test/support/memory-notes.ts';
import type { ChatEvent } from '../chat-event.ts';
import type { EventHandler, Receiver } from '../receiver.ts';
import { createClicks } from './clicks.ts';
import { TeamsChatClient } from './client.ts';
import { createTeamsConnector } from './connector.ts';
import { teamsReceiver } from './receiver.ts';
import { createRoutes } from './routes.ts';
import type { ServiceUrls } from './service-urls.ts';
import { teamsConnection } from './teams.ts';

const logger = pino({ level: 'silent' });
const ANA = '00000000-0000-0000-0000-00000000000a';
const GUS = '00000000-0000-0000-0000-000000000006';
const EVE = '00000000-0000-0000-0000-000000000005';
/** Allowed, and nobody's whose addresses are vouched for. */
const ALLIED_TENANT = 'another-tenant';
/** Joined a meeting by its link: has no account. */
const ANN = 'anonymous-00000000';
const CHANNEL = '19:transfers@thread.tacv2';
const BOT_TOKEN = 'bot-token';

let keys: MicrosoftKeys;
let teams: TeamsConnectorServer;
let server: Server;
let receiver: Receiver;
let client: TeamsChatClient;
let events: ChatEvent[];
let handler: EventHandler;
let url: string;

beforeEach(async () => {
  // botbuilder writes about every token that does not hold.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  keys = await publishMicrosoftKeys();
  teams = await startTeamsConnector({ token: BOT_TOKEN });
  teams.addUser({ aadObjectId: ANA, name: 'Ana Silva', email: 'ana@example.com' });
  teams.addUser({ aadObjectId: GUS, name: 'Gus', userRole: 'guest' });
  teams.addUser({
    aadObjectId: EVE,
    name: 'Eve',
    email: 'bob@example.com',
    tenantId: ALLIED_TENANT,
  });
  teams.addUser({ aadObjectId: ANN, name: 'Ann', userRole: 'anonymous' });
  teams.addConversation({ id: CHANNEL, members: [ANA, GUS, EVE, ANN] });
  const serviceUrls: ServiceUrls = { allows: (given) => given.startsWith('http://127.0.0.1:') };
  const connector = createTeamsConnector({
    identity: { appId: TEAMS_APP, appType: 'SingleTenant', tenantId: TEAMS_TENANT },
    serviceUrls,
    now: Date.now,
    timeoutMs: 1_000,
    backoffMs: [1, 1],
    authority: keys.authority,
    credentials: {
      isAuthenticationDisabled: async () => false,
      isValidAppId: async (appId) => appId === TEAMS_APP,
      createCredentials: async () => ({
        async signRequest(request) {
          request.headers.set('authorization', `Bearer ${BOT_TOKEN}`);
          return request;
        },
      }),
    },
  });
  const notes = memoryNotes();
  const common = { now: Date.now, logger };
  const routes = createRoutes({ notes, appId: TEAMS_APP, fallback: teams.serviceUrl, ...common });
  const clicks = createClicks();
  client = new TeamsChatClient({ connector, routes, notes, clicks, ...common });
  receiver = teamsReceiver({
    connector,
    client,
    clicks,
    routes,
    notes,
    serviceUrls,
    allowedTenants: [TEAMS_TENANT, ALLIED_TENANT],
    emailTenants: [TEAMS_TENANT],
    local: false,
    clickWaitMs: 200,
    ...common,
  });
  events = [];
  handler = async (event) => {
    events.push(event);
    return 'accepted';
  };
  await receiver.start((event) => handler(event));
  server = createServer((req, res) => receiver.routes['/api/messages']?.(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/messages`;
  connect();
});
afterEach(async () => {
  await receiver.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await Promise.all([teams.close(), keys.close()]);
  vi.restoreAllMocks();
});

const good = () => ({ aud: TEAMS_APP, serviceurl: teams.serviceUrl });
function connect(authorization = () => `Bearer ${keys.token(good())}`) {
  teams.people.connect({ url, authorization });
}

describe('who gets in', () => {
  it('is Teams, with a token for this bot and this service URL', async () => {
    const said = await teams.people.mention(ANA, CHANNEL, 'help');
    expect(said).toMatchObject({ status: 200, body: undefined });
    expect(events).toMatchObject([
      {
        kind: 'message',
        text: 'help',
        scope: 'channel',
        person: {
          userId: `teams:${TEAMS_TENANT}:${ANA}`,
          name: 'Ana Silva',
          email: 'ana@example.com',
          standing: 'member',
        },
      },
    ]);
    expect(teams.callsOf('member').every((call) => call.authorization === `Bearer ${BOT_TOKEN}`)).toBe(true);
  });

  /** As the bot itself gets them to speak to Teams; botbuilder takes such a token for one of its Emulator. */
  const ofDirectory = (iss: string, tid: string, claims: TokenClaims) =>
    `Bearer ${keys.token({ iss, tid, aud: 'https://api.botframework.com', ...claims })}`;
  const BOT_FRAMEWORK_TENANT = 'd6d49420-f39b-4df7-a1dc-d59a935871db';

  const seconds = () => Math.floor(Date.now() / 1_000);
  it.each<[string, () => string]>([
    ['no token', () => ''],
    ['garbage', () => 'Bearer garbage'],
    ['another scheme', () => 'Basic YTpi'],
    ['another issuer', () => `Bearer ${keys.token({ ...good(), iss: 'https://evil.example' })}`],
    ['another audience', () => `Bearer ${keys.token({ ...good(), aud: 'another-app' })}`],
    ['no audience', () => `Bearer ${keys.token({ serviceurl: teams.serviceUrl })}`],
    ['a token that expired', () => `Bearer ${keys.token({ ...good(), exp: seconds() - 3_600 })}`],
    ['a token of tomorrow', () => `Bearer ${keys.token({ ...good(), nbf: seconds() + 3_600 })}`],
    ['another service URL', () => `Bearer ${keys.token({ ...good(), serviceurl: 'http://127.0.0.1:1/' })}`],
    ['a stranger’s signature', () => `Bearer ${keys.token(good(), 'a stranger')}`],
    ['no signature', () => `Bearer ${keys.token(good(), 'nobody')}`],
    [
      'the bot’s own token',
      () =>
        ofDirectory(`https://sts.windows.net/${TEAMS_TENANT}/`, TEAMS_TENANT, {
          ver: '1.0',
          appid: TEAMS_APP,
        }),
    ],
    [
      'the bot’s own token, version 2',
      () =>
        ofDirectory(`https://login.microsoftonline.com/${TEAMS_TENANT}/v2.0`, TEAMS_TENANT, {
          ver: '2.0',
          azp: TEAMS_APP,
        }),
    ],
    [
      'a token of the tenant botframework.com',
      () =>
        ofDirectory(`https://sts.windows.net/${BOT_FRAMEWORK_TENANT}/`, BOT_FRAMEWORK_TENANT, {
          ver: '1.0',
          appid: TEAMS_APP,
        }),
    ],
    [
      'a token of the tenant botframework.com, version 2',
      () =>
        ofDirectory(`https://login.microsoftonline.com/${BOT_FRAMEWORK_TENANT}/v2.0`, BOT_FRAMEWORK_TENANT, {
          ver: '2.0',
          azp: TEAMS_APP,
        }),
    ],
    // botbuilder remembers every tenant that a token names, genuine or not, for as long as the process lives.
    ['another tenant’s name', () => `Bearer ${keys.token({ ...good(), tid: 'a-stranger' })}`],
    ['two tokens', () => `Bearer ${keys.token(good())} ${keys.token(good())}`],
  ])('is nobody with %s', async (_, authorization) => {
    connect(authorization);
    const said = await teams.people.mention(ANA, CHANNEL, 'help');
    expect(said).toMatchObject({ status: 401, body: undefined });
    expect(events).toEqual([]);
    expect(teams.calls).toEqual([]);
  });

  it('is nobody by a key that is not endorsed for Teams', async () => {
    keys.endorse(['webchat']);
    expect(await teams.people.mention(ANA, CHANNEL, 'help')).toMatchObject({ status: 401, body: undefined });
    expect(events).toEqual([]);
  });

  it.each([
    ['another channel', { channelId: 'webchat' }],
    ['a channel that checks no endorsement', { channelId: undefined }],
    ['no service URL', { serviceUrl: undefined }],
    ['an unknown server', { serviceUrl: 'https://evil.example/' }],
    [
      'another tenant',
      { conversation: { id: CHANNEL, tenantId: 'b' }, channelData: { tenant: { id: 'b' } } },
    ],
    ['two tenants at once', { channelData: { tenant: { id: 'b' } } }],
  ])('is nobody with %s', async (_, change) => {
    const { activity } = await teams.people.mention(ANA, CHANNEL, 'help');
    events = [];
    const changed = await teams.people.deliver({ ...activity, ...change });
    expect(changed).toMatchObject({ status: 401, body: undefined });
    expect(events).toEqual([]);
  });

  it('is known by the roster where the activity has no directory id, and ignored where neither has', async () => {
    const { activity } = await teams.people.mention(ANA, CHANNEL, 'help');
    const from = { id: `29:${ANA}`, name: 'Ana' };
    await teams.people.deliver({ ...activity, from });
    expect(new Set(events.map(({ person }) => person.userId))).toEqual(
      new Set([`teams:${TEAMS_TENANT}:${ANA}`]),
    );
    events = [];
    const stranger = { ...activity, from: { id: `29:${ANN}`, name: 'Ann' } };
    expect(await teams.people.deliver(stranger)).toMatchObject({ status: 200, body: undefined });
    expect(events).toEqual([]);
  });

  it('knows guests and people of other tenants as external', async () => {
    await teams.people.mention(GUS, CHANNEL, 'help');
    await teams.people.mention(EVE, CHANNEL, 'help');
    expect(events.map(({ person }) => person.standing)).toEqual(['external', 'external']);
  });
});

it('takes no address from another tenant, for its administrators write there what they like', async () => {
  const { activity } = await teams.people.mention(EVE, CHANNEL, 'help');
  events = [];
  const conversation = { ...(activity.conversation as object), tenantId: ALLIED_TENANT };
  const tenant = { id: ALLIED_TENANT };
  await teams.people.deliver({ ...activity, conversation, channelData: { tenant } });
  expect(events.map(({ person }) => person)).toEqual([
    { userId: `teams:${ALLIED_TENANT}:${EVE}`, name: 'Eve', standing: 'member' },
  ]);
});

it('answers from now on where the latest activity of the tenant came from', async () => {
  await teams.people.mention(ANA, CHANNEL, 'help');
  const thread = events[0]?.thread;
  if (!thread) throw new Error('no event');
  const moved = await startTeamsConnector({ token: BOT_TOKEN });
  try {
    moved.addUser({ aadObjectId: ANA, name: 'Ana Silva' });
    moved.addConversation({ id: CHANNEL, members: [ANA] });
    moved.people.connect({
      url,
      authorization: () => `Bearer ${keys.token({ aud: TEAMS_APP, serviceurl: moved.serviceUrl })}`,
    });
    expect((await moved.people.mention(ANA, CHANNEL, 'again')).status).toBe(200);
    const card = { fallback: 'x', elements: [{ type: 'text', lines: [['Hello']] }] } as const;
    const { thread: now } = await client.post(thread, card, { key: 'TRF-1/outcome' });
    expect(now).toMatchObject({ serviceUrl: moved.serviceUrl });
    expect([teams.all().length, moved.all().length]).toEqual([0, 1]);
  } finally {
    await moved.close();
  }
});

describe('acknowledging', () => {
  it('is refused while an event cannot be claimed, so that Teams delivers again', async () => {
    handler = () => Promise.reject(new Error('the table is away'));
    expect(await teams.people.mention(ANA, CHANNEL, 'help')).toMatchObject({ status: 503, body: undefined });
  });

  it('is refused while Teams does not say who asks', async () => {
    teams.fail('member', { kind: 'http', status: 500 }, 9);
    expect((await teams.people.mention(ANA, CHANNEL, 'help')).status).toBe(503);
    expect(events).toEqual([]);
  });

  it('has one key for a message, however often it is delivered', async () => {
    const { activity } = await teams.people.mention(ANA, CHANNEL, 'help');
    await teams.people.deliver(activity);
    await teams.people.mention(ANA, CHANNEL, 'help');
    const [first, again, other] = events.map(({ key }) => key);
    expect(first).toBe(again);
    expect(first).not.toBe(other);
  });

  it.each(['messageReaction', 'typing', 'conversationUpdate'])('ignores %s', async (type) => {
    const { activity } = await teams.people.mention(ANA, CHANNEL, 'help');
    events = [];
    expect((await teams.people.deliver({ ...activity, type })).status).toBe(200);
    expect(events).toEqual([]);
  });

  it('takes an activity without a type for nothing', async () => {
    const { activity } = await teams.people.mention(ANA, CHANNEL, 'help');
    events = [];
    expect((await teams.people.deliver({ ...activity, type: undefined })).status).toBe(200);
    expect(events).toEqual([]);
  });
});

describe('clicks', () => {
  const click = () =>
    teams.people.click(ANA, { id: '17', conversationId: CHANNEL }, { verb: 'approve', value: '{}' });
  const lines = (text: string) =>
    ({ fallback: text, elements: [{ type: 'text', lines: [[text]] }] }) as const;

  it('are answered with the card that they changed', async () => {
    await teams.people.mention(ANA, CHANNEL, 'send it');
    const thread = events[0]?.thread;
    if (!thread) throw new Error('no event');
    const { messageId } = await client.post(thread, lines('before'), { key: 'TRF-1/approval' });
    const done = Promise.withResolvers<void>();
    handler = async (event) => {
      if (event.kind === 'action')
        setTimeout(() => client.update(event.message, lines('after')).then(done.resolve, done.reject), 1);
      return 'accepted';
    };
    const message = teams.all().find(({ id }) => id === messageId);
    if (!message) throw new Error('no message');
    const { body } = await teams.people.click(ANA, message, { verb: 'approve', value: '{}' });
    await done.promise;
    expect(body).toMatchObject({
      statusCode: 200,
      type: 'application/vnd.microsoft.card.adaptive',
      value: { fallbackText: 'after' },
    });
    expect(message.edits).toBe(1);
  });

  it('are not answered by what began before them', async () => {
    const said = await teams.people.mention(ANA, CHANNEL, 'send it');
    const thread = events[0]?.thread;
    if (!thread) throw new Error('no event');
    const ref = await client.post(thread, lines('before'), { key: 'TRF-1/approval' });
    const held = Promise.withResolvers<void>();
    teams.hold('update', held.promise);
    const earlier = client.update(ref, lines('with its tickets'));
    handler = async (event) => {
      held.resolve();
      void earlier.then(async () => {
        if (event.kind === 'action') await client.update(event.message, lines('after'));
      });
      return 'accepted';
    };
    const { body } = await teams.people.click(
      ANA,
      { id: ref.messageId, conversationId: said.conversationId },
      { verb: 'approve', value: '{}' },
    );
    expect(body).toMatchObject({ value: { fallbackText: 'after' } });
  });

  it('are answered with the sentence that was meant for the clicker alone', async () => {
    handler = async (event) => {
      setTimeout(() => void client.whisper(event.thread, event.person.userId, lines('You may not.')), 1);
      return 'accepted';
    };
    expect((await click()).body).toEqual({
      statusCode: 200,
      type: 'application/vnd.microsoft.activity.message',
      value: 'You may not.',
    });
    expect(teams.personalMessages(ANA)).toHaveLength(0);
  });

  it('are not answered by what others are told in the same conversation', async () => {
    handler = async (event) => {
      void client
        .post(event.thread, lines('for somebody else'), { key: 'TRF-2/progress' })
        .then(() => client.whisper(event.thread, event.person.userId, lines('You may not.')));
      return 'accepted';
    };
    expect((await click()).body).toMatchObject({ value: 'You may not.' });
  });

  it.each([
    ['in the personal chat', () => ({ id: '17', conversationId: personalIdOf(ANA) }), 'status'],
    ['where a choice is made', () => ({ id: '17', conversationId: CHANNEL }), 'choose'],
  ])('are answered by the message that they cause %s', async (_, message, verb) => {
    handler = async (event) => {
      setTimeout(() => void client.post(event.thread, lines('Here.'), { key: 'reply' }), 1);
      return 'accepted';
    };
    const { body } = await teams.people.click(ANA, message(), { verb, value: '{}' });
    expect(body).toMatchObject({ value: 'I answered in the conversation.' });
  });

  it('are answered in words where the activity is of an unknown form', async () => {
    const { activity } = await click();
    const odd = await teams.people.deliver({ ...activity, from: {} });
    expect(odd).toMatchObject({ status: 200, body: { value: expect.stringContaining('do not know this') } });
  });

  it('are answered with a sentence when nothing comes in time', async () => {
    expect((await click()).body).toMatchObject({ value: expect.stringContaining('I have your click') });
  });

  it('are told what went wrong, for Teams does not deliver them again', async () => {
    handler = () => Promise.reject(new Error('the table is away'));
    expect(await click()).toMatchObject({
      status: 200,
      body: { value: expect.stringContaining('try again') },
    });
  });

  it.each([
    [{ action: { type: 'Action.Execute', verb: 'destroy', data: { value: '' } } }],
    [{ action: { type: 'Action.Execute', verb: 'approve' } }],
    [{}],
  ])('that are none of ours are answered in words: %j', async (value) => {
    const { activity } = await click();
    events = [];
    const odd = await teams.people.deliver({ ...activity, value });
    expect(odd).toMatchObject({
      status: 200,
      body: { value: expect.stringContaining('do not know this button') },
    });
    expect(events).toEqual([]);
  });

  it('that claim to belong to a conversation without the clicker are refused', async () => {
    teams.addConversation({ id: '19:board@thread.v2', members: [GUS] });
    const forged = await teams.people.click(
      ANA,
      { id: '17', conversationId: personalIdOf(ANA) },
      { verb: 'choose', value: '{}', thread: '19:board@thread.v2' },
    );
    expect(forged.body).toMatchObject({ value: expect.stringContaining('who you are') });
    expect(events).toEqual([]);
  });
});

it('greets once where it was added', async () => {
  await teams.people.install(ANA, personalIdOf(ANA));
  await teams.people.install(ANA, personalIdOf(ANA));
  await vi.waitFor(() => expect(teams.personalMessages(ANA)).toHaveLength(1));
});

describe('without authentication', () => {
  let local: Server;
  beforeEach(async () => {
    const env = {
      TEAMS_LOCAL_NO_AUTH: true,
      TEAMS_SERVICE_HOSTS: [],
      TEAMS_SERVICE_URL: teams.serviceUrl,
    };
    const connection = teamsConnection(env, { notes: memoryNotes(), log: logger, now: Date.now });
    await connection.receiver.start((event) => handler(event));
    local = createServer((req, res) => connection.receiver.routes['/api/messages']?.(req, res));
    await new Promise<void>((resolve) => local.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(local.address() as AddressInfo).port}/api/messages`;
    teams.people.connect({ url });
  });
  afterEach(async () => {
    local.closeAllConnections();
    await new Promise((resolve) => local.close(resolve));
  });
  const post = (body: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(url, { method: 'POST', body: JSON.stringify(body), headers });

  it('takes requests of this machine alone, not those that a proxy on it passes on', async () => {
    // The fake asks for the bot's token, which there is none of here: nobody is looked up.
    const { activity, status } = await teams.people.mention(ANA, CHANNEL, 'help');
    expect(status).toBe(503);
    for (const header of ['forwarded', 'x-forwarded-for'])
      expect((await post(activity, { [header]: '203.0.113.7' })).status).toBe(401);
  });

  it('speaks to no server beyond this machine', async () => {
    const { activity } = await teams.people.mention(ANA, CHANNEL, 'help');
    const elsewhere = { ...activity, serviceUrl: 'https://smba.trafficmanager.net/amer/' };
    expect((await post(elsewhere)).status).toBe(401);
    expect(events).toEqual([]);
  });
});
