/** Cards as Adaptive Cards: golden files, the schema that Teams holds them to, and Microsoft's own parser. */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEnded } from '../../core/transfer-state.ts';
import { buttonsIn, faultsOfCard, linesIn } from '../../test/fakes/adaptive-card.ts';
import { anyCard } from '../../test/fixtures/any-card.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import { buttonsOf, cardText, everyStatus } from '../../test/support/cards.ts';
import { NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import type { Card } from '../card.ts';
import { outcomeCard } from '../cards/outcome-card.ts';
import { progressCard } from '../cards/progress-card.ts';
import { proposalCard } from '../cards/proposal-card.ts';
import { helpCard } from '../cards/reply-cards.ts';
import { statusCard } from '../cards/status-card.ts';
import { renderCard } from './render.ts';
import { escapeMarkdown } from './text-runs.ts';

interface ParsedCard {
  getItemCount(): number;
}
/** The package has no entry for Node; its bundle works there. */
const { AdaptiveCard, SerializationContext, Versions } = createRequire(import.meta.url)(
  'adaptivecards/dist/adaptivecards.js',
) as {
  AdaptiveCard: new () => ParsedCard & { parse(json: unknown, context: unknown): void };
  SerializationContext: new (
    version: unknown,
  ) => {
    eventCount: number;
    getEventAt(index: number): { message: string };
  };
  Versions: { v1_5: unknown };
};

/** How Microsoft's library understands a card: its elements, and its complaints. */
function parse(json: unknown) {
  const context = new SerializationContext(Versions.v1_5);
  const card = new AdaptiveCard();
  card.parse(json, context);
  const complaints = Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message);
  return { elements: card.getItemCount(), complaints };
}

const linesOf = (card: Card) => cardText(card).split('\n');

describe('renderCard', () => {
  it.each(Object.entries(SAMPLE_CARDS))('renders %s as it always did', async (name, sample) => {
    const message = renderCard(sample);
    expect(faultsOfCard(message.card)).toBeUndefined();
    expect(parse(message.card)).toEqual({ elements: message.card.body.length, complaints: [] });
    await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.json`);
  });

  it('stays within Teams’ limits whatever the card holds', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anyCard, (any) => {
        const { card, summary } = renderCard(any);
        expect(faultsOfCard(card)).toBeUndefined();
        expect(summary.length).toBeGreaterThan(0);
      }),
      { numRuns: 150, endOnFailure: true },
    );
  });

  it('renders what FileFerry shows of any transfer, with 10,000 files of the longest names too', () => {
    const key = (index: number) => `${'ü'.repeat(500)}/${index}-${'_'.repeat(15)}`;
    const objects = Array.from({ length: 10_000 }, (_, index) =>
      plannedObject(index, { key: key(index), targetPath: `/incoming/${key(index)}` }),
    );
    const { plan, planHash } = proposal({}, objects);
    const largest = everyStatus().map((transfer) => ({ ...transfer, plan, planHash }));
    const facts = { approvers: ['finance-leads'], now: NOON };
    const listed = largest.map((transfer) => ({ transfer, approvers: facts.approvers }));
    const cards = [
      ...[...everyStatus(), ...largest].flatMap((transfer) => [
        proposalCard(transfer, facts),
        progressCard(transfer, NOON),
        ...(isEnded(transfer.status) ? [outcomeCard(transfer)] : []),
      ]),
      statusCard({ title: 'Your transfers', transfers: listed, empty: '', now: NOON }),
      helpCard(),
    ];
    expect(cards.length).toBeGreaterThan(40);
    for (const card of cards) {
      const { card: rendered, summary } = renderCard(card);
      expect(faultsOfCard(rendered)).toBeUndefined();
      expect(parse(rendered)).toEqual({ elements: rendered.body.length, complaints: [] });
      expect(summary).not.toBe('');
      expect(rendered.fallbackText).toBe(summary);
      // Nothing was left out but the files that the card itself does not show.
      expect(linesIn(rendered).filter((line) => line.startsWith('… and'))).toEqual(
        linesOf(card).filter((line) => line.startsWith('… and')),
      );
      expect(buttonsIn(rendered)).toHaveLength(buttonsOf(card).length);
    }
  });

  it('keeps the buttons when there is too much of everything else, and counts what it left out', () => {
    const { card } = renderCard({
      fallback: 'long',
      elements: [
        { type: 'text', lines: Array.from({ length: 100 }, (_, i) => [`${i} ${'x'.repeat(1_000)}`]) },
        { type: 'actions', actions: [{ actionId: 'approve', label: 'Approve', value: 'TRF-1' }] },
      ],
    });
    expect(faultsOfCard(card)).toBeUndefined();
    expect(buttonsIn(card)).toEqual([{ title: 'Approve', verb: 'approve', value: 'TRF-1' }]);
    expect(linesIn(card).at(-2)).toMatch(/^… and \d+ more$/);
  });

  it('shows every button whole on a phone, and the whole label of a choice that is too long for one', () => {
    const choice = (label: string) => ({ actionId: 'choose', label, value: label }) as const;
    const render = (...labels: string[]) =>
      renderCard({ fallback: 'x', elements: [{ type: 'actions', actions: labels.map(choice) }] }).card;
    const rows = (card: unknown) => linesIn(card).filter((line) => line.startsWith('['));

    const ids = ['TRF-HT111ATBPD', 'TRF-XCE997V7QE', 'TRF-QAE2TP8Z4T'];
    expect(rows(render(...ids))).toEqual([`[ ${ids[0]} ]  [ ${ids[1]} ]`, `[ ${ids[2]} ]`]);
    expect(rows(render('Approve', 'Reject', 'Withdraw'))).toHaveLength(1);

    const long = ['finance-exports/reports/2026/Q3/q3-report.pdf', 'finance-exports/reports/2026/Q3/raw.csv'];
    const card = render(...long);
    expect(linesIn(card)).toEqual([`1  ${long[0]}`, `2  ${long[1]}`, '[ 1 ]  [ 2 ]']);
    expect(card.body.at(-1)).toMatchObject({ actions: [{ tooltip: long[0] }, { tooltip: long[1] }] });
    expect(buttonsIn(card).map(({ value }) => value)).toEqual(long);
  });

  it('asks before a button that wants it, and does nothing itself', () => {
    const { card } = renderCard(SAMPLE_CARDS.proposal);
    const row = card.body.find((block) => block.type === 'ActionSet');
    expect(row?.actions[1]).toMatchObject({
      type: 'Action.ShowCard',
      title: 'Reject',
      card: { actions: [{ type: 'Action.Execute', verb: 'reject' }] },
    });
  });

  it('shows markdown as it was written', () => {
    expect(escapeMarkdown('**a** [b](c) 1. <at>x</at>')).toBe(
      '\\*\\*a\\*\\* \\[b\\]\\(c\\) 1. \\<at\\>x\\</at\\>',
    );
    expect(escapeMarkdown('1. one')).toBe('1\\. one');
    expect(escapeMarkdown('- one')).toBe('\\- one');
  });
});
