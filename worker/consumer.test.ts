import { GetQueueAttributesCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FerryError } from '../core/errors.ts';
import { createQueueClient, createTransferQueue, type TransferQueue } from '../core/queue.ts';
import type { Transfer } from '../core/transfer.ts';
import { type LocalSqs, startSqs } from '../infra/local/sqs.ts';
import { QUEUE } from '../infra/schema/queue.ts';
import { damage, useDynamoDb } from '../test/support/dynamodb.ts';
import { contentOf, createGate } from '../test/support/memory-ends.ts';
import { plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type WorkerRig } from '../test/support/worker-rig.ts';
import { createConsumer } from './consumer.ts';
import { createDeadLetters } from './dead-letters.ts';
import type { Polling } from './polling.ts';
import { runTransfer } from './workflow.ts';

const db = useDynamoDb();
const file = (size: number) => plannedObject(0, { size });
const PATH = '/incoming/file-0.csv';

let sqs: LocalSqs;
let client: SQSClient;
let queue: TransferQueue;
let rig: WorkerRig;
let polls: Polling[] = [];

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});
beforeEach(async () => {
  sqs = await startSqs();
  client = createQueueClient({ region: 'us-east-1', endpoint: sqs.endpoint });
  queue = createTransferQueue({ client, queueUrl: sqs.queueUrl, now: Date.now });
  rig = createWorkerRig(db);
});
afterEach(async () => {
  await Promise.all(polls.map((poll) => poll.stop()));
  polls = [];
  client.destroy();
  await sqs.stop();
});
afterAll(() => vi.unstubAllEnvs());

/** A worker process's part that takes messages; `stop` is what SIGTERM does. */
function startWorker(owner: string) {
  const stopping = new AbortController();
  const consumer = createConsumer({
    client,
    queueUrl: sqs.queueUrl,
    deadLetterUrl: sqs.deadLetterQueueUrl,
    concurrency: 2,
    visibilitySeconds: 30,
    pollSeconds: 1,
    leases: rig.leases({ owner }),
    run: (taken, signal) => runTransfer(rig.deps({ owner }), taken, signal),
    followUp: rig.followUp,
    stopping: stopping.signal,
    log: rig.log,
  });
  polls.push(consumer);
  consumer.start();
  return {
    stop() {
      stopping.abort();
      return consumer.stop();
    },
  };
}

function startDeadLetters() {
  const deadLetters = createDeadLetters({
    ...rig.deps(),
    client,
    deadLetterUrl: sqs.deadLetterQueueUrl,
    visibilitySeconds: 30,
    pollSeconds: 1,
    leases: rig.leases({ owner: 'undertaker' }),
    followUp: rig.followUp,
    now: Date.now,
    log: rig.log,
  });
  polls.push(deadLetters);
  deadLetters.start();
}

const send = (QueueUrl: string, MessageBody: string) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody }));

/** Messages in a queue: those that can be received, and those that somebody has. */
async function depth(QueueUrl: string) {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return [
    Number(Attributes.ApproximateNumberOfMessages),
    Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  ];
}

const patient = { timeout: 10_000, interval: 20 };
const untilEmpty = (url: string) => vi.waitFor(async () => expect(await depth(url)).toEqual([0, 0]), patient);
const logged = (words: string) => rig.lines.filter(({ msg }) => String(msg).includes(words));

