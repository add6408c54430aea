/** Cards as Block Kit: golden messages, and Slack's limits held against any input. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultsOfBlocks } from '../../test/fakes/block-kit.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import { ACTION_IDS, type Card, type CardElement, code, type Line, type Span } from '../card.ts';
import { renderLine, renderLines } from './mrkdwn.ts';
import { keyOfMark, markOf, renderCard } from './render.ts';

/** What people could put into a name, weighted towards what Slack's mark-up could take offence at. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        '<!channel>',
        '<@U02BOB>',
        '<',
        '>',
        '&',
        '|',
        '`',
        '```',
        '*',
        '_',
        ' ',
        '\n',
        '\u202e',
        '\u0000',
        '\ud83d',
        '👩‍👩‍👧',
        ':boom:',
        'é',
        'k',
        'k'.repeat(1_000),
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join('')),
);
const span: fc.Arbitrary<Span> = fc.oneof(
  text,
  fc.record({ kind: fc.constantFrom('bold', 'code'), text }),
  fc.record({
    kind: fc.constant('person'),
    userId: fc.constantFrom('slack:T1:U1', 'slack:T1:<!here>', 'teams:t:29:x'),
    name: text,
  }),
  fc.record({ kind: fc.constant('link'), url: fc.oneof(fc.webUrl(), text), text }),
);
const line: fc.Arbitrary<Line> = fc.array(span, { maxLength: 6 });
const lines = fc.oneof(
  { weight: 5, arbitrary: fc.array(line, { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(line, { minLength: 50, maxLength: 100 }) },
);
const count = fc.nat({ max: 1e9 });
const element: fc.Arbitrary<CardElement> = fc.oneof(
  fc.record({ type: fc.constant('header'), text }),
  fc.record({ type: fc.constant('text'), lines }),
  fc.record({
    type: fc.constant('fields'),
    fields: fc.array(fc.record({ label: text, value: line }), { maxLength: 40 }),
  }),
  fc.record(
    {
      type: fc.constant('progress'),
      bytesDone: count,
      bytesTotal: count,
      objectsDone: count,
      objectsTotal: count,
      bytesPerSecond: count,
      secondsLeft: count,
    },
    { requiredKeys: ['type', 'bytesDone', 'bytesTotal', 'objectsDone', 'objectsTotal'] },
  ),
  fc.record({
    type: fc.constant('checklist'),
    items: fc.array(
      fc.record({
        label: text,
        state: fc.constantFrom('waiting', 'active', 'done', 'failed', 'skipped'),
        detail: text,
      }),
      { maxLength: 20 },
    ),
  }),
  fc.record({
    type: fc.constant('actions'),
    actions: fc.array(
      fc.record(
        {
          actionId: fc.constantFrom(...ACTION_IDS),
          label: text,
          value: text,
          style: fc.constantFrom('primary', 'danger'),
          confirm: text,
        },
        { requiredKeys: ['actionId', 'label', 'value'] },
      ),
      { maxLength: 40 },
    ),
  }),
  fc.record({ type: fc.constant('context'), lines }),
);
const card: fc.Arbitrary<Card> = fc.record({
  fallback: text,
  elements: fc.oneof(
    { weight: 4, arbitrary: fc.array(element, { maxLength: 10 }) },
    { weight: 1, arbitrary: fc.array(element, { minLength: 50, maxLength: 70 }) },
  ),
});

describe('renderCard', () => {
  it.each(Object.entries(SAMPLE_CARDS))('renders %s as it always did', async (name, sample) => {
    const message = renderCard(sample, `TRF-0123456789/${name}`);
    expect(faultsOfBlocks(message.blocks)?.reasons).toBeUndefined();
    await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.json`);
  });

  it('stays within Slack’s limits whatever the card holds', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(card, (any) => {
        const message = renderCard(any, 'TRF-0123456789/any');
        expect(faultsOfBlocks(message.blocks)?.reasons).toBeUndefined();
        expect(message.blocks[0]?.block_id).toBe('ff:TRF-0123456789/any');
        expect(message.text.length).toBeGreaterThan(0);
        expect(message.text.length).toBeLessThanOrEqual(3_000);
        expect(message.text).not.toMatch(/[<>]/);
        const shown = JSON.stringify(message, (name, value) => (name === 'value' ? '' : value));
        expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069]|\\u000\d/);
      }),
      // Shrinking cards of this size takes minutes; a failure is reproduced by its seed.
      { numRuns: 150, endOnFailure: true },
    );
  });

  it('keeps the buttons when there is too much of everything else', () => {
    const message = renderCard({
      fallback: 'long',
      elements: [
        ...Array.from({ length: 80 }, (_, i) => ({ type: 'header', text: `part ${i}` }) as const),
        { type: 'actions', actions: [{ actionId: 'approve', label: 'Approve', value: 'TRF-1' }] },
      ],
    });
    expect(message.blocks).toHaveLength(50);
    expect(message.blocks.filter(({ type }) => type === 'actions')).toHaveLength(1);
    expect(JSON.stringify(message.blocks.at(-1))).toContain('… and 32 more');
  });

  it('leaves out a button whose value does not fit, and says so', () => {
    const message = renderCard({
      fallback: 'x',
      elements: [
        { type: 'actions', actions: [{ actionId: 'choose', label: 'long', value: 'v'.repeat(2_001) }] },
      ],
    });
    expect(message.blocks.map(({ type }) => type)).toEqual(['context']);
    expect(JSON.stringify(message.blocks)).toContain('… and 1 more');
  });

  it('shows a card of nothing as its fallback', () => {
    const message = renderCard({ fallback: 'Hello', elements: [{ type: 'text', lines: [] }] });
    expect(message.blocks).toMatchObject([{ type: 'section', text: { text: 'Hello' } }]);
  });

  it('says 100 % only when all files are in place', () => {
    const progress = {
      type: 'progress',
      bytesDone: 9,
      bytesTotal: 9,
      objectsDone: 1,
      objectsTotal: 2,
    } as const;
    const shown = (element: CardElement) =>
      JSON.stringify(renderCard({ fallback: 'x', elements: [element] }));
    expect(shown(progress)).toContain('*99 %*');
    expect(shown({ ...progress, objectsDone: 2 })).toContain('*100 %*');
    const empty = { ...progress, bytesDone: 0, bytesTotal: 0 };
    expect(shown({ ...empty, objectsDone: 0 })).toContain('*0 %*');
    expect(shown({ ...empty, objectsDone: 2 })).toContain('*100 %*');
  });

  it('marks a message with its key, and refuses a key that could not be found again', () => {
    expect(keyOfMark(markOf('TRF-0123456789/approval'))).toBe('TRF-0123456789/approval');
    expect(keyOfMark('b0')).toBeUndefined();
    expect(() => markOf('white space')).toThrow();
    expect(() => markOf('k'.repeat(101))).toThrow();
  });
});

describe('renderLine', () => {
  it('is never longer than asked', () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 1, max: 300 }), (any, max) => {
        expect(renderLine(any, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('holds code together, whatever backticks it contains', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 4, max: 2_000 }), (any, max) => {
        const rendered = renderLine([code(any)], max);
        expect(rendered.match(/`/g)?.length ?? 0).toBe(rendered === '…' ? 0 : 2);
        if (rendered !== '…') expect(rendered).toMatch(/^`[^`]+`$/u);
      }),
    );
  });

  it.each([
    [['abcdef'], 4, 'abc…'],
    [['abcd'], 4, 'abcd'],
    [['a&b'], 6, 'a…'],
    [['👩‍👩‍👧👩‍👩‍👧'], 12, '👩‍👩‍👧…'],
    [['ab', code('cdef')], 6, 'ab…'],
    [['a ', code('cdef')], 7, 'a `cd…`'],
    [['ab ', { kind: 'person', userId: 'slack:T:U1', name: 'x' }], 6, 'ab …'],
  ] satisfies [Line, number, string][])('cuts %j at %d', (any, max, expected) => {
    expect(renderLine(any, max)).toBe(expected);
  });
});

describe('renderLines', () => {
  it('is never longer than asked and counts what it left out', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 100, max: 1_000 }), (any, max) => {
        const rendered = renderLines(any, max);
        expect(rendered.length).toBeLessThanOrEqual(max);
        const shown = rendered.split('\n');
        const more = /^… and (\d+) more$/.exec(shown.at(-1) ?? '')?.[1];
        expect(shown.length + (more ? Number(more) - 1 : 0)).toBe(Math.max(any.length, 1));
      }),
    );
  });
});
