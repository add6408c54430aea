import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Card } from '../adapters/card.ts';
import { encodeChoiceValue, encodeTransferValue } from '../adapters/cards/button-value.ts';
import type { ActionEvent, MessageEvent } from '../adapters/chat-event.ts';
import { scopeOf } from '../core/policy.ts';
import { createTransferStore, type TransferStore } from '../core/stores/transfer-store.ts';
import type { Transfer } from '../core/transfer.ts';
import { move } from '../core/transfer-state.ts';
import { cardText } from '../test/support/cards.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, cleo, eve, NOON, policy, proposal } from '../test/support/transfers.ts';
import { createApprovals } from './approvals.ts';
import { type ButtonDeps, pressButton } from './buttons.ts';

const dynamo = useDynamoDb();
let store: TransferStore;
beforeAll(() => {
  store = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => NOON });
});

let calls: string[];
let spoken: MessageEvent[];
beforeEach(() => {
  calls = [];
  spoken = [];
});

function deps(): ButtonDeps {
  const wish = (what: string) => async (_person: unknown, transferId: string) => {
    calls.push(`${what} ${transferId}`);
    return { outcome: 'refused' as const, text: `may not ${what}` };
  };
  return {
    approvals: createApprovals({
      store,
      policy,
      loadScope: async (it) =>
        scopeOf(
          it,
          it.plan.preview.map((object) => object.key),
        ),
      directoryName: () => 'Slack',
      now: () => NOON,
    }),
    dispatch: async (id) => void calls.push(`dispatch ${id}`),
    cancel: wish('cancel'),
    retry: wish('retry'),
    settle: async (id) => void calls.push(`settle ${id}`),
    showDecision: ({ message }, { transferId, status }) =>
      void calls.push(`show ${transferId} ${status} on ${message.messageId}`),
    statusCard: async (_person, id) => ({ fallback: `status of ${id}`, elements: [] }),
    say: async (message) => void spoken.push(message),
    now: () => NOON,
  };
}

const thread = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1.1' } as const;
const click = (changes: Partial<ActionEvent>): ActionEvent => ({
  kind: 'action',
  key: 'slack:T01FERRY:action:1',
  scope: 'channel',
  person: bob,
  thread,
  receivedAt: NOON,
  actionId: 'approve',
  value: '',
  message: { thread, messageId: '1.2' },
  ...changes,
});
const press = (changes: Partial<ActionEvent>) =>
  pressButton(deps(), click(changes), new AbortController().signal, false);
const text = (card: Card | undefined) => (card ? cardText(card) : undefined);

async function given(changes: Partial<Transfer> = {}): Promise<Transfer> {
  const transfer = proposal(changes);
  await store.create(transfer);
  return transfer;
}

describe('Approve and Reject', () => {
  it('queue and settle an approved transfer, and need no further word', async () => {
    const transfer = await given();
    expect(await press({ value: encodeTransferValue(transfer) })).toBeUndefined();
    expect(calls).toEqual([
      `show ${transfer.transferId} approved on 1.2`,
      `dispatch ${transfer.transferId}`,
      `settle ${transfer.transferId}`,
    ]);
  });

  it('never queue a rejected one', async () => {
    const transfer = await given();
    await press({ actionId: 'reject', value: encodeTransferValue(transfer) });
    expect(calls).toEqual([`show ${transfer.transferId} rejected on 1.2`, `settle ${transfer.transferId}`]);
    expect(await store.get(transfer.transferId)).toMatchObject({ status: 'rejected' });
  });

  it('tell a refused person why, and change nothing', async () => {
    const transfer = await given();
    expect(text(await press({ person: ana, value: encodeTransferValue(transfer) }))).toContain(
      'somebody else',
    );
    expect(text(await press({ person: eve, value: encodeTransferValue(transfer) }))).toContain('approve');
    expect(calls).toEqual([]);
    expect(await store.get(transfer.transferId)).toMatchObject({ version: 1 });
  });

  it('tell a late person who decided', async () => {
    const transfer = await given();
    await press({ value: encodeTransferValue(transfer) });
    expect(
      text(await press({ person: cleo, actionId: 'reject', value: encodeTransferValue(transfer) })),
    ).toContain('@Bob');
  });

  it('pressed again after a crash finish what the first press began', async () => {
    const transfer = await given();
    await store.change(transfer.transferId, (it) => ({
      next: {
        ...move(it, 'approved', { at: NOON, by: bob.userId, text: 'Approved.' }),
        decision: { outcome: 'approved', by: bob, at: NOON, planHash: it.planHash },
      },
      result: undefined,
    }));
    expect(await press({ value: encodeTransferValue(transfer) })).toBeUndefined();
    expect(calls).toContain(`dispatch ${transfer.transferId}`);
  });

  it.each([
    ['a forged value', '{"t":"TRF-AAAAAAAAAA","h":"x","approve":true}'],
    ['no value', ''],
    ['a transfer that does not exist', JSON.stringify({ t: 'TRF-0000000000', h: '0'.repeat(32) })],
    ['text', 'TRF-AAAAAAAAAA'],
  ])('do nothing on %s', async (_what, value) => {
    expect(text(await press({ value }))).toContain('do not know this button');
    expect(calls).toEqual([]);
  });
});

describe('the other buttons', () => {
  it('pass on why a cancel or retry is refused', async () => {
    const transfer = await given();
    expect(text(await press({ actionId: 'cancel', value: encodeTransferValue(transfer) }))).toContain(
      'may not cancel',
    );
    expect(text(await press({ actionId: 'retry', value: encodeTransferValue(transfer) }))).toContain(
      'may not retry',
    );
  });

  it('say a choice as the one who was asked', async () => {
    const value = encodeChoiceValue(ana.userId, 'send s3://finance-exports/a to acme-ftp') ?? '';
    expect(await press({ person: ana, actionId: 'choose', value })).toBeUndefined();
    expect(spoken).toMatchObject([
      {
        kind: 'message',
        person: ana,
        text: 'send s3://finance-exports/a to acme-ftp',
        key: 'slack:T01FERRY:action:1',
      },
    ]);
  });

  it('take no choice from somebody else', async () => {
    const value = encodeChoiceValue(ana.userId, 'send s3://finance-exports/a to acme-ftp') ?? '';
    expect(text(await press({ person: bob, actionId: 'choose', value }))).toContain('somebody else');
    expect(spoken).toEqual([]);
  });
});
