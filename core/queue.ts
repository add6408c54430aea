/** Sends transfers to the queue: the only place that puts a message there. */
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { FerryError } from './errors.ts';
import type { QueueMessage } from './queue-message.ts';
import type { Transfer } from './transfer.ts';

/** How long one call may take, its retries included; the SDK itself waits forever. Milliseconds. */
const CALL_MS = 5_000;
/** How long any request may take before it is tried again: longer than the longest poll that SQS allows, 20 s. */
const REQUEST_MS = 30_000;

export interface TransferQueue {
  /**
   * Puts the transfer's current attempt on the queue. Sending it twice is harmless: the record decides.
   *
   * @throws FerryError `unavailable`, retryable; the message may have arrived nevertheless
   */
  send(transfer: Pick<Transfer, 'transferId' | 'attempt'>): Promise<void>;
  /** @throws FerryError `unavailable` when the queue cannot be reached or does not exist */
  ping(): Promise<void>;
}

/**
 * The SQS client of a process.
 *
 * @param options.requestMs longest time of one request, 30 s unless given
 */
export function createQueueClient(options: {
  region: string;
  endpoint?: string;
  requestMs?: number;
  maxAttempts?: number;
}): SQSClient {
  return new SQSClient({
    region: options.region,
    maxAttempts: options.maxAttempts ?? 3,
    // Without it, a poll that is never answered would end its slot for good, and nobody would know.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2_000,
      requestTimeout: options.requestMs ?? REQUEST_MS,
      throwOnRequestTimeout: true,
    }),
    // An emulator's queue URL names a host of its own that need not resolve; the endpoint is where it listens.
    ...(options.endpoint ? { endpoint: options.endpoint, useQueueUrlAsEndpoint: false } : {}),
  });
}

export function createTransferQueue(deps: {
  client: SQSClient;
  queueUrl: string;
  now: () => number;
}): TransferQueue {
  const { client, queueUrl: QueueUrl, now } = deps;
  const fail = (cause: unknown): never => {
    throw new FerryError('unavailable', {
      retryable: true,
      userMessage:
        'The transfer queue cannot be reached right now. Nothing is lost: it is tried again by itself.',
      cause,
    });
  };

  return {
    async send({ transferId, attempt }) {
      const message: QueueMessage = { v: 1, transferId, attempt, enqueuedAt: now() };
      await client
        .send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }), {
          abortSignal: AbortSignal.timeout(CALL_MS),
        })
        .catch(fail);
    },

    async ping() {
      await client
        .send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }), {
          abortSignal: AbortSignal.timeout(CALL_MS),
        })
        .catch(fail);
    },
  };
}
