/** One round of chaos: transfers over a network that goes wrong, by workers that are killed; then the count. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Destination } from '../../core/policy-config.ts';
import type { QueueMessage } from '../../core/queue-message.ts';
import { createTables } from '../../core/stores/create-tables.ts';
import type { PlannedObject, Transfer } from '../../core/transfer.ts';
import { isEnded } from '../../core/transfer-state.ts';
import { ADMIN_POLICY } from '../../infra/local/access-policy.ts';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { createKeyRing } from '../../infra/local/key-ring.ts';
import { startS3 } from '../../infra/local/s3.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { startEmbedded } from '../servers/embedded.ts';
import { findProgram } from '../servers/program.ts';
import { startVsftpd } from '../servers/vsftpd.ts';
import { plannedObject } from '../support/transfers.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';
import { createCrew, harass } from './crew.ts';
import { type Fault, type Link, type PlannedFault, portsOf, startNetwork } from './network.ts';
import { createRandom, type Random } from './random.ts';
import type { ChaosWorkerOrder } from './worker.ts';
import { findWrong } from './wrong.ts';

export interface RoundOptions {
  readonly seed: number;
  readonly transfers: number;
  /** Longest time between two kills, in milliseconds. */
  readonly killEveryMs: number;
  /** Kills after which the workers are left in peace. */
  readonly kills: number;
  readonly largestBytes: number;
  /** After which the round counts as hung, in milliseconds. */
  readonly withinMs: number;
}

export interface RoundReport {
  readonly seed: number;
  readonly server: string;
  readonly seconds: number;
  readonly completed: number;
  readonly failed: number;
  /** Failures by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly files: number;
  readonly bytes: number;
  readonly kills: number;
  /** Faults that struck, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Everything that must not be; empty when all is well. */
  readonly wrong: readonly string[];
  /** The workers' last lines, for when something is wrong. */
  readonly log: readonly string[];
}

const BUCKET = 'finance-exports';
const LEASE_SECONDS = 3;
const MIB = 2 ** 20;

type Kind = 'data' | 'control' | 's3';

/** How often something befalls a connection. */
const SHARES: Readonly<Record<Kind, number>> = { data: 0.35, control: 0.12, s3: 0.12 };

/** Each connection of FTP data is slow, or files would be gone before anybody can be killed. */
function planFor(kind: Kind, random: Random, largest: number, count: (fault: Fault) => void): PlannedFault[] {
  const counting = kind === 'data' ? 'up' : 'down';
  const slow: PlannedFault = {
    fault: { kind: 'slow', bytesPerSecond: random.between(4, 24) * MIB },
    after: 0,
    counting,
  };
  const plan = kind === 'data' ? [slow] : [];
  if (!random.chance(SHARES[kind])) return plan;
  const fault: Fault =
    kind === 'data'
      ? { kind: random.pick(['cut', 'reset', 'reset', 'stall', 'half-open']) }
      : { kind: random.pick(['cut', 'reset', 'stall', 'half-open', 'corrupt', 'corrupt']) };
  const after = kind === 'control' ? random.between(0, 1_500) : Math.floor(largest * random.next() ** 2);
  count(fault);
  return [...plan, { fault, after, counting }];
}

/** The round's files: from nothing to the largest. */
function makeContents(random: Random, largest: number): Buffer[] {
  const sizes = [0, 1, 1_000, 65_536, 300_007, MIB, 3 * MIB + 17, Math.floor(largest / 2), largest];
  return sizes.map((size) => random.bytes(Math.min(size, largest)));
}

