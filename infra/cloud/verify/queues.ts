/** Compares the queues that are there with the schema. */
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { QUEUE } from '../../schema/queue.ts';
import { compare, type Finding, look, ok, unknown, wrong } from './finding.ts';

const AREA = 'queues';
const DEPLOY = 'Deploy FileFerry-Data again, and take QUEUE_URL and DEAD_LETTER_QUEUE_URL from its outputs.';

export async function lookAtQueues(
  client: SQSClient,
  urls: { readonly queue: string; readonly deadLetters: string },
  emulated: boolean,
): Promise<Finding[]> {
  const attributesOf = async (QueueUrl: string): Promise<Partial<Record<string, string>>> =>
    (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ??
    {};

  const settings = (what: string, url: string, wanted: Readonly<Record<string, number>>) =>
    look(AREA, what, DEPLOY, async () => {
      const found = await attributesOf(url);
      const text = (of: (name: string) => unknown) =>
        Object.keys(wanted)
          .map((name) => `${name} ${of(name)}`)
          .join(', ');
      return compare(
        text((name) => found[name]),
        text((name) => wanted[name]),
        DEPLOY,
      );
    });

  return Promise.all([
    settings(QUEUE.name, urls.queue, {
      VisibilityTimeout: QUEUE.visibilityTimeout,
      MessageRetentionPeriod: QUEUE.retention,
    }),
    settings(QUEUE.deadLetterName, urls.deadLetters, { MessageRetentionPeriod: QUEUE.retention }),
    look(AREA, 'redrive', DEPLOY, async () => {
      const [queue, deadLetters] = await Promise.all([
        attributesOf(urls.queue),
        attributesOf(urls.deadLetters),
      ]);
      const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(queue.RedrivePolicy ?? '{}') as {
        deadLetterTargetArn?: string;
        maxReceiveCount?: number | string;
      };
      return compare(
        `after ${maxReceiveCount} receives to ${deadLetterTargetArn}`,
        `after ${QUEUE.maxReceiveCount} receives to ${deadLetters.QueueArn}`,
        DEPLOY,
      );
    }),
    look(AREA, 'encryption', DEPLOY, async () => {
      const { SqsManagedSseEnabled, KmsMasterKeyId } = await attributesOf(urls.queue);
      if (SqsManagedSseEnabled === 'true' || KmsMasterKeyId) return ok(KmsMasterKeyId ?? 'by SQS');
      return emulated ? unknown('this emulator does not tell') : wrong('off', DEPLOY);
    }),
    look(AREA, 'dead letters', DEPLOY, async () => {
      const { ApproximateNumberOfMessages = '0' } = await attributesOf(urls.deadLetters);
      return ApproximateNumberOfMessages === '0'
        ? ok('none')
        : wrong(
            `${ApproximateNumberOfMessages} wait`,
            'A worker takes them within seconds: is one running? docs/operations.md, "Dead letters".',
          );
    }),
  ]);
}
