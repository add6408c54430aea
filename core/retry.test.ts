import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, eve, NOON, plannedObject, policy, proposal } from '../test/support/transfers.ts';
import { parsePolicy } from './config.ts';
import { createDispatch } from './dispatch.ts';
import { FerryError } from './errors.ts';
import { createRetries, MAX_ATTEMPTS, type Recheck, type Retries } from './retry.ts';
import { createObjectStore, type ObjectStore, pagesOf } from './stores/object-store.ts';
import { createTransferStore, type TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';

const HOUR = 3_600_000;
const dynamo = useDynamoDb();
let clock = NOON;
let transfers: TransferStore;
let objects: ObjectStore;
let retries: Retries;
let sent: string[];
let queueFails: boolean;
let recheck: Recheck;

function createWith(withPolicy: typeof policy): Retries {
  const send = async ({ transferId, attempt }: Pick<Transfer, 'transferId' | 'attempt'>) => {
    if (queueFails) throw new FerryError('unavailable', { retryable: true, userMessage: 'Down.' });
    sent.push(`${transferId} ${attempt}`);
  };
  return createRetries({
    transfers,
    objects,
    dispatch: createDispatch({ transfers, queue: { send }, now: () => clock, by: 'bot' }),
    recheck: (transfer) => recheck(transfer),
    policy: withPolicy,
    now: () => clock,
  });
}

beforeAll(() => {
  const options = { client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock };
  transfers = createTransferStore(options);
  objects = createObjectStore(options);
  retries = createWith(policy);
});
beforeEach(() => {
  clock = NOON;
  sent = [];
  queueFails = false;
  recheck = async () => 'same';
});

async function failed(changes: Partial<Transfer> = {}): Promise<string> {
  const transfer = proposal();
  await transfers.create({
    ...transfer,
    status: 'failed',
    decision: { outcome: 'approved', by: bob, at: NOON, planHash: transfer.planHash },
    failure: { code: 'target_full', message: 'The disk is full.', step: 'stream' },
    steps: { ...transfer.steps, validate: { startedAt: NOON, endedAt: NOON + 5, attempts: 2 } },
    lease: { owner: 'worker-1', token: 4, expiresAt: NOON - 1 },
    cancelRequested: { by: ana, at: NOON },
    queuedAt: NOON,
    startedAt: NOON,
    endedAt: NOON + 9,
    learned: true,
    ...changes,
  });
  return transfer.transferId;
}
const record = async (id: string) => await transfers.get(id);

/** Tells that it was refused with these words and nothing changed. */
async function expectAskAgain(id: string, words: string, asked = retries) {
  expect(await asked.retry(ana, id)).toMatchObject({
    outcome: 'ask again',
    text: expect.stringContaining(words),
  });
  expect(await record(id)).toMatchObject({ status: 'failed', version: 1 });
  expect(sent).toEqual([]);
}

describe('a retry', () => {
  it('puts the same record on the queue as the next attempt', async () => {
    const id = await failed();
    clock += HOUR;
    expect(await retries.retry(ana, id)).toMatchObject({
      outcome: 'queued',
      text: `${id} is on the queue again, attempt 2. Files that arrived are not sent twice.`,
    });
    expect(sent).toEqual([`${id} 2`]);
    const after = await record(id);
    expect(after).toMatchObject({
      status: 'queued',
      attempt: 2,
      queuedAt: clock,
      lease: { token: 4 },
      history: [{ seq: 1 }, { status: 'queued', by: ana.userId }],
    });
    expect(after?.steps.validate).toEqual({ attempts: 2 });
    for (const gone of ['failure', 'cancelRequested', 'startedAt', 'endedAt']) {
      expect(after).not.toHaveProperty(gone);
    }
  });

  it('keeps what was done: the objects are not touched', async () => {
    const many = [plannedObject(0), plannedObject(1)];
    const transfer = proposal({}, many);
    await objects.write(transfer.transferId, many, pagesOf(transfer));
    const done = { state: 'done', finalPath: '/incoming/a', crc32: 7, verified: 'size' } as const;
    await objects.setProgress(transfer, 0, done, 1);
    await transfers.create({
      ...transfer,
      status: 'failed',
      decision: { outcome: 'approved', by: bob, at: NOON, planHash: transfer.planHash },
    });
    await retries.retry(bob, transfer.transferId);
    const states: string[] = [];
    for await (const object of objects.read(transfer)) states.push(object.progress.state);
    expect(states).toEqual(['done', 'pending']);
  });

  it('wins once when two ask at the same moment', async () => {
    const id = await failed();
    const outcomes = await Promise.all([retries.retry(ana, id), retries.retry(bob, id)]);
    expect(outcomes.filter(({ outcome }) => outcome === 'queued')).toHaveLength(1);
    expect((await record(id))?.attempt).toBe(2);
  });

  it('during an outage of the queue is kept and due soon', async () => {
    const id = await failed();
    queueFails = true;
    expect(await retries.retry(ana, id)).toMatchObject({ outcome: 'delayed' });
    expect(await record(id)).toMatchObject({ status: 'queued', attempt: 2, waiting: { since: NOON } });
    clock += 10_000;
    expect(await transfers.listDue(1_000)).toContain(id);
  });
});

describe('what is asked for anew', () => {
  it('when its approval has run out', async () => {
    const id = await failed();
    clock += 24 * HOUR;
    await expectAskAgain(id, 'its approval has run out');
  });

  it('when it was not approved for this plan', async () => {
    const decision = { outcome: 'approved', by: bob, at: NOON, planHash: 'another' } as const;
    await expectAskAgain(await failed({ decision }), 'its approval has run out');
    await expectAskAgain(await failed({ planHash: 'another', decision }), 'not the one that was approved');
  });

  it('when the policy changed', async () => {
    const strict = parsePolicy(`
groups: { finance: ["${ana.userId}"], approvers: ["${bob.userId}"] }
buckets: { finance-exports: {} }
destinations: { acme-ftp: { host: h, user: u, password: "env:P" } }
rules: [{ request: [finance], from: [finance-exports/other/], to: [acme-ftp], approve: [approvers] }]
servicenow: { userGroup: u, auditGroup: a }
`);
    await expectAskAgain(await failed(), 'the policy no longer allows it', createWith(strict));
  });

  it('when the source changed', async () => {
    recheck = async () => 'changed';
    await expectAskAgain(await failed(), 'a file in S3 has changed');
  });

  it('when it was tried often enough', async () => {
    await expectAskAgain(await failed({ attempt: MAX_ATTEMPTS }), 'it was tried 10 times');
  });
});

describe('what is not retried', () => {
  it.each([
    ['completed', 'was completed. Only'],
    ['cancelled', 'was cancelled by Ana. Only'],
    ['running', 'is under way. Only'],
    ['pending_approval', 'is under way. Only'],
  ] as const)('one that is %s', async (status, words) => {
    const id = await failed({ status });
    expect(await retries.retry(ana, id)).toMatchObject({
      outcome: 'not failed',
      text: expect.stringContaining(words),
    });
    expect((await record(id))?.version).toBe(1);
  });

  it('one that the person may not see', async () => {
    const id = await failed();
    expect(await retries.retry(eve, id)).toEqual({ outcome: 'refused', text: expect.any(String) });
    expect(await retries.retry({ ...ana, standing: 'deactivated' }, id)).toMatchObject({
      outcome: 'refused',
    });
    expect((await record(id))?.version).toBe(1);
  });

  it('one that does not exist', async () => {
    expect(await retries.retry(ana, 'TRF-0000000000')).toMatchObject({ outcome: 'not found' });
  });

  it('anything while S3 cannot tell', async () => {
    const id = await failed();
    recheck = async () => {
      throw new FerryError('unavailable', { retryable: true, userMessage: 'S3 cannot be reached.' });
    };
    await expect(retries.retry(ana, id)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await record(id)).toMatchObject({ status: 'failed', version: 1 });
  });
});
