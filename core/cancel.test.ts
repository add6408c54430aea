import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, eve, NOON, plannedObject, policy, proposal } from '../test/support/transfers.ts';
import { type Cancellation, createCancellation } from './cancel.ts';
import { createObjectStore, type ObjectStore, pagesOf } from './stores/object-store.ts';
import { createTransferStore, type TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';
import { move } from './transfer-state.ts';

const dynamo = useDynamoDb();
let clock = NOON;
let transfers: TransferStore;
let objects: ObjectStore;
let cancellation: Cancellation;

beforeAll(() => {
  const options = { client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock };
  transfers = createTransferStore(options);
  objects = createObjectStore(options);
  cancellation = createCancellation({ transfers, objects, policy, now: () => clock });
});
beforeEach(() => {
  clock = NOON;
});

const decision = { outcome: 'approved', by: bob, at: NOON, planHash: 'plan' } as const;
const lease = { owner: 'worker-1', token: 1, expiresAt: NOON + 30_000 };

async function stored(changes: Partial<Transfer> = {}): Promise<string> {
  const transfer = proposal(changes);
  await transfers.create(transfer);
  return transfer.transferId;
}
const record = async (id: string) => await transfers.get(id);

describe('before the decision', () => {
  it('the requester withdraws', async () => {
    const id = await stored();
    expect(await cancellation.cancel(ana, id)).toMatchObject({
      outcome: 'withdrawn',
      text: `${id} is withdrawn. Nothing was sent.`,
    });
    expect(await record(id)).toMatchObject({
      status: 'rejected',
      endedAt: NOON,
      decision: { outcome: 'withdrawn', by: ana, at: NOON },
      history: [{ seq: 1 }, { status: 'rejected', by: ana.userId }],
    });
  });

  it('an approver is pointed at the button', async () => {
    const id = await stored();
    expect(await cancellation.cancel(bob, id)).toEqual({
      outcome: 'refused',
      text: expect.stringContaining('press Reject'),
    });
    expect(await record(id)).toMatchObject({ status: 'pending_approval', version: 1 });
  });

  it('it is too late once the time for a decision is over', async () => {
    const id = await stored({ approvalExpiresAt: NOON });
    expect(await cancellation.cancel(ana, id)).toMatchObject({
      outcome: 'ended',
      text: expect.stringContaining('nobody decided in time'),
    });
    expect(await record(id)).toMatchObject({ status: 'expired', endedAt: NOON });
  });
});

describe('after the decision', () => {
  it('an approved transfer is cancelled on the legal way, whoever of the two asks', async () => {
    for (const person of [ana, bob]) {
      const id = await stored({ status: 'approved', decision });
      expect(await cancellation.cancel(person, id)).toMatchObject({ outcome: 'cancelled' });
      const after = await record(id);
      expect(after).toMatchObject({ status: 'cancelled', endedAt: NOON, cancelRequested: { by: person } });
      expect(after?.history.map(({ status }) => status)).toEqual(['pending_approval', 'queued', 'cancelled']);
    }
  });

  it('a crash on that way leaves a queued record that says it is to be cancelled and is due soon', async () => {
    const id = await stored({ status: 'approved', decision });
    let writes = 0;
    const crashing: TransferStore = {
      ...transfers,
      change: (transferId, decide) => {
        writes += 1;
        if (writes === 2) throw new Error('crash');
        return transfers.change(transferId, decide);
      },
    };
    const doomed = createCancellation({ transfers: crashing, objects, policy, now: () => clock });
    await expect(doomed.cancel(ana, id)).rejects.toThrow('crash');
    expect(await record(id)).toMatchObject({ status: 'queued', cancelRequested: { by: ana } });
    clock += 10_000;
    expect(await transfers.listDue(1_000)).toContain(id);
    expect(await cancellation.cancel(ana, id)).toMatchObject({ outcome: 'cancelled' });
  });

  it('a queued one is cancelled at once when no worker holds it', async () => {
    for (const held of [undefined, { ...lease, expiresAt: NOON }]) {
      const id = await stored({ status: 'queued', decision, lease: held });
      expect(await cancellation.cancel(ana, id)).toMatchObject({ outcome: 'cancelled' });
      expect(await record(id)).toMatchObject({ status: 'cancelled' });
    }
  });

  it.each(['queued', 'running'] as const)(
    'a %s one that a worker holds is marked for it, once',
    async (status) => {
      const id = await stored({ status, decision, lease });
      expect(await cancellation.cancel(ana, id)).toMatchObject({ outcome: 'requested' });
      clock += 1_000;
      expect(await cancellation.cancel(bob, id)).toMatchObject({ outcome: 'requested' });
      expect(await record(id)).toMatchObject({
        status,
        version: 2,
        lease,
        cancelRequested: { by: ana, at: NOON },
        history: [{ seq: 1 }, { seq: 2, by: ana.userId }],
      });
    },
  );

  it('loses no cancellation to a worker that begins at the same moment', async () => {
    const id = await stored({ status: 'queued', decision });
    const [cancelled] = await Promise.all([
      cancellation.cancel(ana, id),
      transfers.change(id, (current) =>
        current.status === 'queued'
          ? {
              next: { ...move(current, 'running', { at: NOON, by: 'worker', text: 'Begun.' }), lease },
              result: undefined,
            }
          : { result: undefined },
      ),
    ]);
    const after = await record(id);
    expect(after?.cancelRequested).toEqual({ by: ana, at: NOON });
    expect(after?.status).toBe(cancelled.outcome === 'cancelled' ? 'cancelled' : 'running');
  });
});

describe('a transfer that has ended', () => {
  const failure = { code: 'target_full', message: 'The disk is full.', step: 'stream' } as const;
  it.each([
    ['completed', {}, 'was completed.'],
    ['failed', { failure }, 'failed: The disk is full.'],
    ['cancelled', { cancelRequested: { by: bob, at: NOON } }, 'was cancelled by Bob.'],
    ['expired', {}, 'expired: nobody decided in time.'],
    ['rejected', { decision: { ...decision, outcome: 'rejected' } }, 'was rejected by Bob.'],
    ['rejected', { decision: { ...decision, outcome: 'withdrawn', by: ana } }, 'was withdrawn by Ana.'],
  ] as const)('and %s stays so, and the person is told', async (status, changes, ending) => {
    const id = await stored({ status, ...changes });
    expect(await cancellation.cancel(ana, id)).toMatchObject({ outcome: 'ended', text: `${id} ${ending}` });
    expect((await record(id))?.version).toBe(1);
  });
});

describe('who may not', () => {
  it('is refused and sees nothing of the record', async () => {
    const id = await stored({ status: 'running', lease });
    for (const person of [eve, { ...ana, standing: 'deactivated' as const }]) {
      const outcome = await cancellation.cancel(person, id);
      expect(outcome).toEqual({ outcome: 'refused', text: expect.any(String) });
    }
    expect((await record(id))?.version).toBe(1);
  });

  it('an approver is refused when one key of many, beyond the preview, is not theirs to decide on', async () => {
    const mixed = Array.from({ length: 80 }, (_, index) =>
      plannedObject(index, index === 79 ? { key: 'salaries/all.csv' } : {}),
    );
    const transfer = proposal({ status: 'running', lease }, mixed);
    await transfers.create(transfer);
    await objects.write(transfer.transferId, mixed, pagesOf(transfer));
    expect(await cancellation.cancel(bob, transfer.transferId)).toMatchObject({ outcome: 'refused' });
    expect(await cancellation.cancel(ana, transfer.transferId)).toMatchObject({ outcome: 'requested' });
  });

  it('is told when there is no such transfer', async () => {
    expect(await cancellation.cancel(ana, 'TRF-0000000000')).toEqual({
      outcome: 'not found',
      text: 'There is no transfer TRF-0000000000.',
    });
  });
});
