import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { NOON, proposal } from '../test/support/transfers.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { dueAt } from './due-work.ts';
import { FerryError } from './errors.ts';
import { createTransferStore, type TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';
import { move } from './transfer-state.ts';

const dynamo = useDynamoDb();
let clock = NOON;
let transfers: TransferStore;
let dispatch: Dispatch;
/** Ids and attempts that were sent. */
let sent: string[];
/** What happens when something is sent. */
let onSend: (id: string) => Promise<void>;

beforeAll(() => {
  transfers = createTransferStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
  const queue = {
    send: async ({ transferId, attempt }: Pick<Transfer, 'transferId' | 'attempt'>) => {
      await onSend(transferId);
      sent.push(`${transferId} ${attempt}`);
    },
  };
  dispatch = createDispatch({ transfers, queue, now: () => clock, by: 'bot' });
});
beforeEach(() => {
  clock = NOON;
  sent = [];
  onSend = async () => {};
});

async function stored(changes: Partial<Transfer>): Promise<string> {
  const transfer = proposal(changes);
  await transfers.create(transfer);
  return transfer.transferId;
}
const outage = async () => {
  throw new FerryError('unavailable', { retryable: true, userMessage: 'The queue cannot be reached.' });
};

describe('dispatching an approved transfer', () => {
  it('sends it and says so', async () => {
    const id = await stored({ status: 'approved' });
    expect(await dispatch.dispatch(id)).toMatchObject({
      outcome: 'queued',
      transfer: { status: 'queued', queuedAt: NOON, history: [{ seq: 1 }, { status: 'queued', by: 'bot' }] },
    });
    expect(sent).toEqual([`${id} 1`]);
  });

  it('sends before it writes: what a crash between the two leaves is sent again', async () => {
    const id = await stored({ status: 'approved' });
    onSend = async () => {
      expect((await transfers.get(id))?.status).toBe('approved');
    };
    await dispatch.dispatch(id);
    expect(sent).toHaveLength(1);
  });

  it('leaves the record to a worker that was faster', async () => {
    const id = await stored({ status: 'approved' });
    onSend = async () => {
      await transfers.change(id, (current) => {
        const queued = move(current, 'queued', { at: clock, by: 'worker', text: 'Taken.' });
        const next = move(queued, 'running', { at: clock, by: 'worker', text: 'Running.' });
        return { next, result: undefined };
      });
    };
    expect(await dispatch.dispatch(id)).toMatchObject({ outcome: 'queued', transfer: { status: 'running' } });
  });

  it('stays approved while the queue is out of reach, says it once, and goes on afterwards', async () => {
    const id = await stored({ status: 'approved' });
    onSend = outage;
    const first = await dispatch.dispatch(id);
    expect(first).toMatchObject({
      outcome: 'delayed',
      transfer: {
        status: 'approved',
        waiting: { reason: 'The transfer queue cannot be reached.', since: NOON },
      },
    });
    expect(first.transfer.history).toHaveLength(2);
    expect(dueAt(first.transfer, clock)).toBe(clock + 10_000);

    clock += 60_000;
    const second = await dispatch.dispatch(id);
    expect(second).toMatchObject({ outcome: 'delayed', transfer: { version: first.transfer.version } });

    onSend = async () => {};
    const third = await dispatch.dispatch(id);
    expect(third).toMatchObject({ outcome: 'queued', transfer: { status: 'queued' } });
    expect(third.transfer.waiting).toBeUndefined();
  });

  it.each(['pending_approval', 'rejected', 'queued', 'running', 'cancelled'] as const)(
    'does not send one that is %s',
    async (status) => {
      const id = await stored({ status });
      expect(await dispatch.dispatch(id)).toMatchObject({ outcome: 'not waiting', transfer: { status } });
      expect(sent).toEqual([]);
    },
  );

  it('throws for a transfer that does not exist and for a defect', async () => {
    await expect(dispatch.dispatch('TRF-0000000000')).rejects.toMatchObject({ code: 'not_found' });
    const id = await stored({ status: 'approved' });
    onSend = async () => {
      throw new TypeError('a defect');
    };
    await expect(dispatch.dispatch(id)).rejects.toThrow('a defect');
  });
});

describe('sending a queued transfer again', () => {
  it('sends its present attempt and looks again later', async () => {
    const id = await stored({ status: 'queued', attempt: 2, queuedAt: NOON });
    clock += 300_000;
    expect(await dispatch.resend(id)).toMatchObject({
      outcome: 'queued',
      transfer: { queuedAt: clock, history: [{ seq: 1 }] },
    });
    expect(sent).toEqual([`${id} 2`]);
  });

  it('does not touch one that a worker holds or has taken', async () => {
    const lease = { owner: 'worker-1', token: 1, expiresAt: NOON + 1 };
    for (const changes of [{ status: 'queued', lease }, { status: 'running' }] as const) {
      expect(await dispatch.resend(await stored(changes))).toMatchObject({ outcome: 'not waiting' });
    }
    expect(sent).toEqual([]);
  });

  it('tells the thread when an outage begins and when it is over', async () => {
    const id = await stored({ status: 'queued' });
    onSend = outage;
    const delayed = await dispatch.resend(id);
    expect(delayed).toMatchObject({ outcome: 'delayed', transfer: { status: 'queued' } });
    onSend = async () => {};
    const { transfer } = await dispatch.resend(id);
    expect(transfer.waiting).toBeUndefined();
    expect(transfer.history.map(({ text }) => text)).toEqual([
      expect.any(String),
      expect.stringContaining('cannot be reached'),
      'On the queue for a worker.',
    ]);
  });
});
