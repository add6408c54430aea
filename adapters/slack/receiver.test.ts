/** Slack's receivers over real sockets: nothing is acknowledged before it is claimed, nothing unsigned gets in. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SLACK_BOT, type SlackServer, startSlackServer } from '../../test/fakes/slack-server.ts';
import {
  postSignedCommand,
  postSignedInteraction,
  postSignedJson,
  type SignedRequest,
} from '../../test/fakes/slack-signer.ts';
import {
  clickPayload,
  commandPayload,
  directEvent,
  eventCallback,
  mentionEvent,
  mentionMessageEvent,
  threadReplyEvent,
} from '../../test/fixtures/slack-payloads.ts';
import { type ChatEvent, chatEventSchema } from '../chat-event.ts';
import type { Receiver } from '../receiver.ts';
import { slackHttpReceiver, slackSocketReceiver } from './receiver.ts';
import { createSlackApi, type SlackApi } from './web-api.ts';

const secret = 'signing-secret';

let slack: SlackServer;
let api: SlackApi;
let receiver: Receiver;
let claimed: ChatEvent[];
/** What claiming an event comes to; a test may make it fail or wait. */
let claim: () => Promise<'accepted' | 'duplicate'>;
let logged: string[];
const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });

beforeEach(async () => {
  logged = [];
  claimed = [];
  claim = async () => 'accepted';
  slack = await startSlackServer();
  slack.addUser({ id: 'U01ANA', name: 'ana' });
  slack.addUser({ id: 'U02BOB', name: 'bob' });
  api = createSlackApi({ token: SLACK_BOT.token, apiUrl: slack.url, logger, backoffMs: [] });
});

const handler = async (event: ChatEvent) => {
  const outcome = await claim();
  claimed.push(chatEventSchema.parse(event));
  return outcome;
};

