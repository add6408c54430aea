import { describe, expect, it } from 'vitest';
import { NOON, proposal } from '../test/support/transfers.ts';
import { TRANSFER_STATUSES } from './transfer.ts';
import { canMove, isEnded, isLeased, lastSeq, move, note } from './transfer-state.ts';

const LEGAL = [
  'pending_approval → approved',
  'pending_approval → rejected',
  'pending_approval → expired',
  'approved → queued',
  'queued → running',
  'queued → cancelled',
  'running → completed',
  'running → failed',
  'running → cancelled',
  'failed → queued',
];

describe('moves', () => {
  it('are those of the house plan and no others', () => {
    const moves = TRANSFER_STATUSES.flatMap((from) =>
      TRANSFER_STATUSES.filter((to) => canMove(from, to)).map((to) => `${from} → ${to}`),
    );
    expect(moves.sort()).toEqual([...LEGAL].sort());
  });

  it('write the status and the history entry together', () => {
    const before = proposal();
    const after = move(before, 'approved', { at: NOON + 1, by: 'slack:T01FERRY:U02BOB', text: 'Approved.' });
    expect(after.status).toBe('approved');
    expect(after.history.at(-1)).toEqual({
      seq: 2,
      at: NOON + 1,
      by: 'slack:T01FERRY:U02BOB',
      text: 'Approved.',
      status: 'approved',
    });
    expect(before).toMatchObject({ status: 'pending_approval', history: [{ seq: 1 }] });
  });

  it('throw when the plan does not know them', () => {
    expect(() =>
      move(proposal({ status: 'completed' }), 'running', { at: NOON, by: 'worker', text: 'Again.' }),
    ).toThrow('illegal move completed → running');
  });
});

it('notes count on without a gap', () => {
  const noted = note(note(proposal(), { at: NOON, by: 'bot', text: 'one' }), {
    at: NOON,
    by: 'bot',
    text: 'two',
  });
  expect(noted.history.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(lastSeq(noted)).toBe(3);
});

it('counts failed as ended, although a person may retry it', () => {
  expect(TRANSFER_STATUSES.filter(isEnded).sort()).toEqual([
    'cancelled',
    'completed',
    'expired',
    'failed',
    'rejected',
  ]);
});

it('counts a lease until the moment at which it lapses', () => {
  const lease = { owner: 'worker-1', token: 1, expiresAt: NOON };
  expect(isLeased({ lease }, NOON - 1)).toBe(true);
  expect(isLeased({ lease }, NOON)).toBe(false);
  expect(isLeased({}, NOON)).toBe(false);
});
