/** Queued transfers over several worker processes: whether all are done once, how fast, and what a killed worker leaves. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { parse, stringify } from 'yaml';
import { createQueueClient, createTransferQueue } from '../core/queue.ts';
import { createObjectStore } from '../core/stores/object-store.ts';
import { hashPlan, type Transfer } from '../core/transfer.ts';
import { move } from '../core/transfer-state.ts';
import { type Service, startService } from '../infra/local/services.ts';
import { PEOPLE, TRANSFERS_CHANNEL, WORKSPACE } from '../infra/local/slack-workspace.ts';
import { type Stack, startStack } from '../infra/local/stack.ts';
import { REGION, TABLE_PREFIX } from '../infra/local/stack-environment.ts';
import { type HttpSlack, startHttpSlack } from '../test/support/http-slack.ts';
import { bob, plannedObject, proposal } from '../test/support/transfers.ts';

/** A file takes more than a second: a real one waits for the network, not for this machine's processors. */
const FILE_BYTES = 12_000;
const BYTES_PER_SECOND = 10_000;
const PROBE_MS = 500;
const PATIENCE_MS = 600_000;
const IN_HAND_MS = 30_000;
/** Transfers of one process at a time; the worker's default. */
const AT_ONCE = 4;
/** Fewer workers get fewer transfers, so that the whole takes minutes: this share of them for each worker. */
const SHARE_OF_FEW = 0.06;
const LEAST_FOR_EACH = 12;
/** A worker is killed when so many of the transfers are done, but while there is work for all. */
const KILLED_AFTER = 0.8;
const LEFT_AT_KILL = 24;

export interface QueueFigures {
  readonly workers: number;
  readonly transfers: number;
  readonly doneOnce: number;
  /** Transfers a second, from the first start to the last end; until one was killed where one was. */
  readonly perSecond: number;
}

interface TakeOver {
  /** Transfers that the killed worker had in hand. */
  readonly share: number;
  /** Seconds from the kill until another worker was on the last of them. */
  readonly takenOverIn: number;
}

export interface QueueLoad {
  readonly few: readonly QueueFigures[];
  readonly all: QueueFigures & TakeOver;
}

interface Yard {
  readonly stack: Stack;
  readonly slack: HttpSlack;
  readonly etag: string;
  readonly settings: Readonly<Record<string, string>>;
}

let made = 0;

/** Puts approved transfers onto the queue, each of the same object to a path of its own. */
async function enqueue({ stack, slack, etag }: Yard, count: number): Promise<Transfer[]> {
  const objects = createObjectStore({ client: stack.documents, tablePrefix: TABLE_PREFIX, now: Date.now });
  const credentials = stack.environmentForWorker();
  process.env.AWS_ACCESS_KEY_ID ??= credentials.AWS_ACCESS_KEY_ID;
  process.env.AWS_SECRET_ACCESS_KEY ??= credentials.AWS_SECRET_ACCESS_KEY;
  const client = createQueueClient({ region: REGION, endpoint: stack.sqs.endpoint });
  const queue = createTransferQueue({ client, queueUrl: stack.sqs.queueUrl, now: Date.now });
  const transfers: Transfer[] = [];
  while (transfers.length < count) {
    made += 1;
    const targetPath = `/acme/load-${String(made).padStart(5, '0')}.bin`;
    const planned = [plannedObject(0, { key: 'reports/load.bin', size: FILE_BYTES, etag, targetPath })];
    const at = Date.now();
    const threadTs = slack.server.say(TRANSFERS_CHANNEL.id, PEOPLE.ana.id, `send it to ${targetPath}`);
    const base = proposal(
      {
        createdAt: at,
        approvalExpiresAt: at + 86_400_000,
        thread: { platform: 'slack', teamId: WORKSPACE.teamId, channelId: TRANSFERS_CHANNEL.id, threadTs },
      },
      planned,
    );
    const planHash = hashPlan(base.plan);
    const decision = { outcome: 'approved', by: bob, at, planHash } as const;
    const approved = move({ ...base, planHash, decision }, 'approved', {
      at,
      by: bob.userId,
      text: 'Approved by Bob.',
    });
    const transfer = {
      ...move(approved, 'queued', { at, by: 'bot', text: 'On the queue for a worker.' }),
      queuedAt: at,
    };
    await objects.write(transfer.transferId, planned);
    await stack.transfers.create(transfer);
    await queue.send(transfer);
    transfers.push(transfer);
  }
  client.destroy();
  return transfers;
}

const startWorkers = ({ stack, slack, settings }: Yard, count: number): Promise<Service[]> =>
  Promise.all(
    Array.from({ length: count }, () =>
      startService('worker', { ...stack.environmentForWorker(), ...slack.workerSettings, ...settings }),
    ),
  );

async function records(stack: Stack, of: readonly Transfer[]): Promise<Transfer[]> {
  const found: Transfer[] = [];
  for (const { transferId } of of) {
    const transfer = await stack.transfers.get(transferId);
    if (transfer) found.push(transfer);
  }
  return found;
}

