import { describe, expect, it } from 'vitest';
import { bob, NOON, proposal } from '../test/support/transfers.ts';
import { cardsBehind, dueAt, dueToHold, isSettled, ticketsBehind, wantedRoles } from './due-work.ts';
import type { MessageRole, Transfer, TransferStatus } from './transfer.ts';
import { isEnded, lastSeq } from './transfer-state.ts';

const SECOND = 1_000;

/** A record of this status of which tickets, cards and the learning table know everything. */
function settled(status: TransferStatus, changes: Partial<Transfer> = {}): Transfer {
  const transfer = proposal({ status, learned: true, ...changes });
  const seq = lastSeq(transfer);
  const ticket = (sysId: string) => ({ sysId, number: sysId, notedThrough: seq, closed: isEnded(status) });
  return {
    ...transfer,
    tickets: { user: ticket('one'), audit: ticket('two') },
    messages: wantedRoles(transfer).map((role) => ({
      role,
      ref: { thread: transfer.thread, messageId: role },
      shownThrough: seq,
    })),
  };
}

describe('messages that should exist', () => {
  const wanted: Record<TransferStatus, MessageRole[]> = {
    pending_approval: ['approval'],
    approved: ['approval'],
    rejected: ['approval', 'outcome'],
    expired: ['approval', 'outcome'],
    queued: ['approval', 'progress'],
    running: ['approval', 'progress'],
    completed: ['approval', 'progress', 'outcome'],
    failed: ['approval', 'progress', 'outcome'],
    cancelled: ['approval', 'progress', 'outcome'],
  };
  it.each(Object.entries(wanted))('at %s', (status, roles) => {
    expect(wantedRoles(proposal({ status: status as TransferStatus }))).toEqual(roles);
  });
});

describe('a settled record', () => {
  it('owes nothing once it has ended', () => {
    for (const status of ['rejected', 'expired', 'completed', 'failed', 'cancelled'] as const) {
      expect(isSettled(settled(status))).toBe(true);
      expect(dueAt(settled(status), NOON)).toBeUndefined();
    }
  });

  it('is behind when a card shows an older state, or is missing', () => {
    const running = settled('running');
    expect(cardsBehind(running)).toBe(false);
    expect(cardsBehind({ ...running, messages: running.messages.slice(1) })).toBe(true);
    expect(
      cardsBehind({ ...running, messages: running.messages.map((it) => ({ ...it, shownThrough: 0 })) }),
    ).toBe(true);
  });

  it('is behind when a ticket is not opened, not noted, not closed, or closed too early', () => {
    const done = settled('completed');
    const withUser = (change: object) => ({
      ...done,
      tickets: { ...done.tickets, user: { ...done.tickets.user, ...change } },
    });
    expect(ticketsBehind(done)).toBe(false);
    expect(ticketsBehind(withUser({ sysId: undefined }))).toBe(true);
    expect(ticketsBehind(withUser({ notedThrough: 0 }))).toBe(true);
    expect(ticketsBehind(withUser({ closed: false }))).toBe(true);
    const running = settled('running');
    expect(ticketsBehind({ ...running, tickets: done.tickets })).toBe(true);
  });

  it('is not settled before an outcome was learned, where there is one to learn', () => {
    expect(isSettled(settled('completed', { learned: false }))).toBe(false);
    expect(isSettled(settled('failed', { learned: false }))).toBe(false);
    expect(isSettled(settled('cancelled', { learned: false }))).toBe(true);
  });
});

