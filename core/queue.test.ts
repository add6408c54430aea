import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalSqs, startSqs } from '../infra/local/sqs.ts';
import { NOON } from '../test/support/transfers.ts';
import { createQueueClient, createTransferQueue } from './queue.ts';
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
});
