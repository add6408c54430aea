import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { serveInvocations } from './lambda-runtime.ts';

const log = pino({ level: 'silent' });
let runtimeApi: Server;
let bot: Server;
let api: string;
let botUrl: string;
let stopping: AbortController;
/** What happened, in order. */
let story: string[];
let answers: { head: { statusCode: number; headers: Record<string, string> }; body: string }[];
let events: unknown[];
let received: { path: string | undefined; signature: unknown; body: string }[];
/** Answers a request for the next invocation that is waiting. */
let deliver: () => void;

beforeEach(async () => {
  [story, answers, events, received] = [[], [], [], []];
  stopping = new AbortController();
  let waiting: (() => void) | undefined;
  let number = 0;
  deliver = () => {
    if (events.length === 0 || !waiting) return;
    const answer = waiting;
    waiting = undefined;
    answer();
  };
  runtimeApi = createServer(async (req, res) => {
    if (req.url === '/2018-06-01/runtime/invocation/next') {
      story.push('next');
      waiting = () => {
        number += 1;
        res.setHeader('lambda-runtime-aws-request-id', `request-${number}`);
        res.setHeader('lambda-runtime-deadline-ms', String(Date.now() + 60_000));
        res.end(JSON.stringify(events.shift()));
      };
      deliver();
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    story.push(`response to ${/invocation\/([^/]+)\/response/.exec(req.url ?? '')?.[1]}`);
    const end = text.indexOf('\0'.repeat(8));
    if (end >= 0) answers.push({ head: JSON.parse(text.slice(0, end)), body: text.slice(end + 8) });
    res.writeHead(202).end();
  });
  bot = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += String(part);
    received.push({ path: req.url, signature: req.headers['x-slack-signature'], body });
    res.setHeader('content-type', 'application/json').setHeader('x-internal', 'no').end('{"ok":true}');
  });
  api = new URL(await listenLocally(runtimeApi)).host;
  botUrl = await listenLocally(bot);
});
afterEach(async () => {
  stopping.abort();
  await Promise.all([closeServer(runtimeApi), closeServer(bot)]);
});

const serve = (finishTurns: () => Promise<void>) => {
  serveInvocations({ api, botUrl, finishTurns, now: Date.now, log, signal: stopping.signal }).catch(() => {});
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
    story.push('turn');
    return turn.promise;
  });
  events.push(post('{"type":"event_callback"}'));
  deliver();
  await vi.waitFor(() => expect(story).toEqual(['next', 'response to request-1', 'turn']));
  expect(received).toEqual([
    { path: '/slack/events', signature: 'v0=abc', body: '{"type":"event_callback"}' },
  ]);
  expect(answers[0]).toEqual({
    head: { statusCode: 200, headers: { 'content-type': 'application/json' } },
    body: '{"ok":true}',
  });
  turn.resolve();
  await vi.waitFor(() => expect(story.at(-1)).toBe('next'));
});

it('passes bytes as they were signed, and nothing but POST', async () => {
  serve(async () => {});
  events.push(
    post(Buffer.from('payload=%7B%7D').toString('base64'), { isBase64Encoded: true, rawQueryString: 'a=1' }),
  );
  deliver();
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  expect(received[0]).toMatchObject({ path: '/slack/events?a=1', body: 'payload=%7B%7D' });
  events.push(post('', { rawPath: '/readyz', requestContext: { http: { method: 'GET' } } }));
  await vi.waitFor(() => expect(story.at(-1)).toBe('next'));
  deliver();
  await vi.waitFor(() => expect(answers[1]?.head.statusCode).toBe(405));
  expect(received).toHaveLength(1);
});

it('finishes what was left when it is only woken', async () => {
  const finished = vi.fn(async () => {});
  serve(finished);
  events.push({ source: 'aws.events' });
  deliver();
  await vi.waitFor(() => expect(story).toEqual(['next', 'response to request-1', 'next']));
  expect(finished).toHaveBeenCalledOnce();
  expect(received).toEqual([]);
});

it('answers 503 when the bot does not, so that the platform tries again', async () => {
  await closeServer(bot);
  serve(async () => {});
  events.push(post('{}'));
  deliver();
  await vi.waitFor(() =>
    expect(answers[0]?.head).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } }),
  );
  bot = createServer();
  botUrl = await listenLocally(bot);
});
