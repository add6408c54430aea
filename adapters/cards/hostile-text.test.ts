/** Text that others wrote reaches the platform as plain or code spans only, and never outgrows a button or a sentence. */
import { describe, expect, test } from 'vitest';
import { TRANSFER_STATUSES } from '../../core/transfer.ts';
import { isEnded } from '../../core/transfer-state.ts';
import { buttonsOf, formattedSpans, transferAt } from '../../test/support/cards.ts';
import { ana, NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import type { Card } from '../card.ts';
import { outcomeCard } from './outcome-card.ts';
import { progressCard } from './progress-card.ts';
import { proposalCard } from './proposal-card.ts';
import { answerCard, listCard, questionCard, refusalCard } from './reply-cards.ts';
import { statusCard } from './status-card.ts';

const HOSTILE = '*<!channel>* `<@U0FERRY>` [x](http://evil.example) \u202Egpj';
const LONG = `reports/${HOSTILE}/${'k'.repeat(900)}`;

/** Hostile text is nowhere bold or a link, and neither fallback nor button outgrows its bounds. */
function expectTame(card: Card) {
  for (const span of formattedSpans(card)) {
    if (span.kind === 'bold' || span.kind === 'link') expect(span.text).not.toMatch(/[*<`[\u202E]/);
  }
  expect(card.fallback.length).toBeLessThan(1_500);
  for (const { label, value } of buttonsOf(card)) {
    expect(label.length).toBeLessThanOrEqual(75);
    expect(Buffer.byteLength(value)).toBeLessThanOrEqual(1_500);
  }
}

describe('a transfer of hostile names', () => {
  const { plan, planHash } = proposal({}, [
    plannedObject(0, { key: LONG, targetPath: `/${LONG}`, etag: `"${HOSTILE}"`, versionId: HOSTILE }),
  ]);
  const requester = { ...ana, name: HOSTILE.repeat(10) };
  const failure = { code: 'internal', message: HOSTILE.repeat(50), step: 'stream' } as const;

  test.each(TRANSFER_STATUSES)('%s', (status) => {
    const transfer = transferAt(status, { plan, planHash, requester, failure });
    const cards = [
      proposalCard(transfer, { approvers: [HOSTILE], now: NOON }),
      progressCard(transfer, NOON),
      statusCard({ title: HOSTILE, transfers: [{ transfer, approvers: [HOSTILE] }], empty: '', now: NOON }),
      ...(isEnded(status) ? [outcomeCard(transfer)] : []),
    ];
    for (const card of cards) {
      expectTame(card);
      expect(JSON.stringify(card)).toContain('<!channel>');
    }
    // The whole key is shown where somebody decides on it, set off from our own words.
    expect(formattedSpans(cards[0] as Card)).toContainEqual({
      kind: 'code',
      text: `finance-exports/${LONG}`,
    });
  });
});

test('replies', () => {
  for (const card of [
    answerCard(HOSTILE),
    refusalCard({ reason: HOSTILE, advice: HOSTILE }),
    listCard({ title: HOSTILE, items: [{ name: LONG, detail: LONG }], more: HOSTILE }),
    questionCard({ question: HOSTILE, choices: [{ label: LONG, text: LONG }] }, ana.userId),
  ]) {
    expectTame(card);
  }
});
