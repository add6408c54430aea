import { beforeAll, describe, expect, it } from 'vitest';
import { scopeOf } from '../core/policy.ts';
import { createTransferStore, type TransferStore } from '../core/stores/transfer-store.ts';
import type { Transfer } from '../core/transfer.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, cleo, eve, NOON, policy, proposal } from '../test/support/transfers.ts';
import { createApprovals } from './approvals.ts';

const dynamo = useDynamoDb();
let clock = NOON;
let store: TransferStore;

beforeAll(() => {
  store = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
});

async function given(changes: Partial<Transfer> = {}) {
  clock = NOON;
  const transfer = proposal(changes);
  await store.create(transfer);
  const approvals = createApprovals({
    store,
    policy,
    loadScope: async (it) =>
      scopeOf(
        it,
        it.plan.preview.map((object) => object.key),
      ),
    directoryName: () => 'Slack',
    now: () => clock,
  });
  return { transfer, approvals, id: transfer.transferId, hash: transfer.planHash };
}

describe('deciding on a proposal', () => {
  it('lets an approver who did not ask approve, and writes who, when and which plan', async () => {
    const { approvals, id, hash } = await given();
    expect(await approvals.decide(bob, 'approved', id, hash)).toMatchObject({ outcome: 'decided' });
    expect(await store.get(id)).toMatchObject({
      status: 'approved',
      version: 2,
      decision: { outcome: 'approved', by: bob, at: NOON, planHash: hash },
      history: [{ seq: 1 }, { seq: 2, status: 'approved', by: bob.userId }],
    });
  });

  it('ends the transfer when it is rejected', async () => {
    const { approvals, id, hash } = await given();
    await approvals.decide(bob, 'rejected', id, hash);
    expect(await store.get(id)).toMatchObject({ status: 'rejected', endedAt: NOON });
  });

  it('refuses the requester, although she is in the approvers group', async () => {
    const { approvals, id, hash } = await given();
    expect(await approvals.decide(ana, 'approved', id, hash)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('somebody else'),
    });
    expect(await store.get(id)).toMatchObject({ status: 'pending_approval', version: 1 });
  });

  it('refuses the requester under another account with the same email', async () => {
    const { approvals, id, hash } = await given();
    const elsewhere = { ...ana, userId: 'teams:tenant:ana' };
    expect((await approvals.decide(elsewhere, 'approved', id, hash)).outcome).toBe('refused');
  });

  it.each([
    ['a stranger', eve],
    ['a deactivated approver', { ...bob, standing: 'deactivated' as const }],
    ['a guest', { ...bob, standing: 'guest' as const }],
    [
      'somebody with an approver’s id in another workspace',
      { ...bob, userId: 'slack:T99OTHER:U02BOB', email: 'x@example.org' },
    ],
  ])('refuses %s', async (_who, person) => {
    const { approvals, id, hash } = await given();
    expect((await approvals.decide(person, 'approved', id, hash)).outcome).toBe('refused');
    expect(await store.get(id)).toMatchObject({ status: 'pending_approval' });
  });

  it('tells a second click who decided', async () => {
    const { approvals, id, hash } = await given();
    await approvals.decide(bob, 'rejected', id, hash);
    expect(await approvals.decide(cleo, 'approved', id, hash)).toMatchObject({
      outcome: 'closed',
      transfer: { status: 'rejected', decision: { by: bob } },
    });
  });

  it('refuses a click on a card that showed another plan', async () => {
    const { approvals, id } = await given();
    expect((await approvals.decide(bob, 'approved', id, '0'.repeat(32))).outcome).toBe('plan changed');
    expect(await store.get(id)).toMatchObject({ status: 'pending_approval' });
  });

  it('refuses when the stored plan no longer has the hash that was shown', async () => {
    const { approvals, id, hash } = await given();
    await store.change(id, (it) => ({
      next: { ...it, plan: { ...it.plan, totalBytes: 7 } },
      result: undefined,
    }));
    expect((await approvals.decide(bob, 'approved', id, hash)).outcome).toBe('plan changed');
  });

  it('refuses a click after the approval expired, and says so on the record', async () => {
    const { approvals, id, hash } = await given();
    clock = NOON + 24 * 3_600_000;
    expect((await approvals.decide(bob, 'approved', id, hash)).outcome).toBe('expired');
    expect(await store.get(id)).toMatchObject({ status: 'expired' });
  });

  it('knows nothing of a transfer that does not exist', async () => {
    const { approvals, hash } = await given();
    expect(await approvals.decide(bob, 'approved', 'TRF-0000000000', hash)).toEqual({ outcome: 'unknown' });
  });

  it('lets exactly one of 200 concurrent clicks win', async () => {
    const { approvals, id, hash } = await given();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, click) =>
        approvals.decide(click % 2 ? bob : cleo, click % 3 ? 'approved' : 'rejected', id, hash),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'decided')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'closed')).toHaveLength(199);
    expect((await store.get(id))?.history).toHaveLength(2);
  });
});
