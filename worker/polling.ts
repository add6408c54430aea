/** Takes messages from one queue: one at a time for each that can be worked on, deleted only when told so. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Message, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Logger } from 'pino';
import { Consumer } from 'sqs-consumer';
import { createOutageLog, pauseAfter } from '../core/outage.ts';
import { TRACE_ATTRIBUTES } from '../core/tracing.ts';

/** Length of one long poll, in seconds: stopping waits for the poll at hand, as a message may still come with it. */
const POLL_SECONDS = 3;

/**
 * What becomes of a message: `delete` it, `keep` it until its visibility timeout ends, or `return` it to the queue
 * at once, as a new one.
 */
export type Verdict = 'delete' | 'keep' | 'return';

export interface Polling {
  start(): void;
  /** Takes no more; resolves once no handler runs and no poll is open. */
  stop(): Promise<void>;
}

/**
 * Each slot is a consumer of its own, because a consumer that asks for several messages waits for the slowest,
 * and one that asks before it has room takes what it cannot work on.
 *
 * @param name what it is called in the log; "the queue" unless told
 * @param slots messages that are worked on at once
 * @param pollSeconds length of one long poll; 3 unless told
 * @param visibilitySeconds after which a message of a process that died is delivered again; renewed meanwhile
 * @param pauseMs before the poll that follows so many failed ones, in milliseconds: sqs-consumer itself would ask
 *   again at once
 * @param handle decides on a message; when it throws, the message is kept
 */
export function createPolling(deps: {
  client: SQSClient;
  queueUrl: string;
  name?: string;
  slots: number;
  pollSeconds?: number | undefined;
  visibilitySeconds: number;
  pauseMs?: (failures: number) => number;
  handle: (message: Message) => Promise<Verdict>;
  now?: () => number;
  log: Logger;
}): Polling {
  const { client, queueUrl: QueueUrl, pauseMs = pauseAfter, log } = deps;
  const stopping = new AbortController();
  /** However many slots meet an outage, it is one. */
  const outage = createOutageLog({ what: deps.name ?? 'the queue', now: deps.now ?? Date.now, log });

  /** A message that is only made visible again counts its receives on, up to the dead-letter queue. */
  async function giveBack({ Body: MessageBody }: Message): Promise<void> {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }

  async function handleMessage(message: Message): Promise<Message | undefined> {
    try {
      const verdict = stopping.signal.aborted ? 'return' : await deps.handle(message);
      if (verdict === 'return') await giveBack(message);
      return verdict === 'keep' ? undefined : message;
    } catch (error) {
      log.error({ messageId: message.MessageId, err: error }, 'the message is kept for another delivery');
      return undefined;
    }
  }

  const consumers = Array.from({ length: deps.slots }, () => {
    let failures = 0;
    const consumer = Consumer.create({
      sqs: client,
      queueUrl: QueueUrl,
      batchSize: 1,
      messageSystemAttributeNames: ['SentTimestamp'],
      messageAttributeNames: TRACE_ATTRIBUTES,
      waitTimeSeconds: deps.pollSeconds ?? POLL_SECONDS,
      visibilityTimeout: deps.visibilitySeconds,
      heartbeatInterval: Math.max(1, Math.floor(deps.visibilitySeconds / 3)),
      authenticationErrorTimeout: 5_000,
      async preReceiveMessageCallback() {
        if (failures > 0) await delay(pauseMs(failures), undefined, stopping).catch(() => {});
      },
      async postReceiveMessageCallback() {
        failures = 0;
        outage.worked();
      },
      handleMessage,
    });
    consumer.on('error', (error, message) => {
      // What concerns one message is its own affair, unless nothing at all was answered: an outage tells of itself.
      const { statusCode } = error as Error & { statusCode?: number };
      if (message && statusCode !== undefined && statusCode < 500) {
        log.warn({ err: error }, 'a message could not be settled');
        return;
      }
      if (!message) failures += 1;
      outage.failed(error);
    });
    consumer.on('processing_error', (err) => log.warn({ err }, 'a message could not be settled'));
    return consumer;
  });

  return {
    start() {
      for (const consumer of consumers) consumer.start();
    },
    async stop() {
      stopping.abort();
      for (const consumer of consumers) consumer.stop();
      // Its `stopped` event comes before the last poll and handler have ended.
      while (consumers.some((consumer) => consumer.status.isPolling)) await delay(20);
    },
  };
}