describe('the transfer queue', () => {
  it('carries one transfer however often and to however many workers its message is delivered', async () => {
    const transfer = await rig.queued([file(5_000)]);
    const gate = createGate();
    rig.source.gates.set(file(0).key, gate);
    await Promise.all([queue.send(transfer), queue.send(transfer), queue.send(transfer)]);
    startWorker('one');
    startWorker('two');
    await gate.reached;
    // The duplicates are gone while the first delivery is still at work.
    await vi.waitFor(async () => expect(await depth(sqs.queueUrl)).toEqual([0, 1]), patient);
    expect(logged('another worker is on it')).toHaveLength(2);
    gate.open();
    await untilEmpty(sqs.queueUrl);
    await queue.send(transfer);
    await vi.waitFor(() => expect(logged('nothing to do for this message')).toHaveLength(1), patient);
    await untilEmpty(sqs.queueUrl);

    expect(rig.source.reads).toHaveLength(1);
    expect([...rig.target.files.keys()]).toEqual([PATH]);
    expect((await rig.get(transfer.transferId)).lease?.token).toBe(1);
    expect(await depth(sqs.deadLetterQueueUrl)).toEqual([0, 0]);
  });

  it('gives the message back at once when the worker stops mid-file; another worker finishes', async () => {
    const transfer = await rig.queued([file(5_000)]);
    const gate = createGate();
    rig.source.gates.set(file(0).key, gate);
    await queue.send(transfer);
    const leaving = startWorker('leaving');
    await gate.reached;
    await leaving.stop();
    expect(await depth(sqs.queueUrl)).toEqual([1, 0]);
    expect(await rig.get(transfer.transferId)).toMatchObject({
      status: 'running',
      lease: { owner: 'leaving' },
    });
    rig.source.gates.clear();
    startWorker('heir');
    await untilEmpty(sqs.queueUrl);
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({ status: 'completed', lease: { owner: 'heir', token: 2 } });
    expect([...rig.target.files.keys()]).toEqual([PATH]);
    expect(rig.target.files.get(PATH)?.equals(contentOf(file(0).key, 5_000))).toBe(true);
  });

  it('hands over as often as workers are stopped: that is no failed delivery', async () => {
    const transfer = await rig.queued([file(5_000)]);
    await queue.send(transfer);
    for (let stops = 0; stops <= QUEUE.maxReceiveCount; stops += 1) {
      const gate = createGate();
      rig.source.gates.set(file(0).key, gate);
      const leaving = startWorker(`leaving-${stops}`);
      await gate.reached;
      await leaving.stop();
    }
    rig.source.gates.clear();
    startWorker('heir');
    await untilEmpty(sqs.queueUrl);
    expect(await rig.get(transfer.transferId)).toMatchObject({
      status: 'completed',
      lease: { owner: 'heir' },
    });
    expect(await depth(sqs.deadLetterQueueUrl)).toEqual([0, 0]);
  });

  it('sets unreadable messages aside with a log line, and goes on', async () => {
    const transfer = await rig.queued([file(100)]);
    await send(sqs.queueUrl, 'not JSON');
    await send(sqs.queueUrl, JSON.stringify({ v: 2, transferId: transfer.transferId }));
    await queue.send(transfer);
    startWorker('one');
    await untilEmpty(sqs.queueUrl);
    expect((await rig.get(transfer.transferId)).status).toBe('completed');
    expect(logged('unreadable message').map(({ body }) => body)).toContain('not JSON');
    expect(await depth(sqs.deadLetterQueueUrl)).toEqual([2, 0]);
    startDeadLetters();
    await vi.waitFor(() => expect(logged('an unreadable dead letter stays')).toHaveLength(2), patient);
    // Nothing is thrown away, and they are not told of in a loop.
    await vi.waitFor(async () => expect(await depth(sqs.deadLetterQueueUrl)).toEqual([0, 2]), patient);
  });

  it('deletes the message of a transfer that waits: the reconciler sends the next', async () => {
    rig.serviceNow.down = true;
    const transfer = await rig.queued([file(100)]);
    await queue.send(transfer);
    startWorker('one');
    await vi.waitFor(async () => expect((await rig.get(transfer.transferId)).waiting).toBeDefined(), patient);
    await untilEmpty(sqs.queueUrl);
  });

  it('cancels a transfer that was to be cancelled while it was on the queue', async () => {
    const transfer = await rig.queued([file(100)]);
    await rig.store.change(transfer.transferId, (current) => ({
      next: { ...current, cancelRequested: { by: current.requester, at: Date.now() } },
      result: undefined,
    }));
    await queue.send(transfer);
    startWorker('one');
    await untilEmpty(sqs.queueUrl);
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({ status: 'cancelled', tickets: { user: { closed: true } } });
    expect(rig.target.commands).toEqual([]);
  });
});

