import { describe, expect, it } from 'vitest';
import { createDispatch } from '../core/dispatch.ts';
import { FerryError } from '../core/errors.ts';
import { createExpiry } from '../core/expiry.ts';
import type { Transfer } from '../core/transfer.ts';
import { damage, useDynamoDb } from '../test/support/dynamodb.ts';
import { bob, plannedObject, proposal } from '../test/support/transfers.ts';
import { createWorkerRig } from '../test/support/worker-rig.ts';
import { createReconciler, type ReconcilerDeps } from './reconciler.ts';

const db = useDynamoDb();
const MINUTE = 60_000;

/** Each test looks from a time of its own, so that what other tests left does not become due in it. */
let epoch = Date.UTC(2030, 0, 1);

function surroundings() {
  epoch -= 30 * 24 * 60 * MINUTE;
  const clock = { now: epoch };
  const now = () => clock.now;
  const rig = createWorkerRig(db, now);
  const sent: string[] = [];
  const queue = {
    down: false,
    async send({ transferId, attempt }: Pick<Transfer, 'transferId' | 'attempt'>) {
      if (queue.down) throw new FerryError('unavailable', { retryable: true, userMessage: 'away' });
      sent.push(`${transferId} ${attempt}`);
    },
  };
  const { store, settle, followUp, log } = rig;
  const reconciler = (changes: Partial<ReconcilerDeps> = {}) =>
    createReconciler({
      store,
      expiry: createExpiry({ transfers: store, now }),
      dispatch: createDispatch({ transfers: store, queue, now, by: 'reconciler' }),
      queue,
      settle,
      followUp,
      everyMs: 1_000,
      now,
      log,
      ...changes,
    });
  return { ...rig, clock, sent, queue, reconciler };
}

