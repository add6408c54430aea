/** SQS for the local stack: fauxqs with the transfer queue and its dead-letter queue. */
import {
  CreateQueueCommand,
  type CreateQueueCommandInput,
  GetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { QUEUE } from '../schema/queue.ts';
import type { LocalServer } from './listen.ts';

export interface LocalSqs extends LocalServer {
  /** Queue URLs on the endpoint itself, so that a client reaches them with or without an explicit endpoint. */
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

async function createQueues(endpoint: string) {
  const client = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const create = async (QueueName: string, Attributes: CreateQueueCommandInput['Attributes']) => {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
    // fauxqs may name a host of its own in the URL, which would need a resolver of its own.
    return `${endpoint}${new URL(QueueUrl).pathname}`;
  };
  try {
    const MessageRetentionPeriod = String(QUEUE.retention);
    const deadLetterQueueUrl = await create(QUEUE.deadLetterName, { MessageRetentionPeriod });
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const queueUrl = await create(QUEUE.name, {
      MessageRetentionPeriod,
      VisibilityTimeout: String(QUEUE.visibilityTimeout),
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: Attributes?.QueueArn,
        maxReceiveCount: QUEUE.maxReceiveCount,
      }),
    });
    return { queueUrl, deadLetterQueueUrl };
  } finally {
    client.destroy();
  }
}

/** Starts an SQS with both queues, empty and in memory. */
export async function startSqs(): Promise<LocalSqs> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const stop = async () => {
    await app.close();
  };
  try {
    const queues = await createQueues(endpoint);
    return { endpoint, ...queues, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
