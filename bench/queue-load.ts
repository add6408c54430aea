/** Queued transfers over several worker processes: whether all are done once, how fast, and what a killed worker leaves. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { parse, stringify } from 'yaml';
import { createQueueClient, createTransferQueue } from '../core/queue.ts';
import { createObjectStore, pagesOf } from '../core/stores/object-store.ts';
import { hashPlan, type Transfer } from '../core/transfer.ts';
import { move } from '../core/transfer-state.ts';
import { type Service, startService } from '../infra/local/services.ts';
import { PEOPLE, TRANSFERS_CHANNEL, WORKSPACE } from '../infra/local/slack-workspace.ts';
import { type Stack, startStack } from '../infra/local/stack.ts';
import { REGION, TABLE_PREFIX } from '../infra/local/stack-environment.ts';
import { type HttpSlack, startHttpSlack } from '../test/support/http-slack.ts';
import { bob, plannedObject, proposal } from '../test/support/transfers.ts';

/** A file takes four seconds: a real one waits for the network, not for this machine's processors. */
const FILE_BYTES = 40_000;
const BYTES_PER_SECOND = 10_000;
const PROBE_MS = 500;
const PATIENCE_MS = 1_200_000;
/** Transfers of one process at a time; the worker's default. */
const AT_ONCE = 4;

export interface QueueFigures {
  readonly workers: number;
  readonly transfers: number;
  readonly doneOnce: number;
  /** Transfers a second, from the first start to the last end. */
  readonly perSecond: number;
}

export interface TakeOver {
  readonly leaseSeconds: number;
  readonly transfers: number;
  readonly doneOnce: number;
  /** Transfers that the killed worker had in hand. */
  readonly share: number;
  /** Seconds from the kill until another worker was on the last of them. */
  readonly takenOverIn: number;
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
    await objects.write(transfer.transferId, planned, pagesOf(transfer));
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

/** Waits until all have ended. Asks only for those that had not: the database is the workers'. */
async function allEnded(stack: Stack, of: readonly Transfer[]): Promise<Transfer[]> {
  const deadline = Date.now() + PATIENCE_MS;
  const ended: Transfer[] = [];
  let open = of;
  while (open.length > 0) {
    if (Date.now() > deadline) throw new Error(`${open.length} transfers did not end`);
    await delay(PROBE_MS);
    // The queue hands them out in about this order.
    const looked = await records(stack, open.slice(0, 20));
    const done = looked.filter(({ endedAt }) => endedAt !== undefined);
    ended.push(...done);
    const ids = new Set(done.map(({ transferId }) => transferId));
    open = open.filter(({ transferId }) => !ids.has(transferId));
  }
  return ended;
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

/** Runs a share of the transfers for every number of workers, so that each takes about as long. */
export async function queueLoad(options: {
  workers: readonly number[];
  transfers: number;
  say: (line: string) => void;
}): Promise<QueueFigures[]> {
  const yard = await openYard(30);
  const { stack } = yard;
  const most = Math.max(...options.workers);
  const figures: QueueFigures[] = [];
  try {
    for (const workers of options.workers) {
      const count = Math.ceil((options.transfers * workers) / most);
      options.say(`${count} transfers over ${workers} workers …`);
      const queued = await enqueue(yard, count);
      const services = await startWorkers(yard, workers);
      const ended = await allEnded(stack, queued);
      const first = Math.min(...ended.map(({ startedAt = Number.POSITIVE_INFINITY }) => startedAt));
      const last = Math.max(...ended.map(({ endedAt = 0 }) => endedAt));
      await Promise.all(services.map((service) => service.stop()));
      figures.push({
        workers,
        transfers: count,
        doneOnce: await doneOnce(stack, ended),
        perSecond: count / ((last - first) / 1_000),
      });
    }
    return figures;
  } finally {
    await yard.stop();
  }
}

/** Kills one of four workers in the middle of its transfers. */
export async function takeOver(options: { transfers: number; leaseSeconds: number }): Promise<TakeOver> {
  const yard = await openYard(options.leaseSeconds);
  const { stack } = yard;
  let services: Service[] = [];
  try {
    const queued = await enqueue(yard, options.transfers);
    services = await startWorkers(yard, 4);
    const [victim] = services;
    if (!victim) throw new Error('no worker was started');
    const isTheirs = ({ status, lease }: Transfer) =>
      status === 'running' && lease?.owner.includes(`/${victim.pid}/`) === true;
    let share: Transfer[] = [];
    // The queue hands out the first of them first.
    while (share.length < 2) {
      await delay(PROBE_MS);
      share = (await records(stack, queued.slice(0, 32))).filter(isTheirs);
    }
    const killedAt = Date.now();
    await victim.kill();
    share = (await records(stack, queued)).filter(isTheirs);
    let open = share;
    let lastTaken = killedAt;
    while (open.length > 0) {
      await delay(PROBE_MS / 5);
      open = (await records(stack, open)).filter(isTheirs);
      if (open.length < share.length) lastTaken = Date.now();
    }
    const ended = await allEnded(stack, queued);
    return {
      leaseSeconds: options.leaseSeconds,
      transfers: queued.length,
      doneOnce: await doneOnce(stack, ended),
      share: share.length,
      takenOverIn: (lastTaken - killedAt) / 1_000,
    };
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await yard.stop();
  }
}