describe('when somebody should look', () => {
  it('at an unsettled record: soon', () => {
    expect(dueAt(proposal({ status: 'completed' }), NOON)).toBe(NOON + 20 * SECOND);
  });

  it('at a record that somebody is following up: when the lock on that lapses, or soon', () => {
    const locked = (until: number) => proposal({ status: 'completed', settling: { owner: 'bot-1', until } });
    expect(dueAt(locked(NOON + 3 * SECOND), NOON)).toBe(NOON + 3 * SECOND);
    expect(dueAt(locked(NOON), NOON)).toBe(NOON + 20 * SECOND);
    expect(dueAt(locked(NOON + 60 * SECOND), NOON)).toBe(NOON + 20 * SECOND);
  });

  it('at a proposal: when its time for a decision is over', () => {
    expect(dueAt(settled('pending_approval', { approvalExpiresAt: NOON + 7 }), NOON)).toBe(NOON + 7);
  });

  it('at an approved one that is not on the queue: after 10 s', () => {
    expect(dueAt(settled('approved'), NOON)).toBe(NOON + 10 * SECOND);
  });

  it('at a queued one: after 5 min, or 10 s when it was not sent or the queue is out of reach', () => {
    expect(dueAt(settled('queued', { queuedAt: NOON }), NOON)).toBe(NOON + 300 * SECOND);
    expect(dueAt(settled('queued'), NOON)).toBe(NOON + 10 * SECOND);
    const waiting = { reason: 'the queue cannot be reached', since: NOON };
    expect(dueAt(settled('queued', { queuedAt: NOON, waiting }), NOON)).toBe(NOON + 10 * SECOND);
  });

  it('at an ended one that nobody could be told of: ever less often', () => {
    const ended = proposal({ status: 'failed', endedAt: NOON });
    const after = (seconds: number) => {
      const at = NOON + seconds * SECOND;
      return ((dueAt(ended, at) ?? 0) - at) / SECOND;
    };
    expect([0, 60, 400, 86_400].map(after)).toEqual([20, 20, 100, 3_600]);
    const rejected = proposal({ status: 'rejected' });
    const since = rejected.history.at(-1)?.at ?? 0;
    expect(dueAt(rejected, since + 400 * SECOND)).toBe(since + 500 * SECOND);
  });

  it('at an unsettled one that waits: less often, the longer it does', () => {
    const waiting = { reason: 'ServiceNow cannot be reached', since: NOON };
    const lease = { owner: 'worker-1', token: 1, expiresAt: NOON + 86_400 * SECOND };
    const after = (seconds: number) => {
      const at = NOON + seconds * SECOND;
      return ((dueAt(proposal({ status: 'running', waiting, lease }), at) ?? 0) - at) / SECOND;
    };
    expect([0, 400, 7_200].map(after)).toEqual([20, 100, 300]);
  });

  it('at a run that was put off: when it is to go on, but at once when it is to be cancelled', () => {
    const waiting = { reason: 'the window is closed', since: NOON, until: NOON + 600 * SECOND };
    const lease = { owner: 'worker-1', token: 1, expiresAt: NOON };
    const put = settled('running', { waiting, lease });
    expect(dueAt(put, NOON)).toBe(NOON + 600 * SECOND);
    const cancelRequested = { by: bob, at: NOON };
    expect(dueAt({ ...put, cancelRequested }, NOON)).toBe(NOON + 5 * SECOND);
  });

  it('at a lost run that was sent to the queue again: not before it may be sent once more', () => {
    const lease = { owner: 'worker-1', token: 1, expiresAt: NOON };
    const sent = settled('running', { lease, queuedAt: NOON + 10 * SECOND });
    expect(dueAt(sent, NOON + 10 * SECOND)).toBe(NOON + 70 * SECOND);
    const before = settled('running', { lease, queuedAt: NOON - 10 * SECOND });
    expect(dueAt(before, NOON + 10 * SECOND)).toBe(NOON + 5 * SECOND);
  });

  it('never for the audit trail alone where nothing is audited', () => {
    const audit = { seq: 0, hash: '', pending: [] };
    const steps = { ...proposal().steps, stream: { attempts: 1 } };
    const unlisted = settled('completed', { audit, steps, endedAt: NOON });
    expect(dueAt(unlisted, NOON)).toBe(NOON + 20 * SECOND);
    expect(dueAt(unlisted, NOON, false)).toBeUndefined();
  });

  it('at a running one: when its lease has lapsed', () => {
    const lease = { owner: 'worker-1', token: 1, expiresAt: NOON + 30 * SECOND };
    expect(dueAt(settled('running', { lease }), NOON)).toBe(NOON + 35 * SECOND);
    expect(dueAt(settled('running'), NOON)).toBe(NOON + 5 * SECOND);
  });

  it('takes the earliest of several reasons', () => {
    const unsettled = proposal({ status: 'pending_approval', approvalExpiresAt: NOON + 7 * SECOND });
    expect(dueAt(unsettled, NOON)).toBe(NOON + 7 * SECOND);
  });
});

describe('the time that the index holds', () => {
  const held = (seconds: number) => NOON + seconds * SECOND;

  it.each([
    ['nothing is due any more', undefined, 20, undefined],
    ['nothing was due before', 30, undefined, 30],
    ['a little earlier: it stays', 30, 20, 20],
    ['later: a look must not come late', 10, 300, 10],
    ['much earlier: looks would come for nothing', 300, 20, 300],
    ['with a third of the time before it: it stays', 30, 10, 10],
    ['nearly over', 30, 5, 30],
    ['in the past', 30, -1, 30],
    ['due at once', 0, -5, 0],
  ])('%s', (_what, due, before, expected) => {
    const at = (seconds: number | undefined) => (seconds === undefined ? undefined : held(seconds));
    expect(dueToHold(at(due), at(before), NOON)).toBe(at(expected));
  });
});
