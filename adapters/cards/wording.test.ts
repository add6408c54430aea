/** Names, instants and lists in words. */
import { expect, test } from 'vitest';
import { NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import { formatInstant, objectLines, orList, ticketsLine, whatLine, whatWords } from './wording.ts';

test('says instants in UTC and names it', () => {
  expect(formatInstant(NOON)).toBe('22 Nov 2026, 12:00 UTC');
});

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a or b'],
  [['a', 'b', 'c'], 'a, b or c'],
])('lists %j', (words, said) => {
  expect(orList(words)).toBe(said);
});

test('names one file by its base name and shows its whole key', () => {
  const { plan } = proposal();
  expect(whatWords(plan)).toBe('file-0.csv');
  expect(whatLine(plan)).toEqual([{ kind: 'code', text: 'finance-exports/reports/2026/Q3/file-0.csv' }]);
  expect(objectLines(plan)).toEqual([]);
});

test('names many files by what was asked for, with the first ones', () => {
  const many = proposal(
    {},
    Array.from({ length: 200 }, (_, index) => plannedObject(index)),
  );
  const plan = { ...many.plan, selection: { kind: 'prefix', prefix: 'reports/' } } as const;
  expect(whatLine(plan)).toEqual(['200 files under ', { kind: 'code', text: 'finance-exports/reports/' }]);
  const lines = objectLines(plan);
  expect(lines).toHaveLength(6);
  expect(lines[0]).toEqual([
    { kind: 'code', text: 'reports/2026/Q3/file-0.csv' },
    ' (1 kB) → ',
    { kind: 'code', text: '/incoming/file-0.csv' },
  ]);
  expect(lines[5]).toEqual(['… and 195 more']);
});

test('says which tickets there are, and why there are none', () => {
  const none = { notedThrough: 0, closed: false };
  const delayed = { ticketsDelayed: { since: NOON, reason: 'ServiceNow cannot be reached' } };
  expect(ticketsLine(proposal())).toEqual(['being opened']);
  expect(ticketsLine(proposal(delayed))).toEqual([
    'delayed: ServiceNow cannot be reached; they follow by themselves',
  ]);
  const tickets = { user: { ...none, number: 'INC0010001' }, audit: { ...none, number: 'INC0010002' } };
  expect(ticketsLine(proposal({ tickets, ...delayed }))).toEqual([
    'INC0010001 (request), INC0010002 (audit)',
  ]);
});
