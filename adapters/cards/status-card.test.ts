/** The list of a person's transfers says of each who has to act now. */
import { expect, test } from 'vitest';
import { buttonsOf, cardText, everyStatus, transferAt } from '../../test/support/cards.ts';
import { NOON } from '../../test/support/transfers.ts';
import { stateWords, statusCard } from './status-card.ts';

const approvers = ['finance-leads'];
const listed = (transfers = everyStatus()) => transfers.map((transfer) => ({ transfer, approvers }));
const list = (transfers = listed()) =>
  statusCard({ title: 'Your transfers', transfers, empty: 'You have no transfers yet.', now: NOON });

test('says for every status who acts now', () => {
  expect(
    Object.fromEntries(listed().map((entry) => [entry.transfer.status, stateWords(entry, NOON)])),
  ).toEqual({
    pending_approval: '⏳ waiting for approval by finance-leads until 23 Nov 2026, 12:00 UTC',
    approved: '⏳ approved, about to be queued',
    rejected: '❌ rejected by Bob',
    expired: '⚠️ expired: nobody decided in time',
    queued: '⏳ queued, starts by itself',
    running: '🚚 on its way',
    completed: '✅ delivered, 22 Nov 2026, 12:07 UTC',
    failed: '❌ failed, 22 Nov 2026, 12:07 UTC: acme-ftp did not answer.',
    cancelled: 'cancelled, 22 Nov 2026, 12:07 UTC',
  });
});

test('shows a bar for what is running only, and a button for each', () => {
  const card = list();
  expect(card.elements.filter(({ type }) => type === 'progress')).toHaveLength(1);
  expect(buttonsOf(card)).toHaveLength(9);
  expect(
    buttonsOf(card).every(({ actionId, label }) => actionId === 'status' && label.startsWith('TRF-')),
  ).toBe(true);
});

test('an expired approval is not waited for, even before the record says so', () => {
  const transfer = transferAt('pending_approval', { approvalExpiresAt: NOON });
  expect(stateWords({ transfer, approvers }, NOON)).toContain('expired');
});

test('lists ten and counts the rest', () => {
  const twelve = Array.from({ length: 12 }, () => transferAt('completed'));
  const text = cardText(list(listed(twelve)));
  expect(text.match(/✅ delivered/g)).toHaveLength(10);
  expect(text).toContain('… and 2 more.');
});

test('an empty list is one sentence', () => {
  expect(list([])).toEqual({
    fallback: 'You have no transfers yet.',
    elements: [{ type: 'text', lines: [['You have no transfers yet.']] }],
  });
});
