/** What a person is whispered after a press that changed nothing. */
import { expect, test } from 'vitest';
import { buttonsOf, cardText, transferAt } from '../../test/support/cards.ts';
import { ana, NOON, proposal } from '../../test/support/transfers.ts';
import {
  alreadyDecidedNotice,
  answerNotice,
  notForYouNotice,
  planChangedNotice,
  refusedNotice,
  tooLateNotice,
  unknownButtonNotice,
} from './decision-notices.ts';

const withdrawn = transferAt('rejected', {
  decision: { outcome: 'withdrawn', by: ana, at: NOON, planHash: '' },
});
const expired = transferAt('expired');

test.each([
  [
    alreadyDecidedNotice(transferAt('running'), NOON),
    '@Bob already approved this, 22 Nov 2026, 12:05 UTC. Your click changed nothing.',
  ],
  [
    alreadyDecidedNotice(transferAt('rejected'), NOON),
    '@Bob already rejected this, 22 Nov 2026, 12:05 UTC. Your click changed nothing.',
  ],
  [
    alreadyDecidedNotice(withdrawn, NOON),
    '@Ana already withdrew this, 22 Nov 2026, 12:00 UTC. Your click changed nothing.',
  ],
  [
    alreadyDecidedNotice(expired, NOON),
    'This request expired 23 Nov 2026, 12:00 UTC, before anybody decided. Nothing was sent; it can be asked for again.',
  ],
  [
    tooLateNotice(expired),
    'This request expired 23 Nov 2026, 12:00 UTC, before anybody decided. Nothing was sent; it can be asked for again.',
  ],
  [refusedNotice('You may not.'), '⚠️ You may not.'],
  [answerNotice('It is being stopped.'), 'It is being stopped.'],
])('%#', (card, sentence) => {
  expect(cardText(card)).toBe(sentence);
  expect(card.fallback).toBe(sentence.replace('@', ''));
});

test('no notice has buttons, and each is a sentence', () => {
  for (const card of [planChangedNotice(proposal()), unknownButtonNotice(), notForYouNotice()]) {
    expect(buttonsOf(card)).toEqual([]);
    expect(card.fallback).toMatch(/\.$/);
  }
});
