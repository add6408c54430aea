/** From a message on the transfer queue to a run, and to a decision on the message that loses nothing. */
import { type Message, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Logger } from 'pino';
import { type QueueMessage, queueMessageSchema } from '../core/queue-message.ts';
import { tracedFrom } from '../core/tracing.ts';
import type { Leases, TakeOutcome } from './lease.ts';
import { createPolling, type Polling, type Verdict } from './polling.ts';
import { withRetry } from './with-retry.ts';
import type { RunOutcome } from './workflow.ts';

/** Characters of a message that could not be parsed that are logged. */
const SHOWN = 300;

/** The message's content, or undefined when it is not one of ours. */
export function parseMessage(body: string | undefined): QueueMessage | undefined {
  try {
    return queueMessageSchema.safeParse(JSON.parse(body ?? '')).data;
  } catch {
    return undefined;
  }
}

/** The database is away: nothing can be done until it is back, least of all giving a transfer up. */
const UNTIL_BACK = {
  tries: Number.POSITIVE_INFINITY,
  pauseMs: (next: number) => Math.min(500 * next, 15_000),
};

type Taken = Extract<TakeOutcome, { outcome: 'taken' }>;

/**
 * @param run runs a taken transfer to an end
 * @param followUp tells tickets and thread about a transfer that ended while it was taken
 * @param stopping aborts when this process is to end
 */
export function createConsumer(deps: {
  client: SQSClient;
  queueUrl: string;
  deadLetterUrl: string;
  concurrency: number;
  visibilitySeconds: number;
  pollSeconds?: number;
  leases: Leases;
  run: (taken: Taken, stopping: AbortSignal) => Promise<RunOutcome>;
  followUp: (transferId: string) => Promise<void>;
  /** Told how long each message had waited, in milliseconds. */
  waited?: (ms: number) => void;
  stopping: AbortSignal;
  log: Logger;
}): Polling {
  const { stopping, log } = deps;

  /** Delivering it again would not make it readable: it goes where people look. */
  async function setAside(message: Message): Promise<Verdict> {
    const MessageBody = message.Body ?? '';
    log.error(
      { messageId: message.MessageId, body: MessageBody.slice(0, SHOWN) },
      'unreadable message, moved to the dead-letter queue',
    );
    if (MessageBody) {
      await deps.client.send(new SendMessageCommand({ QueueUrl: deps.deadLetterUrl, MessageBody }));
    }
    return 'delete';
  }

  async function handle(message: Message): Promise<Verdict> {
    const content = parseMessage(message.Body);
    if (!content) return setAside(message);
    const { transferId, attempt } = content;
    return tracedFrom(message.MessageAttributes, 'transfer', { transferId, attempt }, () =>
      take(message, content),
    );
  }

  async function take(message: Message, { transferId, attempt }: QueueMessage): Promise<Verdict> {
    const sentAt = Number(message.Attributes?.SentTimestamp);
    if (Number.isFinite(sentAt)) deps.waited?.(Math.max(0, Date.now() - sentAt));
    const taken = await withRetry(UNTIL_BACK, stopping, () => deps.leases.take(transferId, attempt)).catch(
      (error: unknown) => {
        if (stopping.aborted) return undefined;
        throw error;
      },
    );
    switch (taken?.outcome) {
      case undefined:
        return 'return';
      case 'taken': {
        const outcome = await deps.run(taken, stopping);
        if (outcome === 'stopping') return 'return';
        // Whoever has the lease has a message of its own; if nobody has it, this one comes back.
        return outcome === 'lease lost' ? 'keep' : 'delete';
      }
      case 'cancelled':
        await deps.followUp(transferId);
        return 'delete';
      case 'held':
        // A duplicate. Should the worker that is on it die, the reconciler sends a new one.
        log.info({ transferId, by: taken.by }, 'another worker is on it');
        return 'delete';
      case 'stale':
      case 'ended':
      case 'unknown':
        log.info({ transferId, attempt, outcome: taken.outcome }, 'nothing to do for this message');
        return 'delete';
    }
  }

  return createPolling({
    client: deps.client,
    queueUrl: deps.queueUrl,
    slots: deps.concurrency,
    pollSeconds: deps.pollSeconds,
    visibilitySeconds: deps.visibilitySeconds,
    handle,
    log,
  });
}
