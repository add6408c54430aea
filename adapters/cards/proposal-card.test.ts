/** What the approver reads before deciding, and what everybody reads after. */
import { describe, expect, test } from 'vitest';
import { buttonsOf, cardText, everyStatus, transferAt } from '../../test/support/cards.ts';
import { ana, bob, NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import { proposalCard } from './proposal-card.ts';

const facts = { approvers: ['finance-leads', 'operations'], now: NOON };

describe('while it can be decided', () => {
  test('shows who asks for what, exactly, and who may decide until when', () => {
    const object = plannedObject(0, { size: 1_200_000, versionId: 'v7' });
    const transfer = proposal(
      {
        forecast: {
          seconds: 40,
          lowSeconds: 20,
          highSeconds: 60,
          successRate: 51 / 52,
          successLow: 0.914,
          successHigh: 0.995,
          samples: 52,
        },
      },
      [object],
    );
    const card = proposalCard(transfer, facts);
    expect(cardText(card).split('\n')).toEqual([
      'Approval needed: file-0.csv to acme-ftp',
      '@Ana asks to send file-0.csv to acme-ftp.',
      'What: finance-exports/reports/2026/Q3/file-0.csv',
      'To: acme-ftp, /incoming/file-0.csv',
      'Size: 1.2 MB',
      'Version: exactly this one: ETag "etag-0", version v7',
      'If the name is taken: the transfer stops and the file there stays as it is',
      'Forecast: about 40 s (20 s–1 min) in 9 of 10 cases; succeeds in 98 % (91–100 %), judged by 52 similar transfers',
      'Tickets: being opened',
      '<Approve>',
      '<Reject>',
      '<Withdraw>',
      'May approve: finance-leads or operations, but not @Ana who asked.',
      `Approve by 23 Nov 2026, 12:00 UTC. · ${transfer.transferId}`,
    ]);
    expect(card.fallback).toBe(
      'Ana asks to send file-0.csv (1.2 MB) to acme-ftp; somebody else has to approve it.',
    );
  });

  test('its buttons carry id and plan hash only', () => {
    const transfer = proposal();
    const buttons = buttonsOf(proposalCard(transfer, facts));
    expect(buttons.map(({ actionId, style }) => [actionId, style])).toEqual([
      ['approve', 'primary'],
      ['reject', 'danger'],
      ['cancel', undefined],
    ]);
    for (const { value } of buttons) {
      expect(JSON.parse(value)).toEqual({ t: transfer.transferId, h: transfer.planHash });
    }
  });

  test('as an answer aside it has no button that nobody would close, and says where they are', () => {
    const card = proposalCard(proposal(), { ...facts, aside: true });
    expect(buttonsOf(card)).toEqual([]);
    expect(cardText(card)).toContain('on the card in the channel');
  });

  test('lists the first of many files, and says when nothing is known of similar transfers', () => {
    const many = proposal(
      {},
      Array.from({ length: 200 }, (_, index) => plannedObject(index)),
    );
    const text = cardText(proposalCard(many, facts));
    expect(text).toContain('What: 200 files from finance-exports');
    expect(text).toContain('reports/2026/Q3/file-4.csv (1 kB) → /incoming/file-4.csv');
    expect(text).toContain('… and 195 more');
    expect(text).toContain('Forecast: no history yet');
  });

  test('warns when nobody may approve', () => {
    expect(cardText(proposalCard(proposal(), { ...facts, approvers: [] }))).toContain(
      '⚠️ The policy names nobody who may approve this.',
    );
  });
});

describe('afterwards', () => {
  test.each(everyStatus().map((transfer) => [transfer.status, transfer] as const))(
    '%s: buttons only while pending',
    (status, transfer) => {
      expect(buttonsOf(proposalCard(transfer, facts))).toHaveLength(status === 'pending_approval' ? 3 : 0);
    },
  );

  test('says why it is not on its way yet', () => {
    const waiting = { reason: 'The transfer queue cannot be reached.', since: NOON };
    const text = cardText(proposalCard(transferAt('approved', { waiting }), facts));
    expect(text).toContain('⏳ Waiting since 22 Nov 2026, 12:00 UTC: The transfer queue cannot be reached.');
    expect(text).toContain('Nothing is lost; it goes on by itself.');
    expect(cardText(proposalCard(transferAt('running', { waiting }), facts))).not.toContain('Waiting since');
  });

  test('has no buttons once its time is over, even before the record says so', () => {
    const transfer = proposal();
    const card = proposalCard(transfer, { ...facts, now: transfer.approvalExpiresAt });
    expect(buttonsOf(card)).toEqual([]);
    expect(cardText(card)).toContain('⚠️ Nobody decided by 23 Nov 2026, 12:00 UTC. Nothing was sent');
  });

  test.each([
    ['approved', bob, '✅ Approved by @Bob, 22 Nov 2026, 12:05 UTC.', 'was approved by Bob.'],
    [
      'rejected',
      bob,
      '❌ Rejected by @Bob, 22 Nov 2026, 12:05 UTC. Nothing was sent.',
      'was rejected by Bob; nothing was sent.',
    ],
    [
      'withdrawn',
      ana,
      'Withdrawn by @Ana, 22 Nov 2026, 12:05 UTC. Nothing was sent.',
      'was withdrawn by Ana; nothing was sent.',
    ],
  ] as const)('says who decided and when: %s', (outcome, by, line, sentence) => {
    const transfer = transferAt(outcome === 'approved' ? 'running' : 'rejected', {
      decision: { outcome, by, at: NOON + 5 * 60_000, planHash: '' },
    });
    const card = proposalCard(transfer, facts);
    expect(cardText(card).split('\n')).toContain(line);
    expect(card.fallback).toBe(`The request of Ana to send file-0.csv (1 kB) to acme-ftp ${sentence}`);
  });
});

test('what would lower the risk stands above the buttons, and is gone once it is decided', () => {
  const transfer = proposal();
  expect(cardText(proposalCard(transfer, facts))).toContain('💡 Little is known of acme-ftp for this size');
  const later = { approvers: facts.approvers, now: transfer.approvalExpiresAt };
  expect(cardText(proposalCard(transfer, later))).not.toContain('💡');
});