export async function runRound(options: RoundOptions): Promise<RoundReport> {
  const random = createRandom(options.seed);
  const stops: (() => Promise<unknown>)[] = [];
  try {
    return await play(options, random, stops);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function play(
  options: RoundOptions,
  random: Random,
  stops: (() => Promise<unknown>)[],
): Promise<RoundReport> {
  const begun = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'fileferry-chaos-'));
  stops.push(async () => rmSync(folder, { recursive: true, force: true }));
  const keys = createKeyRing();
  const admin = keys.addUser('admin', ADMIN_POLICY);
  const vsftpd = findProgram('vsftpd');
  const [dynamoDb, sqs, s3, server] = await Promise.all([
    startDynamoDb(),
    startSqs(),
    startS3({ folder: join(folder, 's3'), keys }),
    vsftpd ? startVsftpd(vsftpd, { tls: 'none', settings: { max_per_ip: 0 } }) : startEmbedded(),
  ]);
  stops.push(() => Promise.all([dynamoDb, sqs, s3, server].map((each) => each.stop())));

  const faults: Record<string, number> = {};
  const count = ({ kind }: Fault) => {
    faults[kind] = (faults[kind] ?? 0) + 1;
  };
  const plan = (kind: (link: Link) => Kind) => (link: Link) =>
    planFor(kind(link), random, options.largestBytes, count);
  const [ftpNetwork, s3Network] = await Promise.all([
    startNetwork({
      upstream: server.host,
      ports: portsOf(server),
      plan: plan(({ port }) => (port === server.port ? 'control' : 'data')),
    }),
    startNetwork({ upstream: '127.0.0.1', ports: [[0, portOf(s3.endpoint)]], plan: plan(() => 's3') }),
  ]);
  stops.push(() => Promise.all([ftpNetwork.stop(), s3Network.stop()]));

  const region = 'us-east-1';
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: dynamoDb.endpoint, region, credentials });
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const prefix = 'Chaos-';
  await createTables(client, prefix);
  const rig = createWorkerRig({ endpoint: dynamoDb.endpoint, client, documents, prefix });

  const contents = makeContents(random, options.largestBytes);
  const etags = await upload(contents, s3.endpoint, admin);
  const { transfers, expected } = await request(
    options.transfers,
    rig,
    random,
    contents,
    etags,
    server.ftpRoot,
  );

  const destination: Destination = {
    aliases: [],
    host: ftpNetwork.host,
    port: server.port,
    tls: 'none',
    user: server.user,
    password: 'env:UNUSED',
    folder: server.ftpRoot || '/',
    existing: 'refuse',
    maxConnections: 4,
  };
  const order: ChaosWorkerOrder = {
    dynamoDb: dynamoDb.endpoint,
    tablePrefix: prefix,
    sqs: sqs.endpoint,
    queueUrl: sqs.queueUrl,
    deadLetterUrl: sqs.deadLetterQueueUrl,
    s3: {
      endpoint: `http://${s3Network.host}:${s3Network.port(portOf(s3.endpoint))}`,
      accessKeyId: admin.accessKeyId,
      secretAccessKey: admin.secretAccessKey,
    },
    destination,
    password: server.password,
    leaseSeconds: LEASE_SECONDS,
  };
  const crew = createCrew(order);
  stops.push(crew.stop);
  await enqueue(transfers, sqs);
  const ended = untilEnded(rig, transfers, options.withinMs);
  const kills = await harass(crew, random, options, ended);
  const wrong: string[] = (await ended).map((id) => `${id} never came to an end`);
  await crew.stop();

  const records = await Promise.all(transfers.map(({ transferId }) => rig.get(transferId)));
  wrong.push(...(await findWrong(records, rig, expected, server.seen(''))));
  const codes: Record<string, number> = {};
  for (const { failure } of records) if (failure) codes[failure.code] = (codes[failure.code] ?? 0) + 1;
  client.destroy();
  return {
    seed: options.seed,
    server: vsftpd ? 'vsftpd' : 'embedded',
    seconds: (performance.now() - begun) / 1_000,
    completed: records.filter(({ status }) => status === 'completed').length,
    failed: records.filter(({ status }) => status === 'failed').length,
    codes,
    files: expected.size,
    bytes: [...expected.values()].reduce((sum, content) => sum + content.length, 0),
    kills,
    faults,
    wrong,
    log: crew.log,
  };
}

const portOf = (endpoint: string) => Number(new URL(endpoint).port);
const keyOf = (index: number) => `reports/chaos/${index}.bin`;

async function upload(
  contents: readonly Buffer[],
  endpoint: string,
  key: { accessKeyId: string; secretAccessKey: string },
): Promise<string[]> {
  const { accessKeyId, secretAccessKey } = key;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const etags: string[] = [];
  for (const [index, Body] of contents.entries()) {
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: keyOf(index), Body, ChecksumAlgorithm: 'CRC32' });
    const { ETag = '' } = await s3.send(put);
    etags.push(ETag);
  }
  s3.destroy();
  return etags;
}

/** Approved transfers of one to four files each, and what has to be at each path in the end. */
async function request(
  howMany: number,
  rig: WorkerRig,
  random: Random,
  contents: readonly Buffer[],
  etags: readonly string[],
  ftpRoot: string,
): Promise<{ transfers: Transfer[]; expected: Map<string, Buffer> }> {
  const transfers: Transfer[] = [];
  const expected = new Map<string, Buffer>();
  for (let number = 0; number < howMany; number += 1) {
    const objects: PlannedObject[] = Array.from({ length: random.between(1, 4) }, (_none, index) => {
      const which = random.between(0, contents.length - 1);
      const content = contents[which] ?? Buffer.alloc(0);
      const path = `t${number}/file ${index}.bin`;
      expected.set(path, content);
      return plannedObject(index, {
        key: keyOf(which),
        size: content.length,
        etag: etags[which] ?? '',
        targetPath: `${ftpRoot}/${path}`,
      });
    });
    transfers.push(await rig.queued(objects));
  }
  return { transfers, expected };
}

async function enqueue(transfers: readonly Transfer[], sqs: { endpoint: string; queueUrl: string }) {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SQSClient({
    endpoint: sqs.endpoint,
    region: 'us-east-1',
    credentials,
    useQueueUrlAsEndpoint: false,
  });
  for (const { transferId, attempt } of transfers) {
    const message: QueueMessage = { v: 1, transferId, attempt, enqueuedAt: Date.now() };
    const MessageBody = JSON.stringify(message);
    await client.send(new SendMessageCommand({ QueueUrl: sqs.queueUrl, MessageBody }));
    // Redelivery is normal: some messages come twice.
    if (Number.parseInt(transferId.slice(-1), 36) % 4 === 0) {
      await client.send(new SendMessageCommand({ QueueUrl: sqs.queueUrl, MessageBody }));
    }
  }
  client.destroy();
}

/** Resolves with the ids of those that had not ended in time. */
async function untilEnded(
  rig: WorkerRig,
  transfers: readonly Transfer[],
  withinMs: number,
): Promise<string[]> {
  const deadline = performance.now() + withinMs;
  let open = transfers.map(({ transferId }) => transferId);
  while (open.length > 0 && performance.now() < deadline) {
    await delay(100);
    const records = await Promise.all(open.map((id) => rig.get(id)));
    open = records.filter(({ status }) => !isEnded(status)).map(({ transferId }) => transferId);
  }
  return open;
}
