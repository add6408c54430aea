import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { type FakeRuntimeApi, startLambdaRuntimeApi } from '../test/fakes/lambda-runtime-api.ts';
import { serveInvocations } from './lambda-runtime.ts';

const log = pino({ level: 'silent' });
let lambda: FakeRuntimeApi;
let bot: Server;
let botUrl: string;
let stopping: AbortController;
let received: { path: string | undefined; signature: unknown; body: string }[];

beforeEach(async () => {
  received = [];
  stopping = new AbortController();
  lambda = await startLambdaRuntimeApi();
  bot = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += String(part);
    received.push({ path: req.url, signature: req.headers['x-slack-signature'], body });
    res.setHeader('content-type', 'application/json').setHeader('x-internal', 'no').end('{"ok":true}');
  });
  botUrl = await listenLocally(bot);
});
afterEach(async () => {
  stopping.abort();
  await Promise.all([lambda.stop(), closeServer(bot)]);
});

const serve = (finishTurns: () => Promise<void>, changes: { answerMs?: number } = {}) => {
  serveInvocations({
    ...changes,
    api: lambda.address,
    botUrl,
    finishTurns,
    now: Date.now,
    log,
    signal: stopping.signal,
  }).catch(() => {});
};
const post = (body: string, changes: object = {}) => ({
  rawPath: '/slack/events',
  headers: { 'x-slack-signature': 'v0=abc', 'content-type': 'application/json' },
  body,
  requestContext: { http: { method: 'POST' } },
  ...changes,
});

it('answers before the turn is done, and asks for more only afterwards', async () => {
  const turn = Promise.withResolvers<void>();
  serve(() => {
    lambda.story.push('turn');
    return turn.promise;
  });
  lambda.deliver(post('{"type":"event_callback"}'));
  await vi.waitFor(() => expect(lambda.story).toEqual(['next', 'response to request-1', 'turn']));
  expect(received).toEqual([
    { path: '/slack/events', signature: 'v0=abc', body: '{"type":"event_callback"}' },
  ]);
  expect(lambda.answers[0]).toEqual({
    head: { statusCode: 200, headers: { 'content-type': 'application/json' } },
    body: '{"ok":true}',
  });
  turn.resolve();
  await vi.waitFor(() => expect(lambda.story.at(-1)).toBe('next'));
});

it('passes bytes as they were signed, and nothing but POST', async () => {
  serve(async () => {});
  lambda.deliver(
    post(Buffer.from('payload=%7B%7D').toString('base64'), { isBase64Encoded: true, rawQueryString: 'a=1' }),
  );
  await vi.waitFor(() => expect(lambda.answers).toHaveLength(1));
  expect(received[0]).toMatchObject({ path: '/slack/events?a=1', body: 'payload=%7B%7D' });
  lambda.deliver(post('', { rawPath: '/readyz', requestContext: { http: { method: 'GET' } } }));
  await vi.waitFor(() => expect(lambda.answers[1]?.head.statusCode).toBe(405));
  expect(received).toHaveLength(1);
});

it.each(['/readyz', '/', '/slack/events/../../readyz', '/slack/events%2F..', '/API/messages'])(
  'knows no path but those of chat platforms: %s',
  async (rawPath) => {
    serve(async () => {});
    lambda.deliver(post('{}', { rawPath }));
    await vi.waitFor(() => expect(lambda.answers[0]?.head).toEqual({ statusCode: 404, headers: {} }));
    expect(received).toEqual([]);
  },
);

it.each(['//', '/\\', '\\\\', 'http://'])(
  'speaks to the bot alone, whatever host follows %j',
  async (begin) => {
    let reached = 0;
    const inside = createServer((_req, res) => {
      reached += 1;
      res.end('secret');
    });
    const { host } = new URL(await listenLocally(inside));
    serve(async () => {});
    lambda.deliver(post('{}', { rawPath: `${begin}${host}/api/messages` }));
    await vi.waitFor(() => expect(lambda.answers).toHaveLength(1));
    await closeServer(inside);
    expect(lambda.answers[0]).toEqual({ head: { statusCode: 404, headers: {} }, body: '' });
    expect(reached).toBe(0);
    expect(received).toEqual([]);
  },
);

it('answers 503 when the bot takes too long', async () => {
  bot.removeAllListeners('request');
  const asked = Promise.withResolvers<void>();
  bot.on('request', () => asked.resolve());
  serve(async () => {}, { answerMs: 50 });
  lambda.deliver(post('{}', { rawPath: '/api/messages' }));
  await asked.promise;
  await vi.waitFor(() =>
    expect(lambda.answers[0]?.head).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } }),
  );
});

it('finishes what was left when it is only woken', async () => {
  const finished = vi.fn(async () => {});
  serve(finished);
  lambda.deliver({ source: 'aws.events' });
  await vi.waitFor(() => expect(lambda.story).toEqual(['next', 'response to request-1', 'next']));
  expect(finished).toHaveBeenCalledOnce();
  expect(received).toEqual([]);
});

it('answers 503 when the bot does not, so that the platform tries again', async () => {
  await closeServer(bot);
  serve(async () => {});
  lambda.deliver(post('{}'));
  await vi.waitFor(() =>
    expect(lambda.answers[0]?.head).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } }),
  );
  bot = createServer();
  botUrl = await listenLocally(bot);
});
