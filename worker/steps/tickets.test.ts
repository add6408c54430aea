import { expect, test } from 'vitest';
import { NOON, proposal } from '../../test/support/transfers.ts';
import { checkTickets } from './tickets.ts';

const never = new AbortController().signal;

/** What it says when nobody gets the tickets open, and the record's lock stands like this. */
async function reasonWith(settling: { owner: string; until: number } | undefined): Promise<string> {
  const transfer = proposal(settling ? { settling } : {});
  const tickets = await checkTickets({
    transferId: transfer.transferId,
    store: { get: async () => transfer },
    settle: async () => {},
    readTicketState: () => Promise.reject(new Error('there are none to ask for')),
    pauses: [],
    pause: async () => {},
    now: () => NOON,
    signal: never,
  });
  return tickets.outcome === 'wait' ? tickets.reason : tickets.outcome;
}

test('a wait for another process is not blamed on ServiceNow', async () => {
  expect(await reasonWith({ owner: 'dead', until: NOON + 1 })).toMatch(/another process has them in hand/);
});

test.each([[undefined], [{ owner: '', until: NOON }]])(
  'without a lock, or a lapsed one, it is ServiceNow: %j',
  async (lock) => {
    expect(await reasonWith(lock)).toMatch(/ServiceNow cannot be reached/);
  },
);
