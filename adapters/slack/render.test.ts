/** Cards as Block Kit: golden messages, and Slack's limits held against any input. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultsOfBlocks } from '../../test/fakes/block-kit.ts';
import { anyCard, anyLine, anyLines, anyText } from '../../test/fixtures/any-card.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import { type CardElement, code, type Line } from '../card.ts';
import { renderLine, renderLines } from './mrkdwn.ts';
import { keyOfMark, markOf, renderCard } from './render.ts';

describe('renderCard', () => {
  it.each(Object.entries(SAMPLE_CARDS))('renders %s as it always did', async (name, sample) => {
    const message = renderCard(sample, `TRF-0123456789/${name}`);
    expect(faultsOfBlocks(message.blocks)?.reasons).toBeUndefined();
    await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.json`);
  });

  it('stays within Slack’s limits whatever the card holds', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anyCard, (any) => {
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
      fc.property(anyLine, fc.integer({ min: 1, max: 300 }), (any, max) => {
        expect(renderLine(any, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('holds code together, whatever backticks it contains', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 4, max: 2_000 }), (any, max) => {
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
      fc.property(anyLines, fc.integer({ min: 100, max: 1_000 }), (any, max) => {
        const rendered = renderLines(any, max);
        expect(rendered.length).toBeLessThanOrEqual(max);
        const shown = rendered.split('\n');
        const more = /^… and (\d+) more$/.exec(shown.at(-1) ?? '')?.[1];
        expect(shown.length + (more ? Number(more) - 1 : 0)).toBe(Math.max(any.length, 1));
      }),
    );
  });
});
