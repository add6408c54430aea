import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalSqs, startSqs } from '../infra/local/sqs.ts';
import { NOON } from '../test/support/transfers.ts';
import type { FerryError } from './errors.ts';
import { createQueueClient, createTransferQueue, type TransferQueue } from './queue.ts';
import { queueMessageSchema } from './queue-message.ts';

const TRANSFER = { transferId: 'TRF-7K2M9QXD01', attempt: 3 };
const credentials = async () => ({ accessKeyId: 'local', secretAccessKey: 'local' });

let sqs: LocalSqs;
let client: SQSClient;
let queueUrl: string;

beforeAll(async () => {
  sqs = await startSqs();
  queueUrl = sqs.queueUrl;
  client = createQueueClient({ region: 'us-east-1', endpoint: sqs.endpoint });
  client.config.credentials = credentials;
});
afterAll(async () => {
  client.destroy();
  await sqs.stop();
});

/** A client of an address at which nothing listens. */
async function offline() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const gone = createQueueClient({ region: 'us-east-1', endpoint: `http://127.0.0.1:${port}` });
  gone.config.credentials = credentials;
  return gone;
}

describe('the transfer queue', () => {
  it('carries which transfer and which attempt, and nothing else', async () => {
    await createTransferQueue({ client, queueUrl, now: () => NOON }).send(TRANSFER);
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    const message = queueMessageSchema.parse(JSON.parse(Messages[0]?.Body ?? ''));
    expect(message).toEqual({ v: 1, ...TRANSFER, enqueuedAt: NOON });
  });

  it('answers a ping', async () => {
    await createTransferQueue({ client, queueUrl, now: () => NOON }).ping();
  });

  it('says that a retry can help when it cannot be reached or does not exist', async () => {
    const gone = await offline();
    for (const queue of [
      createTransferQueue({ client: gone, queueUrl, now: () => NOON }),
      createTransferQueue({ client, queueUrl: `${queueUrl}-none`, now: () => NOON }),
    ]) {
      await expect(queue.send(TRANSFER)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
      await expect(queue.ping()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    }
    gone.destroy();
  });

  describe('while SQS refuses', () => {
    /** Requests that reached SQS. */
    let asked: number;
    let refusing: boolean;
    let server: Server;
    let client: SQSClient;
    let clock: number;
    let lines: string[];
    let queue: TransferQueue;

    beforeEach(async () => {
      [asked, refusing, clock, lines] = [0, true, NOON, []];
      server = createServer(async (request, response) => {
        asked += 1;
        const { MessageBody } = (await json(request)) as { MessageBody: string };
        // The SDK compares.
        const MD5OfMessageBody = createHash('md5').update(MessageBody).digest('hex');
        response
          .writeHead(refusing ? 503 : 200, { 'content-type': 'application/x-amz-json-1.0' })
          .end(refusing ? '{}' : JSON.stringify({ MessageId: '1', MD5OfMessageBody }));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      client = createQueueClient({ region: 'us-east-1', endpoint, maxAttempts: 1 });
      client.config.credentials = credentials;
      const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
      queue = createTransferQueue({ client, queueUrl, now: () => clock, log });
    });
    afterEach(async () => {
      client.destroy();
      server.close();
    });

    const send = () =>
      queue.send(TRANSFER).then(
        () => 'sent',
        (error: FerryError) => error.code,
      );

    it('asks it seldom, however much there is to send, and sends all when it is back', async () => {
      // A hundred transfers that wait, looked at every second for ten minutes.
      for (; clock < NOON + 600_000; clock += 1_000) {
        for (let one = 0; one < 100; one += 1) expect(await send()).toBe('unavailable');
      }
      // With the shortest pauses it asks 45 times: 15 s from the seventh on.
      expect(asked).toBeGreaterThan(15);
      expect(asked).toBeLessThan(50);
      expect(lines.length).toBeLessThanOrEqual(11);
      expect(new Set(lines)).toEqual(
        new Set(['the queue cannot be reached', 'the queue still cannot be reached']),
      );
      refusing = false;
      clock += 30_000;
      const before = asked;
      for (let one = 0; one < 10; one += 1) expect(await send()).toBe('sent');
      expect(asked - before).toBe(10);
      expect(lines.at(-1)).toBe('the queue can be reached again');
    });

    it('has one find out whether it is back', async () => {
      expect(await send()).toBe('unavailable');
      refusing = false;
      clock += 30_000;
      expect((await Promise.all([send(), send(), send()])).sort()).toEqual([
        'sent',
        'unavailable',
        'unavailable',
      ]);
      expect(await send()).toBe('sent');
    });
  });
});
