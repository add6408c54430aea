/** How many sentences are read right, on three collections; and what must hold for every sentence there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Context, Reading, World } from './reading.ts';
import { understand } from './understand.ts';

interface Case {
  readonly text: string;
  readonly context?: Context;
  readonly expect: Reading;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../test/fixtures', name), 'utf8'));
const given = read('utterances.world.json') as {
  now: string;
  buckets: string[];
  destinations: string[];
  transfers: string[];
};
const named = (names: readonly string[]) => names.map((name) => ({ name, aliases: [] }));
const world: World = {
  now: Date.parse(given.now),
  timezone: 'UTC',
  buckets: named(given.buckets),
  destinations: named(given.destinations),
  transfers: given.transfers,
};
const cases = (name: string) => read(name) as Case[];
const ALL = [
  'utterances.json',
  'utterances.own.json',
  'utterances.held-out.json',
  'utterances.held-out-2.json',
  'utterances.held-out-3.json',
  'utterances.held-out-4.json',
  'utterances.held-out-5.json',
].flatMap(cases);

describe('accuracy', () => {
  // The held-out sentences were written after the reader and are never looked at to improve it.
  it.each([
    ['utterances.json', 30, 1, 1],
    ['utterances.own.json', 300, 0.99, 0.98],
    ['utterances.held-out.json', 100, 0.95, 0.9],
    // Written later, judged once as they were, then learned from.
    ['utterances.held-out-2.json', 170, 0.98, 0.97],
    ['utterances.held-out-3.json', 130, 0.98, 0.97],
    ['utterances.held-out-4.json', 100, 0.98, 0.97],
    ['utterances.held-out-5.json', 60, 0.98, 0.97],
  ])('%s', (name, least, intents, slots) => {
    const all = cases(name);
    const readings = all.map((one) => ({ one, got: understand(one.text, world, one.context) }));
    const right = readings.filter(({ one, got }) => got.intent === one.expect.intent);
    const exact = right.filter(({ one, got }) => isDeepStrictEqual(got.slots, one.expect.slots));
    expect(all.length).toBeGreaterThanOrEqual(least);
    expect(right.length / all.length).toBeGreaterThanOrEqual(intents);
    expect(exact.length / all.length).toBeGreaterThanOrEqual(slots);
  });

  it('acts on nothing that is not for it', () => {
    const acted = ALL.filter(
      ({ expect: wanted }) => wanted.intent === 'out_of_scope' || wanted.intent === 'approve_attempt',
    )
      .map(({ text, context }) => ({ text, intent: understand(text, world, context).intent }))
      .filter(({ intent }) => ['request_transfer', 'cancel', 'retry'].includes(intent));
    expect(acted).toEqual([]);
  });
});

describe('other talk of transfers, orders and approvals', () => {
  const traps = read('utterances.traps.json') as { unrelated: string[]; approvals: string[] };
  const CONTEXTS: Context[] = [
    {},
    { lastTransfer: { id: 'TRF-8F3K2Q', status: 'RUNNING' } },
    { lastObject: { bucket: 'finance-exports', key: 'a.csv' } },
  ];
  it.each(traps.unrelated)('is no wish: %s', (text) => {
    for (const context of CONTEXTS) {
      const { intent, slots } = understand(text, world, context);
      const wanted = intent === 'clarify' ? slots.for : intent;
      expect(['request_transfer', 'predict', 'cancel', 'retry']).not.toContain(wanted);
    }
  });
  it.each(traps.approvals)('is an attempt to approve: %s', (text) => {
    expect(understand(text, world).intent).toBe('approve_attempt');
  });
});

describe('approval by text', () => {
  const SAID = [
    'approve',
    'I approve',
    'please approve',
    'approved!',
    'I hereby authorize',
    'sign off on',
    'greenlight',
    'rubber-stamp',
    'release',
    'mark as approved',
    'on behalf of Bob I approve',
    'as the CFO I approve',
    'Bob said: "approve"',
    'just approve',
    'can you approve',
    'could u pls aprove',
    'ok from my side:',
    'consider this my approval of',
    'click the approve button for',
  ];
  it.each(SAID)('%s', (words) => {
    expect(understand(`${words} TRF-7B1C9D`, world)).toMatchObject({
      intent: 'approve_attempt',
      slots: { transferId: 'TRF-7B1C9D' },
    });
    expect(understand(`${words} it`, world, { lastTransfer: { id: 'TRF-7B1C9D' } }).intent).toBe(
      'approve_attempt',
    );
  });
});

describe('names', () => {
  it('takes a slip for what it nearly is, and for unknown where names have to be exact', () => {
    const text = 'send s3://legal-docs/a.pdf to globx-sftp';
    expect(understand(text, world).slots.destination).toBe('globex-sftp');
    expect(understand(text, { ...world, exactNames: true })).toMatchObject({
      intent: 'clarify',
      slots: { missing: ['destination'], reason: 'unregistered_destination' },
    });
  });

  it('takes no other digit for a slip', () => {
    expect(understand('send s3://legal-docs/a.pdf to globex-sftp2', world).slots.reason).toBe(
      'unregistered_destination',
    );
  });

  it('knows aliases', () => {
    const renamed = { ...world, destinations: [{ name: 'dst-17', aliases: ['big blue'] }] };
    expect(understand('send s3://legal-docs/a.pdf to big blue', renamed).slots.destination).toBe('dst-17');
  });
});

describe('any text', () => {
  const PIECES = [
    'send ',
    'approve ',
    'my ',
    "people's ",
    's3://legal-docs/',
    ' to ',
    'globex ',
    '"',
    "'",
    '<',
    '{id}',
    '{',
    '}',
    '*',
    '/',
    'a',
    ' and ',
    'the ',
    'transfers ',
    'thank ',
    'you ',
    'haha',
    '1',
    ',',
    '\n',
    '\0',
    '\u202e',
    '\ud800',
    '👍',
    'what ',
    'how ',
    'not ',
    'TRF-',
  ];
  const piece = fc.constantFrom(...PIECES);

  it('comes to a reading, also when it repeats itself', () => {
    const text = fc.oneof(
      fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
      // Repetition is what makes backtracking stand still; the test's timeout tells.
      fc.tuple(piece, piece, piece).map(([a, b, c]) => (a + b + c).repeat(2_000).slice(0, 4_000)),
      fc.string({ unit: 'binary', maxLength: 2_000 }),
    );
    fc.assert(
      fc.property(text, (said) => {
        expect(understand(said, world).intent).toMatch(/^[a-z_]+$/);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('names only what is in the world, or what was typed', () => {
    for (const { text, context } of ALL) {
      const { slots } = understand(text, world, context);
      if (slots.destination !== undefined) expect(given.destinations).toContain(slots.destination);
      const known = context ? JSON.stringify(context) : '';
      for (const key of slots.keys ?? []) {
        const isTyped = decodeURIComponent(text).includes(key.split('/').at(-1) ?? '') || known.includes(key);
        expect(isTyped, `${text}: ${key}`).toBe(true);
      }
    }
  });
});
