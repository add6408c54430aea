/** A worker as a process that may be killed: the real queue, leases, workflow and both ends, with short patience. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { pino } from 'pino';
import { createDispatch } from '../../core/dispatch.ts';
import { createExpiry } from '../../core/expiry.ts';
import type { Destination } from '../../core/policy-config.ts';
import { createTransferQueue } from '../../core/queue.ts';
import { createConsumer } from '../../worker/consumer.ts';
import { createDeadLetters } from '../../worker/dead-letters.ts';
import { createFtpTarget } from '../../worker/ftp-target.ts';
import { createReconciler } from '../../worker/reconciler.ts';
import { createS3Source } from '../../worker/s3-source.ts';
import { runTransfer } from '../../worker/workflow.ts';
import { policy } from '../support/transfers.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

/** What the process is told, as JSON in its first argument. */
export interface ChaosWorkerOrder {
  readonly dynamoDb: string;
  readonly tablePrefix: string;
  readonly sqs: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly s3: {
    readonly endpoint: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly destination: Destination;
  readonly password: string;
  readonly leaseSeconds: number;
}

const order = JSON.parse(process.argv[2] ?? '') as ChaosWorkerOrder;
const log = pino({ level: 'info' }, pino.destination({ fd: 1, sync: true }));
const now = Date.now;
const region = 'us-east-1';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

const client = new DynamoDBClient({ endpoint: order.dynamoDb, region, credentials });
const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
const leaseMs = order.leaseSeconds * 1_000;
const rig = createWorkerRig({ endpoint: order.dynamoDb, client, documents, prefix: order.tablePrefix }, now, {
  lockMs: leaseMs,
});
const sqs = new SQSClient({ endpoint: order.sqs, region, credentials, useQueueUrlAsEndpoint: false });
const { accessKeyId, secretAccessKey, endpoint } = order.s3;
const s3 = new S3Client({
  endpoint,
  region,
  forcePathStyle: true,
  maxAttempts: 2,
  responseChecksumValidation: 'WHEN_REQUIRED',
  credentials: { accessKeyId, secretAccessKey },
  requestHandler: { connectionTimeout: 1_500, requestTimeout: 1_500 },
});

const source = createS3Source({ client: async () => s3, log, stallMs: 1_500 });
const workflow = rig.deps({
  leaseMs,
  changes: {
    policy: { ...policy, destinations: { 'acme-ftp': order.destination } },
    openSource: async () => ({ source, openedAt: [], close: async () => {} }),
    openTarget: () =>
      createFtpTarget(order.destination, async () => order.password, log, {
        name: 'acme-ftp',
        times: { connectMs: 2_000, replyMs: 2_000, stall: 1_500, finalReply: 2_500, reason: 500 },
      }),
    retry: { tries: 4, pauseMs: (next) => 100 * next },
    log,
  },
});
const stopping = new AbortController();
const leases = rig.leases({ owner: `chaos/${process.pid}`, leaseMs });
const queues = {
  client: sqs,
  deadLetterUrl: order.deadLetterUrl,
  visibilitySeconds: order.leaseSeconds,
  pollSeconds: 1,
  leases,
  followUp: rig.followUp,
  now,
  log,
};
const consumer = createConsumer({
  ...queues,
  queueUrl: order.queueUrl,
  concurrency: 4,
  run: (taken, signal) => runTransfer(workflow, taken, signal),
  stopping: stopping.signal,
});
const deadLetters = createDeadLetters({ ...workflow, ...queues });
const queue = createTransferQueue({ client: sqs, queueUrl: order.queueUrl, now });
const reconciler = createReconciler({
  store: rig.store,
  expiry: createExpiry({ transfers: rig.store, now }),
  dispatch: createDispatch({ transfers: rig.store, queue, now, by: 'reconciler' }),
  queue,
  settle: rig.settle,
  followUp: rig.followUp,
  everyMs: 500,
  now,
  log,
});
consumer.start();
deadLetters.start();
reconciler.start();
process.once('SIGTERM', () => {
  stopping.abort();
  void Promise.all([consumer.stop(), deadLetters.stop(), reconciler.stop()]).then(() => process.exit(0));
});
