/** Sends transfers to the queue: the only place that puts a message there. */
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Logger } from 'pino';
import { FerryError } from './errors.ts';
import { createOutageLog, pauseAfter } from './outage.ts';
import type { QueueMessage } from './queue-message.ts';
import type { Transfer } from './transfer.ts';

/** How long one call may take, its retries included; the SDK itself waits forever. Milliseconds. */
const CALL_MS = 5_000;
/** How long any request may take before it is tried again: longer than the longest poll that SQS allows, 20 s. */
const REQUEST_MS = 30_000;

export interface TransferQueue {
  /**
   * Puts the transfer's current attempt on the queue. Sending it twice is harmless: the record decides. After a
   * failure, SQS is left alone for up to 30 s, and what is to be sent meanwhile fails at once.
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

/** @param deps.log told of an outage, and of its end */
export function createTransferQueue(deps: {
  client: SQSClient;
  queueUrl: string;
  now: () => number;
  log?: Logger;
}): TransferQueue {
  const { client, queueUrl: QueueUrl, now, log } = deps;
  const outage = log && createOutageLog({ what: 'the queue', now, log });
  let failures = 0;
  let lastFault: unknown;
  /** Nothing is sent before, epoch ms. */
  let nextTry = 0;

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
      if (now() < nextTry) return fail(lastFault);
      // While one finds out whether it is back, the others need not.
      if (failures > 0) nextTry = now() + CALL_MS;
      const message: QueueMessage = { v: 1, transferId, attempt, enqueuedAt: now() };
      try {
        await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }), {
          abortSignal: AbortSignal.timeout(CALL_MS),
        });
      } catch (error) {
        failures += 1;
        lastFault = error;
        nextTry = now() + pauseAfter(failures);
        outage?.failed(error);
        return fail(error);
      }
      failures = 0;
      nextTry = 0;
      outage?.worked();
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
