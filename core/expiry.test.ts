import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, NOON, proposal } from '../test/support/transfers.ts';
import { asOf, createExpiry, type Expiry, isOverdue } from './expiry.ts';
import { createTransferStore, type TransferStore } from './stores/transfer-store.ts';

const dynamo = useDynamoDb();
let clock = NOON;
let transfers: TransferStore;
let expiry: Expiry;

beforeAll(() => {
  transfers = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
  expiry = createExpiry({ transfers, now: () => clock });
});
beforeEach(() => {
  clock = NOON;
});

describe('a proposal', () => {
  it('is overdue from the moment on that its record names, and only while nobody decided', () => {
    const transfer = proposal({ approvalExpiresAt: NOON + 1 });
    expect(isOverdue(transfer, NOON)).toBe(false);
    expect(isOverdue(transfer, NOON + 1)).toBe(true);
    expect(isOverdue({ ...transfer, status: 'approved' }, NOON + 1)).toBe(false);
    expect(asOf(transfer, NOON)).toBe(transfer);
    expect(asOf(transfer, NOON + 1)).toMatchObject({ status: 'expired', endedAt: NOON + 1 });
  });

  it('that is overdue is written down as expired by its first reader, once', async () => {
    const transfer = proposal({ approvalExpiresAt: NOON + 5 });
    await transfers.create(transfer);
    expect((await expiry.get(transfer.transferId))?.status).toBe('pending_approval');
    clock += 5;
    const readers = await Promise.all(Array.from({ length: 10 }, () => expiry.get(transfer.transferId)));
    expect(readers.map((it) => it?.status)).toEqual(Array(10).fill('expired'));
    expect(await transfers.get(transfer.transferId)).toMatchObject({
      version: 2,
      endedAt: clock,
      history: [{ seq: 1 }, { status: 'expired', by: 'reconciler' }],
    });
  });

  it('that is overdue is listed as expired', async () => {
    const requester = { ...ana, userId: 'slack:T01FERRY:ULIST' };
    await transfers.create(proposal({ requester, approvalExpiresAt: NOON + 5 }));
    await transfers.create(proposal({ requester, approvalExpiresAt: NOON + 6, createdAt: NOON - 1 }));
    clock += 5;
    const listed = await expiry.listByUser(requester.userId, 10);
    expect(listed.map(({ status }) => status)).toEqual(['expired', 'pending_approval']);
  });
});

it('is undefined for a transfer that does not exist', async () => {
  expect(await expiry.get('TRF-0000000000')).toBeUndefined();
});