/** Waits until so many have ended. Asks only for those that had not: the database is the workers'. */
async function waitForEnded(stack: Stack, of: readonly Transfer[], count: number) {
  const deadline = Date.now() + PATIENCE_MS;
  const ended: Transfer[] = [];
  let open = of;
  while (ended.length < count) {
    if (Date.now() > deadline) throw new Error(`${open.length} transfers did not end`);
    await delay(PROBE_MS);
    // The queue hands them out in about this order.
    const looked = await records(stack, open.slice(0, 20));
    const done = looked.filter(({ endedAt }) => endedAt !== undefined);
    ended.push(...done);
    const ids = new Set(done.map(({ transferId }) => transferId));
    open = open.filter(({ transferId }) => !ids.has(transferId));
  }
  return { ended, open };
}

function rateOf(ended: readonly Transfer[]): number {
  const first = Math.min(...ended.map(({ startedAt = Number.POSITIVE_INFINITY }) => startedAt));
  const last = Math.max(...ended.map(({ endedAt = 0 }) => endedAt));
  return ended.length / ((last - first) / 1_000);
}

/** How many were completed once, have their file in place, and left nothing behind. */
async function doneOnce(stack: Stack, ended: readonly Transfer[]): Promise<number> {
  const files = await stack.ftp.files();
  const there = new Set(files);
  const left = files.filter((path) => path.includes('/.fileferry-')).length;
  const good = ended.filter(
    ({ plan, history }) =>
      history.filter(({ status }) => status === 'completed').length === 1 &&
      there.has(plan.preview[0]?.targetPath ?? ''),
  );
  return good.length - left;
}

async function openYard(leaseSeconds: number): Promise<Yard & { stop(): Promise<void> }> {
  const stack = await startStack({ slack: 'none', bytesPerSecond: BYTES_PER_SECOND });
  const slack = await startHttpSlack(() => '');
  const policy = parse(await readFile(stack.configFile, 'utf8'));
  policy.destinations['acme-ftp'].maxConnections = AT_ONCE;
  await writeFile(stack.configFile, stringify(policy));
  const { ETag: etag = '' } = await stack.s3Admin.send(
    new PutObjectCommand({
      Bucket: 'finance-exports',
      Key: 'reports/load.bin',
      Body: Buffer.alloc(FILE_BYTES, 7),
    }),
  );
  const settings = { WORKER_CONCURRENCY: String(AT_ONCE), LEASE_SECONDS: String(leaseSeconds) };
  return {
    stack,
    slack,
    etag,
    settings,
    async stop() {
      await slack.close();
      await stack.stop();
    },
  };
}

async function runOver(yard: Yard, workers: number, transfers: number): Promise<QueueFigures> {
  const { stack } = yard;
  const queued = await enqueue(yard, transfers);
  const services = await startWorkers(yard, workers);
  try {
    const { ended } = await waitForEnded(stack, queued, transfers);
    return { workers, transfers, doneOnce: await doneOnce(stack, ended), perSecond: rateOf(ended) };
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

/** The same, with one of them killed in the midst of its transfers when most are done. */
async function runAndKill(yard: Yard, workers: number, transfers: number): Promise<QueueLoad['all']> {
  const { stack } = yard;
  const queued = await enqueue(yard, transfers);
  const services = await startWorkers(yard, workers);
  try {
    const [victim] = services;
    if (!victim) throw new Error('no worker was started');
    const isTheirs = ({ status, lease }: Transfer) =>
      status === 'running' && lease?.owner.includes(`/${victim.pid}/`) === true;
    const enough = Math.min(Math.floor(transfers * KILLED_AFTER), transfers - LEFT_AT_KILL);
    const before = await waitForEnded(stack, queued, enough);
    const inHand = async () => (await records(stack, before.open)).filter(isTheirs);
    const deadline = Date.now() + IN_HAND_MS;
    while ((await inHand()).length < 2) {
      if (Date.now() > deadline) throw new Error('the worker to be killed has nothing in hand');
      await delay(PROBE_MS / 5);
    }
    const killedAt = Date.now();
    await victim.kill();
    const share = await inHand();
    let open = share;
    let lastTaken = killedAt;
    while (open.length > 0) {
      await delay(PROBE_MS / 5);
      const left = (await records(stack, open)).filter(isTheirs);
      if (left.length < open.length) lastTaken = Date.now();
      open = left;
    }
    const after = await waitForEnded(stack, before.open, before.open.length);
    return {
      workers,
      transfers,
      doneOnce: await doneOnce(stack, [...before.ended, ...after.ended]),
      perSecond: rateOf(before.ended),
      share: share.length,
      takenOverIn: (lastTaken - killedAt) / 1_000,
    };
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

/**
 * @param options.few numbers of workers that get a share of the transfers, to see how the rate grows
 * @param options.most workers that get all of them
 */
export async function queueLoad(options: {
  few: readonly number[];
  most: number;
  transfers: number;
  leaseSeconds: number;
  say: (line: string) => void;
}): Promise<QueueLoad> {
  const { most, say } = options;
  const yard = await openYard(options.leaseSeconds);
  try {
    const few: QueueFigures[] = [];
    for (const workers of options.few) {
      const share = workers * Math.max(LEAST_FOR_EACH, Math.ceil(options.transfers * SHARE_OF_FEW));
      say(`${share} transfers over ${workers} worker${workers === 1 ? '' : 's'} …`);
      few.push(await runOver(yard, workers, share));
    }
    const transfers = Math.max(options.transfers, 2 * LEFT_AT_KILL);
    say(`${transfers} transfers over ${most} workers, one of which is killed when most are done …`);
    return { few, all: await runAndKill(yard, most, transfers) };
  } finally {
    await yard.stop();
  }
}