describe('the reconciler', () => {
  it('expires what nobody decided on, and tells so', async () => {
    const { store, settle, clock, reconciler, get } = surroundings();
    const transfer = proposal({ createdAt: clock.now, approvalExpiresAt: clock.now + MINUTE });
    await store.create(transfer);
    await settle(transfer.transferId);
    await reconciler().look();
    expect((await get(transfer.transferId)).status).toBe('pending_approval');
    clock.now += MINUTE;
    await reconciler().look();
    expect(await get(transfer.transferId)).toMatchObject({
      status: 'expired',
      tickets: { user: { closed: true } },
      messages: [{ role: 'approval' }, { role: 'outcome' }],
    });
    expect(await store.listDue(10)).toEqual([]);
  });

  it('queues what was approved before a crash, also after an outage of the queue', async () => {
    const { store, clock, reconciler, get, queue, sent } = surroundings();
    const transfer = proposal({ createdAt: clock.now, status: 'approved' });
    await store.create(transfer);
    clock.now += MINUTE;
    queue.down = true;
    await reconciler().look();
    expect(await get(transfer.transferId)).toMatchObject({ status: 'approved', waiting: expect.anything() });
    queue.down = false;
    clock.now += MINUTE;
    await reconciler().look();
    expect(await get(transfer.transferId)).toMatchObject({ status: 'queued', queuedAt: clock.now });
    expect(sent).toEqual([`${transfer.transferId} 1`]);
  });

  it('works on what needs no queue while the queue is away, whatever waits for it, and says little', async () => {
    const { store, clock, reconciler, get, queue, lines, settle } = surroundings();
    const waiting = Array.from({ length: 30 }, () => proposal({ createdAt: clock.now, status: 'approved' }));
    for (const one of waiting) {
      await store.create(one);
      await settle(one.transferId);
    }
    queue.down = true;
    const looker = reconciler({ batch: 10 });
    const look = async () => {
      clock.now += 15_000;
      await looker.look();
    };
    for (let looks = 0; looks < 12; looks += 1) await look();
    for (const { transferId } of waiting) expect(await get(transferId)).toMatchObject({ waiting: {} });

    const other = proposal({ createdAt: clock.now, approvalExpiresAt: clock.now });
    await store.create(other);
    for (let looks = 0; looks < 6; looks += 1) await look();
    expect((await get(other.transferId)).status).toBe('expired');
    expect(lines.filter(({ level }) => Number(level) >= 30)).toEqual([]);

    queue.down = false;
    for (let looks = 0; looks < 8; looks += 1) await look();
    for (const { transferId } of waiting) expect((await get(transferId)).status).toBe('queued');
  });

  it('sends a message again that nobody picked up, but not at every look', async () => {
    const { queued, settle, clock, reconciler, sent, get } = surroundings();
    const { transferId } = await queued([plannedObject()]);
    clock.now += MINUTE;
    await reconciler().look();
    expect(sent).toEqual([]);
    expect((await get(transferId)).tickets.user.sysId).toBeDefined();
    await settle(transferId);
    clock.now += 5 * MINUTE;
    await reconciler().look();
    await reconciler().look();
    expect(sent).toEqual([`${transferId} 1`]);
  });

  it('has a lost run taken over, with one message however many look', async () => {
    const { queued, leases, clock, reconciler, sent, run, store, settle } = surroundings();
    const transfer = await queued([plannedObject()]);
    await settle(transfer.transferId);
    await leases({ leaseMs: MINUTE }).take(transfer.transferId, 1);
    await settle(transfer.transferId);
    clock.now += 59_000;
    await reconciler().look();
    expect(sent).toEqual([]);
    clock.now += 10_000;
    await Promise.all([reconciler().look(), reconciler().look(), reconciler().look()]);
    expect(sent).toEqual([`${transfer.transferId} 1`]);
    expect(await store.listDue(10)).toEqual([]);
    clock.now += 10_000;
    await reconciler().look();
    expect(sent).toHaveLength(1);
    clock.now += MINUTE;
    await reconciler().look();
    expect(sent).toHaveLength(2);
    expect(await run(transfer, { owner: 'heir' })).toBe('completed');
  });

  it('takes up what waits for ServiceNow', async () => {
    const { queued, run, serviceNow, clock, reconciler, sent } = surroundings();
    serviceNow.down = true;
    const transfer = await queued([plannedObject()]);
    expect(await run(transfer)).toBe('deferred');
    clock.now += MINUTE;
    await reconciler().look();
    expect(sent).toEqual([`${transfer.transferId} 1`]);
  });

  it('takes up what waits less and less often', async () => {
    const { queued, run, serviceNow, clock, reconciler, sent, get } = surroundings();
    serviceNow.down = true;
    const transfer = await queued([plannedObject()]);
    expect(await run(transfer)).toBe('deferred');
    for (let looks = 0; looks < 60; looks += 1) {
      clock.now += 20_000;
      const before = sent.length;
      await reconciler().look();
      if (sent.length > before) expect(await run(transfer)).toBe('deferred');
    }
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.length).toBeLessThan(20);
    serviceNow.down = false;
    clock.now += 5 * MINUTE;
    await reconciler().look();
    expect(await run(transfer)).toBe('completed');
    expect((await get(transfer.transferId)).waiting).toBeUndefined();
  });

  it('settles and learns what ended unseen', async () => {
    const { queued, run, clock, reconciler, get, store, learning, settle } = surroundings();
    const transfer = await queued([plannedObject()]);
    // Nothing streams before the tickets are open.
    await settle(transfer.transferId);
    const crashed = { settle: async () => {} };
    expect(await run(transfer, { changes: crashed })).toBe('completed');
    expect(await get(transfer.transferId)).toMatchObject({ tickets: { user: { closed: false } } });
    clock.now += MINUTE;
    await reconciler().look();
    const settled = await get(transfer.transferId);
    expect(settled).toMatchObject({
      learned: true,
      tickets: { user: { closed: true }, audit: { closed: true } },
    });
    expect(settled.messages.map(({ role }) => role)).toContain('outcome');
    expect(settled.steps.notify.endedAt).toBe(clock.now);
    expect(await store.listDue(10)).toEqual([]);
    expect((await learning.forecast('acme-ftp', 1_000))?.samples).toBeGreaterThan(0);
  });

  it('goes on when one transfer cannot be tended', async () => {
    const { store, clock, reconciler, get, lines } = surroundings();
    const bad = proposal({ createdAt: clock.now, status: 'approved' });
    const good = proposal({ createdAt: clock.now, status: 'approved', requester: bob });
    await store.create(bad);
    await store.create(good);
    clock.now += MINUTE;
    const { get: read } = createExpiry({ transfers: store, now: () => clock.now });
    const expiry = {
      get: async (transferId: string) => {
        if (transferId === bad.transferId) throw new TypeError('a defect');
        return read(transferId);
      },
    };
    await reconciler({ expiry }).look();
    expect((await get(good.transferId)).status).toBe('queued');
    expect(lines.some(({ transferId, level }) => transferId === bad.transferId && level === 50)).toBe(true);
  });

  it('works on everything behind a record that cannot be read, and tells of that one seldom', async () => {
    const { store, clock, reconciler, get, lines } = surroundings();
    const broken = proposal({ createdAt: clock.now, status: 'approved' });
    await store.create(broken);
    await damage(db, broken.transferId);
    clock.now += 1_000;
    const good = Array.from({ length: 10 }, () => proposal({ createdAt: clock.now, status: 'approved' }));
    for (const transfer of good) await store.create(transfer);
    clock.now += MINUTE;
    const one = reconciler({ batch: 2 });
    const another = reconciler({ batch: 2 });
    // Two at a look, and the one that cannot be read is the first.
    for (let looks = 0; looks < 6; looks += 1) await one.look();
    for (const { transferId } of good) expect((await get(transferId)).status).toBe('queued');

    const told = () => lines.filter(({ transferId }) => transferId === broken.transferId);
    expect(told()).toMatchObject([{ level: 50, msg: expect.stringContaining('docs/operations.md') }]);
    for (let looks = 0; looks < 20; looks += 1) {
      clock.now += 28_000;
      await Promise.all([one.look(), another.look()]);
    }
    expect(told()).toHaveLength(1);
    clock.now += MINUTE;
    await Promise.all([one.look(), another.look()]);
    expect(told()).toHaveLength(2);
  });

  it('gives the place of a record whose 90 days are over to others, until DynamoDB deletes it', async () => {
    const { store, clock, reconciler, get } = surroundings();
    const DAY = 24 * 60 * MINUTE;
    await store.create(proposal({ createdAt: clock.now - 90 * DAY, status: 'approved' }));
    clock.now += 1_000;
    const good = proposal({ createdAt: clock.now, status: 'approved' });
    await store.create(good);
    clock.now += MINUTE;
    const one = reconciler({ batch: 1 });
    await one.look();
    await one.look();
    expect((await get(good.transferId)).status).toBe('queued');
  });

  it('goes on when tending one never ends', async () => {
    const { store, clock, reconciler, get, lines } = surroundings();
    const stuck = proposal({ createdAt: clock.now, status: 'completed', endedAt: clock.now });
    const good = proposal({ createdAt: clock.now, status: 'approved' });
    await store.create(stuck);
    await store.create(good);
    clock.now += MINUTE;
    await reconciler({ followUp: () => new Promise(() => {}), tendMs: 3_000 }).look();
    expect((await get(good.transferId)).status).toBe('queued');
    expect(lines.some(({ transferId, level }) => transferId === stuck.transferId && level === 50)).toBe(true);
  });

  it('survives an outage of the database, and stops when asked', async () => {
    const { reconciler, store, lines } = surroundings();
    const listDue = async () => {
      throw new FerryError('unavailable', { retryable: true, userMessage: 'away' });
    };
    const broken = reconciler({ store: { ...store, listDue } });
    await broken.look();
    expect(lines.at(-1)).toMatchObject({ level: 50, msg: 'could not look for due transfers' });
    broken.start();
    await broken.stop();
  });
});
