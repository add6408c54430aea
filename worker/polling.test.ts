/** A queue that is away and comes back, at the socket. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createQueueClient } from '../core/queue.ts';
import { createPolling, type Polling } from './polling.ts';

let server: Server;
let client: SQSClient;
let polling: Polling;
let down: boolean;
/** Requests that are taken and never answered. */
let ignored: number;

beforeEach(async () => {
  down = true;
  ignored = 0;
  server = createServer((request, response) => {
    if (ignored > 0) ignored -= 1;
    else if (down) request.socket.destroy();
    // Answered as soon as it is asked, which no long poll is: the next one follows at once.
    else response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createQueueClient({ region: 'us-east-1', endpoint, requestMs: 100, maxAttempts: 1 });
  client.config.credentials = async () => ({ accessKeyId: 'local', secretAccessKey: 'local' });
});
afterEach(async () => {
  await polling.stop();
  client.destroy();
  server.closeAllConnections();
  server.close();
});

it('asks less and less often while the queue is away, and says once that it is away and that it is back', async () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const pauseMs = vi.fn((_failures: number) => 1);
  polling = createPolling({
    client,
    queueUrl: 'http://127.0.0.1/000000000000/transfers',
    slots: 1,
    visibilitySeconds: 30,
    pauseMs,
    handle: async () => 'delete',
    log,
  });
  polling.start();
  await vi.waitFor(() => expect(pauseMs).toHaveBeenCalledWith(3));
  expect(lines).toEqual(['the queue cannot be reached']);
  down = false;
  await vi.waitFor(() =>
    expect(lines).toEqual(['the queue cannot be reached', 'the queue can be reached again']),
  );
  const calls = pauseMs.mock.calls.length;
  down = true;
  await vi.waitFor(() => expect(pauseMs.mock.calls.length).toBeGreaterThan(calls + 1));
  expect(pauseMs.mock.calls.slice(calls, calls + 2)).toEqual([[1], [2]]);
});

it('leaves a queue alone that answers some and refuses others, and tells of it once', async () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  let answers = 0;
  const pauseMs = vi.fn((_failures: number) => 1);
  server.on('request', (_request, response) => {
    // Every second one is refused.
    down = !down;
    response.on('finish', () => {
      answers += 1;
    });
  });
  polling = createPolling({
    client,
    queueUrl: 'http://127.0.0.1/000000000000/transfers',
    slots: 3,
    visibilitySeconds: 30,
    pauseMs,
    handle: async () => 'delete',
    log,
  });
  polling.start();
  await vi.waitFor(() => expect(Math.min(answers, pauseMs.mock.calls.length)).toBeGreaterThan(20));
  expect(lines).toEqual(['the queue cannot be reached', 'the queue can be reached again']);
});

it('stops in the middle of a pause', async () => {
  const pauseMs = vi.fn(() => 3_600_000);
  polling = createPolling({
    client,
    queueUrl: 'http://127.0.0.1/000000000000/transfers',
    slots: 2,
    visibilitySeconds: 30,
    pauseMs,
    handle: async () => 'delete',
    log: pino({ level: 'silent' }),
  });
  polling.start();
  await vi.waitFor(() => expect(pauseMs).toHaveBeenCalledTimes(2));
  await polling.stop();
});

it('goes on after a poll that was never answered', async () => {
  down = false;
  ignored = 1;
  let answers = 0;
  server.on('request', (_request, response) => response.on('finish', () => (answers += 1)));
  polling = createPolling({
    client,
    queueUrl: 'http://127.0.0.1/000000000000/transfers',
    slots: 1,
    visibilitySeconds: 30,
    pauseMs: () => 1,
    handle: async () => 'delete',
    log: pino({ level: 'silent' }),
  });
  polling.start();
  await vi.waitFor(() => expect(answers).toBeGreaterThan(0), { timeout: 10_000 });
});