describe('slackHttpReceiver', () => {
  let server: Server;
  let request: SignedRequest;

  beforeEach(async () => {
    receiver = slackHttpReceiver({ api, logger, now: Date.now, signingSecret: secret, stopDeadlineMs: 200 });
    server = createServer((req, res) => receiver.routes[req.url ?? '']?.(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    request = { url: `http://127.0.0.1:${port}/slack/events`, secret };
    await receiver.start(handler);
  });
  afterEach(async () => {
    await receiver.stop();
    server.closeAllConnections();
    server.close();
    await slack.close();
  });

  const status = async (response: Promise<Response>): Promise<number> => (await response).status;
  const now = (): number => Math.floor(Date.now() / 1_000);

  it('takes mentions, direct messages, clicks and commands', async () => {
    expect(receiver.ready()).toBe(true);
    expect(await status(postSignedJson(request, eventCallback(mentionEvent)))).toBe(200);
    expect(await status(postSignedJson(request, eventCallback(directEvent)))).toBe(200);
    expect(await status(postSignedInteraction(request, clickPayload))).toBe(200);
    const command = await postSignedCommand(request, commandPayload);
    expect(await command.json()).toEqual({ response_type: 'ephemeral', text: 'On it.' });
    expect(claimed.map((event) => [event.kind, event.person.name])).toEqual([
      ['message', 'ana'],
      ['message', 'ana'],
      ['action', 'bob'],
      ['message', 'ana'],
    ]);
  });

  it('gives the two events of one mention one key', async () => {
    await postSignedJson(request, eventCallback(mentionMessageEvent));
    await postSignedJson({ ...request, retryNum: 1 }, eventCallback(mentionEvent));
    expect(new Set(claimed.map(({ key }) => key)).size).toBe(1);
    expect(claimed).toHaveLength(2);
  });

  it('does not acknowledge what could not be claimed', async () => {
    claim = () => Promise.reject(new Error('the table is gone'));
    expect(await status(postSignedJson(request, eventCallback(mentionEvent)))).toBe(503);
    expect(await status(postSignedInteraction(request, clickPayload))).toBe(503);
    expect(await status(postSignedCommand(request, commandPayload))).toBe(503);
    claim = async () => 'accepted';
    expect(await status(postSignedJson({ ...request, retryNum: 1 }, eventCallback(mentionEvent)))).toBe(200);
    expect(claimed).toHaveLength(1);
  });

  it('does not acknowledge while Slack does not say who it was', async () => {
    slack.fail('users.info', { kind: 'http', status: 500 });
    expect(await status(postSignedJson(request, eventCallback(mentionEvent)))).toBe(503);
    expect(claimed).toHaveLength(0);
  });

  it('reads no more than Slack would ever send, signed or not', async () => {
    const headers = { 'content-type': 'application/json' };
    const long = { method: 'POST', headers, body: 'x'.repeat(2_000_001) };
    expect(await status(fetch(request.url, long))).toBe(413);
    const body = new ReadableStream({
      pull: (stream) => stream.enqueue(new TextEncoder().encode('endless')),
    });
    const endless = { method: 'POST', headers, body, duplex: 'half' } as const;
    expect(await status(fetch(request.url, endless))).toBe(413);
    expect(await status(postSignedJson(request, eventCallback(mentionEvent)))).toBe(200);
  });

  it.each([
    ['a wrong secret', () => ({ secret: 'forged' })],
    ['an old timestamp', () => ({ timestamp: now() - 6 * 60 })],
    ['no timestamp', () => ({ timestamp: Number.NaN })],
  ])('answers %s with 401 and logs it', async (_, forge) => {
    const forged = { ...request, ...forge() };
    expect(await status(postSignedJson(forged, eventCallback(mentionEvent)))).toBe(401);
    expect(await status(postSignedInteraction(forged, clickPayload))).toBe(401);
    expect(claimed).toHaveLength(0);
    expect(logged.filter((line) => line.includes('verify')).length).toBe(2);
    expect(logged.join()).not.toContain('q3.pdf');
  });

  it('answers what is not signed at all with 401', async () => {
    const body = JSON.stringify(eventCallback(mentionEvent));
    expect(await status(fetch(request.url, { method: 'POST', body }))).toBe(401);
    expect(await status(fetch(request.url))).toBe(405);
  });

  it('proves to Slack that the address is ours', async () => {
    const response = await postSignedJson(request, { type: 'url_verification', challenge: 'c-1' });
    expect(await response.json()).toEqual({ challenge: 'c-1' });
  });

  it('acknowledges what it has no use for', async () => {
    const join = { ...mentionMessageEvent, subtype: 'channel_join' };
    expect(await status(postSignedJson(request, eventCallback(join)))).toBe(200);
    expect(await status(postSignedJson(request, eventCallback({ ...directEvent, user: 'U0FERRY' })))).toBe(
      200,
    );
    expect(await status(postSignedJson(request, { type: 'something_new' }))).toBe(200);
    expect(claimed).toHaveLength(0);
  });

  it('takes replies without a mention only in threads where the bot takes part', async () => {
    slack.addChannel({ id: 'C01OPS', members: ['U01ANA', SLACK_BOT.userId] });
    const root = slack.say('C01OPS', 'U01ANA', 'anybody for lunch?');
    const reply = { ...threadReplyEvent, thread_ts: root };
    await postSignedJson(request, eventCallback(reply));
    await postSignedJson(request, eventCallback({ ...reply, ts: '1795376921.000100' }));
    expect(claimed).toHaveLength(0);
    expect(slack.callsOf('conversations.replies')).toHaveLength(1);

    await postSignedJson(
      request,
      eventCallback({ ...mentionEvent, ts: '1795376922.000100', thread_ts: root }),
    );
    await postSignedJson(request, eventCallback({ ...reply, ts: '1795376923.000100' }));
    expect(claimed).toHaveLength(2);

    const older = slack.say('C01OPS', 'U01ANA', '<@U0FERRY> status');
    await postSignedJson(request, eventCallback({ ...threadReplyEvent, thread_ts: older }));
    expect(claimed).toHaveLength(3);
    expect(slack.callsOf('conversations.replies')).toHaveLength(2);
  });

  it('stops: waits for what is under way, refuses what comes', async () => {
    let finish = (): void => {};
    const entered = new Promise<void>((resolve) => {
      claim = () => {
        resolve();
        return new Promise((done) => {
          finish = () => done('accepted');
        });
      };
    });
    const first = postSignedJson(request, eventCallback(mentionEvent));
    await entered;
    const stopped = receiver.stop();
    expect(receiver.ready()).toBe(false);
    expect(await status(postSignedJson(request, eventCallback(directEvent)))).toBe(503);
    finish();
    expect(await status(first)).toBe(200);
    await stopped;
    expect(claimed).toHaveLength(1);
  });

  it('stops at its deadline though a handler hangs', async () => {
    const entered = new Promise<void>((resolve) => {
      claim = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    postSignedJson(request, eventCallback(mentionEvent)).catch(() => {});
    await entered;
    await receiver.stop();
    expect(claimed).toHaveLength(0);
  });
});

describe('slackSocketReceiver', () => {
  const options = () => ({
    api,
    logger,
    now: Date.now,
    appToken: SLACK_BOT.appToken,
    apiUrl: slack.url,
    stopDeadlineMs: 500,
  });

  beforeEach(() => {
    receiver = slackSocketReceiver(options());
  });
  afterEach(async () => {
    await receiver.stop();
    await slack.close();
  });

  it('acknowledges what was claimed, and only then', async () => {
    expect(receiver.ready()).toBe(false);
    await receiver.start(handler);
    expect(receiver.ready()).toBe(true);
    expect(receiver.routes).toEqual({});
    const socket = await slack.socket();
    let release = (): void => {};
    const entered = new Promise<void>((resolve) => {
      claim = () => {
        resolve();
        return new Promise((done) => {
          release = () => done('accepted');
        });
      };
    });
    const delivery = socket.deliver('events_api', eventCallback(mentionEvent));
    await entered;
    expect(socket.ackedIds).toEqual([]);
    release();
    await delivery.acked;
    expect(claimed).toHaveLength(1);

    claim = async () => 'duplicate';
    await socket.deliver('events_api', eventCallback(mentionEvent)).acked;
    await socket.deliver('interactive', clickPayload).acked;
    const command = await socket.deliver('slash_commands', commandPayload).acked;
    expect(command).toEqual({ response_type: 'ephemeral', text: 'On it.' });
    expect(claimed.map(({ kind }) => kind)).toEqual(['message', 'message', 'action', 'message']);
  });

  it('does not acknowledge what could not be claimed', async () => {
    await receiver.start(handler);
    const socket = await slack.socket();
    claim = () => Promise.reject(new Error('the table is gone'));
    const lost = socket.deliver('events_api', eventCallback(mentionEvent));
    await expect.poll(() => logged.filter((line) => line.includes('not acknowledged')).length).toBe(1);
    claim = async () => 'accepted';
    const again = socket.deliver('events_api', eventCallback(mentionEvent));
    await again.acked;
    expect(socket.ackedIds).toEqual([again.id]);
    expect(lost.id).not.toBe(again.id);
    expect(claimed).toHaveLength(1);
  });

  it('is not ready while the connection is lost', async () => {
    await receiver.start(handler);
    (await slack.socket()).cut();
    await expect.poll(() => receiver.ready()).toBe(false);
  });

  it('says so when Slack refuses its token', async () => {
    slack.fail('apps.connections.open', { kind: 'error', error: 'invalid_auth' });
    await expect(receiver.start(handler)).rejects.toMatchObject({ code: 'not_allowed' });
  });
});
