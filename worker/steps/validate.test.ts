import { describe, expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { bob, plannedObject, policy } from '../../test/support/transfers.ts';
import { createWorkerRig } from '../../test/support/worker-rig.ts';

const db = useDynamoDb();
const HOUR = 3_600_000;

describe('validate', () => {
  it('lets nothing begin under an approval that has run out', async () => {
    const clock = { now: Date.now() };
    const rig = createWorkerRig(db, () => clock.now);
    const transfer = await rig.queued([plannedObject()]);
    clock.now += 25 * HOUR;
    expect(await rig.run(transfer)).toBe('failed');
    expect((await rig.get(transfer.transferId)).failure).toMatchObject({
      code: 'not_allowed',
      step: 'validate',
      message: expect.stringContaining('approval'),
    });
    expect(rig.target.commands).toEqual([]);
  });

  it('does not cut off a run that had begun to stream when the approval ran out', async () => {
    const clock = { now: Date.now() };
    const rig = createWorkerRig(db, () => clock.now);
    const transfer = await rig.queued([plannedObject()]);
    const streamed = clock.now + 1;
    await rig.leases().take(transfer.transferId, 1);
    await rig.store.change(transfer.transferId, (current) => ({
      next: {
        ...current,
        steps: { ...current.steps, stream: { startedAt: streamed, attempts: 1 } },
      },
      result: undefined,
    }));
    clock.now += 25 * HOUR;
    expect(await rig.run(transfer, { owner: 'heir' })).toBe('completed');
  });

  it('runs only what was approved: the same plan and the same list of files', async () => {
    const rig = createWorkerRig(db);
    const changed = await rig.queued([plannedObject()]);
    await rig.store.change(changed.transferId, (current) => ({
      next: { ...current, plan: { ...current.plan, existing: 'overwrite' } },
      result: undefined,
    }));
    expect(await rig.run(changed)).toBe('failed');
    expect((await rig.get(changed.transferId)).failure?.message).toContain('approval does not cover');

    const swapped = await rig.queued([plannedObject()]);
    const objects: typeof rig.objects = {
      ...rig.objects,
      async *read(which) {
        for await (const object of rig.objects.read(which)) yield { ...object, key: 'reports/other.csv' };
      },
    };
    expect(await rig.run(swapped, { changes: { objects } })).toBe('failed');
    expect((await rig.get(swapped.transferId)).failure?.message).toContain('list of files');
  });

  it.each([
    [
      'the requester lost the right',
      { ...policy, groups: { ...policy.groups, finance: [bob.userId] } },
      'no rule of the policy',
    ],
    ['the destination is gone', { ...policy, destinations: {} }, 'not registered any more'],
  ])('asks the policy of today: %s', async (_name, changed, words) => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([plannedObject()]);
    expect(await rig.run(transfer, { changes: { policy: changed } })).toBe('failed');
    expect((await rig.get(transfer.transferId)).failure).toMatchObject({
      code: 'not_allowed',
      message: expect.stringContaining(words),
    });
    expect(rig.target.commands).toEqual([]);
  });

  it('checks every object before the first is sent', async () => {
    const rig = createWorkerRig(db);
    const objects = Array.from({ length: 70 }, (_none, index) => plannedObject(index));
    rig.source.changed.add(plannedObject(69).key);
    const transfer = await rig.queued(objects);
    expect(await rig.run(transfer)).toBe('failed');
    expect((await rig.get(transfer.transferId)).failure).toMatchObject({
      code: 'source_changed',
      step: 'validate',
    });
    expect(rig.target.commands).toEqual([]);
  });

  it('refuses a target path that leads elsewhere', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([plannedObject(0, { targetPath: '/incoming/../etc/passwd' })]);
    expect(await rig.run(transfer)).toBe('failed');
    expect((await rig.get(transfer.transferId)).failure).toMatchObject({ code: 'bad_input' });
    expect(rig.target.commands).toEqual([]);
  });
});
