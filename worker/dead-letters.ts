/** Tells people about transfers whose message was given up: delivered too often without coming to an end. */
import { ChangeMessageVisibilityCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import { FerryError } from '../core/errors.ts';
import { STEP_NAMES, type StepName, type Transfer } from '../core/transfer.ts';
import { parseMessage } from './consumer.ts';
import { failed } from './endings.ts';
import type { Leases } from './lease.ts';
import { type LeftoversDeps, removeLeftovers } from './leftovers.ts';
import { createPolling, type Polling, type Verdict } from './polling.ts';

const SHOWN = 1_000;
/** Seconds until a letter that nothing can be done with is told of again. SQS allows 12 hours at most. */
const REMIND_SECONDS = 6 * 60 * 60;

const GIVEN_UP =
  'It was started several times and never came to an end, so FileFerry gave up. No file was left under its final name unless it is whole. Press Retry, and tell your FileFerry team if it happens again.';

const UNREADABLE =
  'a dead letter stays in the queue, as the record of its transfer cannot be read: see “A record cannot be read” in docs/operations.md';

/** The step that was begun last without an end. */
function lastStep(transfer: Transfer): StepName {
  return (
    STEP_NAMES.find((name) => {
      const { startedAt, endedAt } = transfer.steps[name];
      return startedAt !== undefined && endedAt === undefined;
    }) ?? 'validate'
  );
}

/**
 * Takes the dead-letter queue's messages. One that cannot be read, or whose transfer's record cannot be, is nobody's to
 * throw away: it stays, and is told of every six hours until somebody deletes it or the queue does, after its 14 days. One of a transfer that is under way
 * or has ended is deleted. Any other fails its transfer, whose temporary files are removed.
 */
export function createDeadLetters(
  deps: LeftoversDeps & {
    client: SQSClient;
    deadLetterUrl: string;
    visibilitySeconds: number;
    pollSeconds?: number;
    leases: Leases;
    followUp: (transferId: string) => Promise<void>;
    now: () => number;
  },
): Polling {
  const { client, log, now } = deps;

  async function leaveLying({ MessageId, ReceiptHandle, Body }: Message, why: string): Promise<Verdict> {
    log.error({ messageId: MessageId, body: Body?.slice(0, SHOWN) }, why);
    const VisibilityTimeout = REMIND_SECONDS;
    await client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: deps.deadLetterUrl, ReceiptHandle, VisibilityTimeout }),
    );
    return 'keep';
  }

  async function handle(message: Message): Promise<Verdict> {
    const content = parseMessage(message.Body);
    if (!content) {
      return leaveLying(message, 'an unreadable dead letter stays in the queue until somebody deletes it');
    }
    const { transferId, attempt } = content;
    const taken = await deps.leases.take(transferId, attempt).catch((error: unknown) => {
      if (error instanceof FerryError && error.code === 'unreadable') return undefined;
      throw error;
    });
    if (!taken) return leaveLying(message, UNREADABLE);
    if (taken.outcome === 'taken') {
      const step = lastStep(taken.transfer);
      const error = { code: 'internal', userMessage: GIVEN_UP } as const;
      const remains = await removeLeftovers(deps, taken);
      await taken.lease.write((current) => failed(current, now(), { step, error }, undefined, remains));
      log.error({ transferId, attempt, step }, 'given up: its message was delivered too often');
    } else log.warn({ transferId, attempt, outcome: taken.outcome }, 'a dead letter with nothing left to do');
    if (taken.outcome === 'taken' || taken.outcome === 'cancelled') await deps.followUp(transferId);
    return 'delete';
  }

  return createPolling({
    client,
    queueUrl: deps.deadLetterUrl,
    name: 'the dead-letter queue',
    slots: 1,
    pollSeconds: deps.pollSeconds,
    visibilitySeconds: deps.visibilitySeconds,
    handle,
    log,
  });
}
