/** One measured transfer of many small files, as a process: listing, proposal and worker, over real stores and sockets. */
import { setInterval } from 'node:timers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { pino } from 'pino';
import { parsePolicy } from '../core/config.ts';
import { createProposals } from '../core/proposal.ts';
import type { PlannedObject } from '../core/transfer.ts';
import { move } from '../core/transfer-state.ts';
import { ana, bob } from '../test/support/transfers.ts';
import { createWorkerRig } from '../test/support/worker-rig.ts';
import { createFtpTarget } from '../worker/ftp-target.ts';
import { createS3Source } from '../worker/s3-source.ts';

/** What the process is told, as JSON in its first argument. */
export interface ManyFilesOrder {
  readonly s3: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly dynamo: { readonly endpoint: string; readonly prefix: string };
  readonly ftp: {
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly folder: string;
  };
  readonly bucket: string;
  readonly prefix: string;
  readonly connections: number;
}

/** What it says at the end, as JSON on its standard output. */
export interface ManyFilesResult {
  readonly outcome: string;
  readonly objects: number;
  readonly proposalSeconds: number;
  readonly transferSeconds: number;
  /** The most that was in use after a collection, and the peak of the whole process. */
  readonly heapMiB: number;
  readonly rssMiB: number;
}

const MIB = 2 ** 20;

async function run(order: ManyFilesOrder): Promise<ManyFilesResult> {
  const { ftp, bucket, prefix } = order;
  const log = pino({ level: 'error' }, pino.destination(2));
  const s3 = new S3Client({
    endpoint: order.s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: order.s3,
  });
  const client = new DynamoDBClient({
    endpoint: order.dynamo.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const rig = createWorkerRig({ client, documents, ...order.dynamo });
  const policy = parsePolicy(
    JSON.stringify({
      groups: { senders: [ana.userId], approvers: [bob.userId] },
      buckets: { [bucket]: {} },
      destinations: {
        'acme-ftp': {
          ...{ host: '127.0.0.1', port: ftp.port, tls: 'none', user: ftp.user, password: 'env:UNUSED' },
          ...{ folder: ftp.folder || '/', maxConnections: order.connections },
        },
      },
      rules: [{ request: ['senders'], from: [bucket], to: ['acme-ftp'], approve: ['approvers'] }],
      limits: { maxObjects: 100_000 },
      servicenow: { userGroup: 'File Transfers', auditGroup: 'Compliance' },
    }),
  );

  async function* listed(): AsyncGenerator<Omit<PlannedObject, 'index'>> {
    let token: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? []) {
        yield { key: Key, size: Size, etag: ETag, targetPath: `${ftp.folder}/${Key}` };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  let heap = 0;
  const look = () => {
    globalThis.gc?.();
    heap = Math.max(heap, process.memoryUsage().heapUsed);
  };
  const watching = setInterval(look, 1_000);
  look();

  const begun = performance.now();
  const proposals = createProposals({
    transfers: rig.store,
    objects: rig.objects,
    learning: rig.learning,
    policy,
    now: Date.now,
  });
  const proposed = await proposals.propose({
    ...{ turnKey: `bench:${prefix}`, person: ana, bucket, destination: 'acme-ftp', priority: 'normal' },
    thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1795348800.000100' },
    selection: { kind: 'prefix', prefix },
    objects: listed(),
  });
  if (proposed.outcome !== 'proposed') throw new Error(JSON.stringify(proposed));
  const { transferId, planHash } = proposed.transfer;
  const proposedAt = performance.now();

  const at = Date.now();
  await rig.store.change(transferId, (current) => {
    const decision = { outcome: 'approved', by: bob, at, planHash } as const;
    const approved = move({ ...current, decision }, 'approved', { at, by: bob.userId, text: 'Approved.' });
    return {
      next: { ...move(approved, 'queued', { at, by: 'bot', text: 'Queued.' }), queuedAt: at },
      result: 0,
    };
  });
  const outcome = await rig.run(await rig.get(transferId), {
    changes: {
      policy,
      openSource: async () => {
        const source = createS3Source({ client: async () => s3, log });
        return { source, openedAt: [Date.now()], close: async () => source.close() };
      },
      openTarget: (_name, destination) => createFtpTarget(destination, async () => ftp.password, log),
      showProgress: async () => {},
      progressMs: 3_000,
      log,
    },
  });
  const ended = performance.now();
  clearInterval(watching);
  look();
  const { plan } = proposed.transfer;
  s3.destroy();
  client.destroy();
  return {
    outcome,
    objects: plan.objectCount,
    proposalSeconds: (proposedAt - begun) / 1_000,
    transferSeconds: (ended - proposedAt) / 1_000,
    heapMiB: heap / MIB,
    rssMiB: process.resourceUsage().maxRSS / 1_024,
  };
}

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as ManyFilesOrder)));
