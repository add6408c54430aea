/** How a transfer stands: bar, checklist, reasons and the buttons that fit. */

import { describe, expect, test } from 'vitest';
import { lastSeq } from '../../core/transfer-state.ts';
import { buttonsOf, cardText, everyStatus, transferAt } from '../../test/support/cards.ts';
import { bob, cleo, NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import { progressCard, progressOf } from './progress-card.ts';

const NOW = NOON + 8 * 60_000;
const large = (changes = {}) => {
  const { plan, planHash } = proposal({}, [plannedObject(0, { size: 1_000_000_000 })]);
  return transferAt('running', { plan, planHash, ...changes });
};

test.each(everyStatus().map((transfer) => [transfer.status, transfer] as const))(
  '%s renders with a full sentence and the buttons that fit',
  (status, transfer) => {
    const card = progressCard(transfer, NOW);
    expect(card.fallback).toMatch(/^[A-Za-z].+\.$/);
    const inThread = { queued: ['cancel'], running: ['cancel'] }[status as string] ?? [];
    expect(buttonsOf(card).map(({ actionId }) => actionId)).toEqual(inThread);
    // Elsewhere no outcome follows it, which has the button in the thread.
    const aside = buttonsOf(progressCard(transfer, NOW, { aside: true }));
    expect(aside.map(({ actionId }) => actionId)).toEqual(status === 'failed' ? ['retry'] : inThread);
  },
);

describe('while it runs', () => {
  test("the worker's own figures come before the record's", () => {
    const progress = { objectsDone: 0, objectsFailed: 0, bytesDone: 100_000_000, bytesPerSecond: 1, at: NOW };
    const live = { bytesDone: 450_000_000, objectsDone: 0, bytesPerSecond: 27_500_000, secondsLeft: 20 };
    const card = progressCard(large({ progress }), NOW, { live });
    expect(card.elements).toContainEqual({
      type: 'progress',
      bytesTotal: 1_000_000_000,
      objectsTotal: 1,
      ...live,
    });
    expect(card.fallback).toBe('Sending file-0.csv to acme-ftp: 45 %, 20 s left.');
  });

  test('time left follows from the speed, and is not guessed without one', () => {
    const progress = {
      objectsDone: 0,
      objectsFailed: 0,
      bytesDone: 400_000_000,
      bytesPerSecond: 10_000_000,
      at: NOW,
    };
    expect(progressOf(large({ progress })).secondsLeft).toBe(60);
    expect(progressOf(large({ progress: { ...progress, bytesPerSecond: 0 } }))).not.toHaveProperty(
      'secondsLeft',
    );
  });

  test('says whom or what it waits for', () => {
    const waiting = { reason: 'acme-ftp allows 4 connections and all are in use', since: NOON };
    expect(cardText(progressCard(large({ waiting }), NOW))).toContain(
      '⏳ Waiting since 22 Nov 2026, 12:00 UTC: acme-ftp allows 4 connections and all are in use',
    );
  });

  test('says that it is stopping, and offers no second Cancel', () => {
    const card = progressCard(large({ cancelRequested: { by: cleo, at: NOW } }), NOW);
    expect(cardText(card)).toContain('Stopping, as @Cleo asked.');
    expect(buttonsOf(card)).toEqual([]);
  });
});

describe('the checklist', () => {
  const done = (seconds: number, attempts = 1) => ({
    startedAt: NOON,
    endedAt: NOON + seconds * 1_000,
    attempts,
  });
  const steps = {
    validate: done(0),
    tickets: done(3),
    authorize: done(1, 2),
    stream: { startedAt: NOON, attempts: 1 },
    'update tickets': { attempts: 0 },
    notify: { attempts: 0 },
  };
  const lines = (transfer: ReturnType<typeof transferAt>) =>
    cardText(progressCard(transfer, NOW))
      .split('\n')
      .filter((line) => line.startsWith('['));

  test('shows each step as done, under way or to come', () => {
    expect(lines(transferAt('running', { steps }))).toEqual([
      '[done] Validate',
      '[done] Open tickets (3 s)',
      '[done] Authorize (1 s, attempt 2)',
      '[active] Stream',
      '[waiting] Update tickets',
      '[waiting] Notify',
    ]);
  });

  test('shows where it failed, and that the tickets were told, or will be', () => {
    const failed = transferAt('failed', { steps });
    expect(lines(failed).slice(3)).toEqual(['[failed] Stream', '[active] Update tickets', '[done] Notify']);
    const told = { sysId: 'a', number: 'INC0010001', notedThrough: lastSeq(failed), closed: true };
    expect(lines({ ...failed, tickets: { user: told, audit: told } }).slice(3)).toEqual([
      '[failed] Stream',
      '[done] Update tickets',
      '[done] Notify',
    ]);
  });

  test('leaves out what a cancelled transfer did not reach', () => {
    expect(lines(transferAt('cancelled', { steps })).map((line) => line.split(']')[0])).toEqual([
      '[done',
      '[done',
      '[done',
      '[skipped',
      '[active',
      '[done',
    ]);
  });

  test('says why tickets are late', () => {
    const ticketsDelayed = { since: NOON, reason: 'ServiceNow cannot be reached' };
    const late = { ...steps, tickets: { startedAt: NOON, attempts: 1 } };
    expect(lines(transferAt('queued', { steps: late, ticketsDelayed }))).toContain(
      '[active] Open tickets (delayed: ServiceNow cannot be reached)',
    );
  });
});

describe('at the end', () => {
  test('is whole when delivered, whatever was last counted, and says what was verified', () => {
    const transfer = transferAt('completed', { verified: 'size + CRC32 by server' });
    const bar = progressOf(transfer);
    expect(bar.bytesDone).toBe(bar.bytesTotal);
    const text = cardText(progressCard(transfer, NOW));
    expect(text).toContain('Verified: size + CRC32 by server.');
    expect(text).toContain('took 1 min');
  });

  test('names no path that the file did not get, where taken names are numbered', () => {
    const { plan, ...rest } = transferAt('completed');
    const text = cardText(progressCard({ ...rest, plan: { ...plan, existing: 'rename' } }, NOW));
    expect(text).toContain('→ acme-ftp\n');
    expect(text).not.toContain('/incoming/');
  });

  test('says what went wrong', () => {
    expect(cardText(progressCard(transferAt('failed'), NOW))).toContain('❌ acme-ftp did not answer.');
  });

  test('says withdrawn, not rejected, of a request that was taken back', () => {
    const decision = { outcome: 'withdrawn', by: bob, at: NOON, planHash: '' } as const;
    expect(cardText(progressCard(transferAt('rejected', { decision }), NOW))).toMatch(/^Withdrawn: /);
  });
});
