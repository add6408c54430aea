/** What a person is whispered after a press that changed nothing. */
import { expect, test } from 'vitest';
import { buttonsOf, cardText, transferAt } from '../../test/support/cards.ts';
import { ana, NOON } from '../../test/support/transfers.ts';
import { decisionNotice } from './decision-notices.ts';

const withdrawn = transferAt('rejected', {
  decision: { outcome: 'withdrawn', by: ana, at: NOON, planHash: '' },
});
const expired = transferAt('expired');

test.each([
  [
    decisionNotice({ kind: 'already_decided', transfer: transferAt('running') }),
    '@Bob already approved this, 22 Nov 2026, 12:05 UTC. Your click changed nothing.',
  ],
  [
    decisionNotice({ kind: 'already_decided', transfer: transferAt('rejected') }),
    '@Bob already rejected this, 22 Nov 2026, 12:05 UTC. Your click changed nothing.',
  ],
  [
    decisionNotice({ kind: 'already_decided', transfer: withdrawn }),
    '@Ana already withdrew this, 22 Nov 2026, 12:00 UTC. Your click changed nothing.',
  ],
  [
    decisionNotice({ kind: 'already_decided', transfer: expired }),
    'This request expired 23 Nov 2026, 12:00 UTC, before anybody decided. Nothing was sent; it can be asked for again.',
  ],
  [
    decisionNotice({ kind: 'expired', transfer: expired }),
    'This request expired 23 Nov 2026, 12:00 UTC, before anybody decided. Nothing was sent; it can be asked for again.',
  ],
])('%#', (card, sentence) => {
  expect(cardText(card)).toBe(sentence);
  expect(card.fallback).toBe(sentence.replace('@', ''));
});

test('no notice has buttons, and each is a sentence', () => {
  for (const kind of ['plan_changed', 'unknown_button', 'not_your_question'] as const) {
    const card = decisionNotice({ kind });
    expect(buttonsOf(card)).toEqual([]);
    expect(card.fallback).toMatch(/\.$/);
  }
});
