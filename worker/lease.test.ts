import { describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { bob, plannedObject, proposal } from '../test/support/transfers.ts';
import { createWorkerRig } from '../test/support/worker-rig.ts';

const db = useDynamoDb();
const rig = () => createWorkerRig(db);

describe('taking the lease', () => {
  it('gives it to one of many', async () => {
    const { queued, leases, get } = rig();
    const { transferId } = await queued([plannedObject()]);
    const taken = await Promise.all(
      Array.from({ length: 10 }, (_none, index) => leases({ owner: `worker-${index}` }).take(transferId, 1)),
    );
    expect(taken.map(({ outcome }) => outcome).sort()).toEqual([...Array(9).fill('held'), 'taken']);
    const { status, lease, history } = await get(transferId);
    expect(status).toBe('running');
    expect(lease?.token).toBe(1);
    expect(history.at(-1)).toMatchObject({ status: 'running', text: 'Started.' });
  });

  it('takes an approved transfer through the queue, as its message was sent before the record was written', async () => {
    const { store, leases } = rig();
    const approved = proposal({ status: 'approved', createdAt: Date.now() });
    await store.create(approved);
    const taken = await leases().take(approved.transferId, 1);
    expect(taken).toMatchObject({ outcome: 'taken', transfer: { status: 'running' } });
    const statuses = taken.outcome === 'taken' ? taken.transfer.history.map(({ status }) => status) : [];
    expect(statuses.slice(-2)).toEqual(['queued', 'running']);
  });

  it('refuses what is stale, undecided, ended or unknown', async () => {
    const { store, queued, leases } = rig();
    const { transferId } = await queued([plannedObject()]);
    expect(await leases().take(transferId, 2)).toEqual({ outcome: 'stale' });
    const pending = proposal({ createdAt: Date.now() });
    await store.create(pending);
    expect(await leases().take(pending.transferId, 1)).toEqual({ outcome: 'stale' });
    const failed = proposal({ createdAt: Date.now(), status: 'failed' });
    await store.create(failed);
    expect(await leases().take(failed.transferId, 1)).toEqual({ outcome: 'ended' });
    expect(await leases().take('TRF-0000000000', 1)).toEqual({ outcome: 'unknown' });
  });

  it('cancels instead when that was asked for', async () => {
    const { store, queued, leases, get } = rig();
    const { transferId } = await queued([plannedObject()]);
    await store.change(transferId, (current) => ({
      next: { ...current, cancelRequested: { by: bob, at: Date.now() } },
      result: undefined,
    }));
    expect(await leases().take(transferId, 1)).toMatchObject({ outcome: 'cancelled' });
    expect(await get(transferId)).toMatchObject({ status: 'cancelled', endedAt: expect.any(Number) });
  });
});

describe('holding the lease', () => {
  it('hands over when it lapsed, and refuses the one who had it', async () => {
    const { queued, leases, letLeaseLapse, objects, get } = rig();
    const transfer = await queued([plannedObject()]);
    const { transferId } = transfer;
    const first = await leases({ owner: 'zombie' }).take(transferId, 1);
    if (first.outcome !== 'taken') throw new Error(first.outcome);
    await letLeaseLapse(transferId);
    const second = await leases({ owner: 'heir' }).take(transferId, 1);
    if (second.outcome !== 'taken') throw new Error(second.outcome);
    expect(second.lease.token).toBe(2);
    expect(first.lease.isFresh()).toBe(true);

    await expect(first.lease.write()).rejects.toMatchObject({ code: 'lease_lost' });
    expect(first.lease.isFresh()).toBe(false);
    const checkpoint = { tempPath: '/x', bytes: 1, crc32: 1 };
    await objects.setProgress(transfer, 0, { state: 'uploading', checkpoint }, second.lease.token);
    await expect(
      objects.setProgress(transfer, 0, { state: 'renaming', checkpoint, finalPath: '/y' }, first.lease.token),
    ).rejects.toMatchObject({ code: 'lease_lost' });
    expect((await get(transferId)).lease).toMatchObject({ owner: 'heir', token: 2 });
  });

  it('is free for others once released, with what was written along', async () => {
    const { queued, leases } = rig();
    const { transferId } = await queued([plannedObject()]);
    const first = await leases().take(transferId, 1);
    if (first.outcome !== 'taken') throw new Error(first.outcome);
    await first.lease.release((current) => ({ ...current, verified: 'so far' }));
    const second = await leases({ owner: 'heir' }).take(transferId, 1);
    expect(second).toMatchObject({ outcome: 'taken', transfer: { verified: 'so far', lease: { token: 2 } } });
  });

  it('is renewed by every write', async () => {
    let now = Date.now();
    const { queued, leases } = createWorkerRig(db, () => now);
    const { transferId } = await queued([plannedObject()]);
    const taken = await leases({ leaseMs: 1_000 }).take(transferId, 1);
    if (taken.outcome !== 'taken') throw new Error(taken.outcome);
    now += 999;
    await taken.lease.write();
    now += 999;
    expect(taken.lease.isFresh()).toBe(true);
    expect(await leases({ owner: 'other' }).take(transferId, 1)).toMatchObject({
      outcome: 'held',
      by: 'worker-1',
      until: now + 1,
    });
    now += 1;
    expect(taken.lease.isFresh()).toBe(false);
  });
});
