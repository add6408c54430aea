/** The last word: what came of it, what is safe, what to do next. */
import { describe, expect, test } from 'vitest';
import { isEnded } from '../../core/transfer-state.ts';
import { buttonsOf, cardText, everyStatus, transferAt } from '../../test/support/cards.ts';
import { bob, NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import { outcomeCard, supersededOutcomeCard } from './outcome-card.ts';

const tickets = {
  user: { number: 'INC0010001', sysId: '1', notedThrough: 1, closed: false },
  audit: { number: 'INC0010002', sysId: '2', notedThrough: 1, closed: false },
};

test.each(everyStatus().map((transfer) => [transfer.status, transfer] as const))('%s', (status, transfer) => {
  if (!isEnded(status)) {
    expect(() => outcomeCard(transfer)).toThrow(/no outcome while/);
    return;
  }
  const card = outcomeCard(transfer);
  expect(card.fallback).toMatch(/^Ana, .+\.$/);
  expect(cardText(card)).toContain('@Ana');
  expect(buttonsOf(card).map(({ actionId }) => actionId)).toEqual(status === 'failed' ? ['retry'] : []);
});

describe('completed', () => {
  test('tells file, path, bytes, time, speed, what was verified, and the tickets', () => {
    const { plan } = proposal({}, [plannedObject(0, { size: 600_000_000 })]);
    const card = outcomeCard(transferAt('completed', { plan, tickets, verified: 'size' }));
    expect(cardText(card).split('\n').slice(0, -1)).toEqual([
      '✅ Delivered: file-0.csv to acme-ftp',
      '@Ana, file-0.csv is on acme-ftp:',
      '/incoming/file-0.csv',
      'From: finance-exports/reports/2026/Q3/file-0.csv',
      'Size: 600 MB',
      'Time: 1 min',
      'Average speed: 10 MB/s',
      'Verified: size',
      'Tickets: INC0010001 (request), INC0010002 (audit)',
    ]);
    expect(card.fallback).toBe('Ana, file-0.csv (600 MB) is on acme-ftp in 1 min.');
  });

  test('names the file as it stands there when its name was numbered', () => {
    const card = outcomeCard(transferAt('completed'), { finalPaths: ['/incoming/file-0 (1).csv'] });
    expect(cardText(card)).toContain('/incoming/file-0 (1).csv');
    expect(cardText(card)).not.toContain('/incoming/file-0.csv');
  });

  test('an empty file has no speed', () => {
    const { plan } = proposal({}, [plannedObject(0, { size: 0 })]);
    const card = outcomeCard(transferAt('completed', { plan }));
    expect(cardText(card)).toContain('Size: 0 B');
    expect(cardText(card)).not.toContain('speed');
  });
});

describe('failed', () => {
  test('says what happened, what is safe and what to do next', () => {
    const text = cardText(outcomeCard(transferAt('failed')));
    expect(text).toContain('What happened: acme-ftp did not answer.');
    expect(text).toContain(
      'What is safe: No half file stands under the final name, and the source is untouched.',
    );
    expect(text).toContain('What to do next: Press Retry');
  });

  test('counts the files that were delivered before', () => {
    const { plan } = proposal(
      {},
      Array.from({ length: 20 }, (_, index) => plannedObject(index)),
    );
    const progress = { objectsDone: 12, objectsFailed: 1, bytesDone: 1, bytesPerSecond: 0, at: NOON };
    expect(cardText(outcomeCard(transferAt('failed', { plan, progress })))).toContain(
      '12 of 20 files were delivered whole and stay',
    );
  });

  test('a changed source cannot be retried: its plan is over', () => {
    const failure = { code: 'source_changed', message: 'The file has changed.', step: 'validate' as const };
    const card = outcomeCard(transferAt('failed', { failure }));
    expect(buttonsOf(card)).toEqual([]);
    expect(cardText(card)).toContain('Ask for it again');
  });

  test('shows the reference of an unexpected error', () => {
    const failure = { code: 'internal', message: 'Odd.', step: 'stream' as const, reference: 'REF-7K2M9QXD' };
    expect(cardText(outcomeCard(transferAt('failed', { failure })))).toContain('attempt 1 · REF-7K2M9QXD');
  });
});

test('cancelled and rejected name who did it', () => {
  const cancelRequested = { by: bob, at: NOON };
  expect(cardText(outcomeCard(transferAt('cancelled', { cancelRequested })))).toContain(
    'was cancelled by @Bob.',
  );
  expect(cardText(outcomeCard(transferAt('rejected')))).toContain('was rejected by @Bob. Nothing was sent.');
});

test.each(['cancelled', 'failed'] as const)('%s says that a single file had arrived', (status) => {
  const progress = { objectsDone: 1, objectsFailed: 0, bytesDone: 1, bytesPerSecond: 0, at: NOON };
  const text = cardText(outcomeCard(transferAt(status, { progress })));
  expect(text).toContain('The file was delivered whole and stays under its final name');
  expect(text).not.toContain('half file');
});

test('the outcome of an attempt that was retried loses its button and keeps its reason', () => {
  const card = supersededOutcomeCard(transferAt('failed', { status: 'queued', attempt: 2 }), 1);
  expect(buttonsOf(card)).toEqual([]);
  expect(cardText(card)).toContain('Now failed.');
  expect(card.fallback).toBe('Attempt 1 to send file-0.csv to acme-ftp failed and was tried again.');
});
