/** Which names are worth offering for a few words. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bestMatches } from './name-match.ts';

const KEYS = [
  'reports/2026/Q3/q3-report.pdf',
  'reports/2026/Q3/summary.xlsx',
  'reports/2026/Q4/q4-report.pdf',
  'payroll/2026-11.csv',
  'inventory/dump.tar.gz',
];
const find = (words: string, limit = 3) => bestMatches(words, KEYS, (key) => key, limit);

it.each([
  ['the Q3 report', 'reports/2026/Q3/q3-report.pdf'],
  ['q4 report', 'reports/2026/Q4/q4-report.pdf'],
  ['sumary.xlsx', 'reports/2026/Q3/summary.xlsx'],
  ['payroll', 'payroll/2026-11.csv'],
  ['latest inventory dump', 'inventory/dump.tar.gz'],
  ['reports/2026/Q3/summary.xls', 'reports/2026/Q3/summary.xlsx'],
])('%s: first %s', (words, key) => {
  expect(find(words)[0]).toBe(key);
});

it('offers nothing for what is like nothing, an extension alone included', () => {
  expect(['zebra', 'zebra.pdf', '', '…', '🦓'].map((words) => find(words))).toEqual([[], [], [], [], []]);
});

it('keeps to the limit, and takes any text', () => {
  expect(find('report', 1)).toHaveLength(1);
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 1_000 }),
      fc.string({ unit: 'binary' }),
      (words, name) => {
        expect(bestMatches(words, [...KEYS, name], (key) => key, 3).length).toBeLessThanOrEqual(3);
      },
    ),
  );
});
