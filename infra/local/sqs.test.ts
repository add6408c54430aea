import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { QUEUE } from '../schema/queue.ts';
import { type LocalSqs, startSqs } from './sqs.ts';

let sqs: LocalSqs;
let client: SQSClient;

beforeAll(async () => {
  sqs = await startSqs();
  client = new SQSClient({
    endpoint: sqs.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client.destroy();
  await sqs.stop();
});

const receive = async (QueueUrl: string) =>
  (await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0 }))).Messages?.[0];

it('has the queue as the schema defines it', async () => {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: sqs.queueUrl, AttributeNames: ['All'] }),
  );
  expect(Attributes).toMatchObject({
    VisibilityTimeout: String(QUEUE.visibilityTimeout),
    MessageRetentionPeriod: String(QUEUE.retention),
  });
  expect(JSON.parse(Attributes?.RedrivePolicy ?? '{}')).toMatchObject({
    maxReceiveCount: QUEUE.maxReceiveCount,
  });
});

it('hands a message over once, until it is deleted', async () => {
  await client.send(new SendMessageCommand({ QueueUrl: sqs.queueUrl, MessageBody: 'hello' }));
  const message = await receive(sqs.queueUrl);
  expect(message?.Body).toBe('hello');
  expect(await receive(sqs.queueUrl)).toBeUndefined();
  await client.send(
    new DeleteMessageCommand({ QueueUrl: sqs.queueUrl, ReceiptHandle: message?.ReceiptHandle }),
  );
});

it('moves a message that nobody deletes to the dead-letter queue', async () => {
  await client.send(new SendMessageCommand({ QueueUrl: sqs.queueUrl, MessageBody: 'poison' }));
  for (let time = 1; time <= QUEUE.maxReceiveCount; time += 1) {
    const message = await receive(sqs.queueUrl);
    expect(message?.Body).toBe('poison');
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: sqs.queueUrl,
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
  }
  expect(await receive(sqs.queueUrl)).toBeUndefined();
  expect((await receive(sqs.deadLetterQueueUrl))?.Body).toBe('poison');
});