describe('the dead-letter queue', () => {
  const letter = (transferId: string, attempt = 1) =>
    send(sqs.deadLetterQueueUrl, JSON.stringify({ v: 1, transferId, attempt, enqueuedAt: 1 }));

  it('fails a transfer that never came to an end, and tells thread and tickets', async () => {
    const { transferId } = await rig.queued([file(100)]);
    await letter(transferId);
    startDeadLetters();
    await untilEmpty(sqs.deadLetterQueueUrl);
    expect(await rig.get(transferId)).toMatchObject({
      status: 'failed',
      failure: { code: 'internal', step: 'validate', message: expect.stringContaining('gave up') },
      tickets: { user: { closed: true }, audit: { closed: true } },
      messages: [{ role: 'approval' }, { role: 'progress' }, { role: 'outcome' }],
      learned: true,
    });
  });

  it('removes the temporary files of what it gives up, and names those that it cannot', async () => {
    const away = () => new FerryError('unavailable', { retryable: true, userMessage: 'away' });
    const [gone, stuck] = [await rig.queued([file(5_000)]), await rig.queued([file(5_000)])];
    for (const transfer of [gone, stuck]) {
      rig.source.faults.set(file(0).key, [away(), away(), away()]);
      expect(await rig.run(transfer)).toBe('deferred');
    }
    expect(rig.temporaryFiles()).toHaveLength(2);
    const path = `/incoming/.fileferry-${stuck.transferId}-0-1.part`;
    rig.target.before = (command) => {
      if (command !== `DELE ${path}`) return;
      throw new FerryError('target_refused', { userMessage: '550' });
    };
    await Promise.all([letter(gone.transferId), letter(stuck.transferId)]);
    startDeadLetters();
    await untilEmpty(sqs.deadLetterQueueUrl);
    expect(rig.temporaryFiles()).toEqual([path]);
    const messageOf = async ({ transferId }: Transfer) => (await rig.get(transferId)).failure?.message;
    expect(await messageOf(gone)).not.toContain('temporary');
    expect(await messageOf(stuck)).toContain(`A temporary file could not be removed: ${path}.`);
  });

  it('keeps the letter of a record that cannot be read, and is not reminded of it in a loop', async () => {
    const { transferId } = await rig.queued([file(100)]);
    await damage(db, transferId);
    const sent = vi.spyOn(client, 'send');
    await letter(transferId);
    startDeadLetters();
    await vi.waitFor(() => expect(logged('cannot be read')).toMatchObject([{ level: 50 }]), patient);
    await vi.waitFor(() => {
      const visible = sent.mock.calls.map(
        ([{ input }]) => (input as { VisibilityTimeout?: number }).VisibilityTimeout,
      );
      expect(visible).toContain(6 * 60 * 60);
    }, patient);
    expect(await depth(sqs.deadLetterQueueUrl)).toEqual([0, 1]);
  });

  it('leaves alone what has ended or is under way', async () => {
    const done = await rig.queued([file(100)]);
    await rig.run(done);
    const busy = await rig.queued([file(100)]);
    await rig.leases({ owner: 'somebody' }).take(busy.transferId, 1);
    const before = await Promise.all([rig.get(done.transferId), rig.get(busy.transferId)]);
    await Promise.all([letter(done.transferId), letter(busy.transferId), letter('TRF-0000000000')]);
    startDeadLetters();
    await untilEmpty(sqs.deadLetterQueueUrl);
    expect(await Promise.all([rig.get(done.transferId), rig.get(busy.transferId)])).toEqual(before);
  });
});
