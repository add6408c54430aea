import { expect, test } from 'vitest';
import { shownText } from './shown-text.ts';

test('control and direction characters do not reach a sentence', () => {
  expect(shownText('a\u202Efdp.exe\r\n\u0007b')).toBe('a fdp.exe b');
});

test('a long name keeps both ends and never half an emoji', () => {
  const shown = shownText(`reports/${'😀'.repeat(300)}/q3.csv`, 100);
  expect(shown.length).toBeLessThanOrEqual(100);
  expect(shown.startsWith('reports/')).toBe(true);
  expect(shown.endsWith('/q3.csv')).toBe(true);
  expect(shown.isWellFormed()).toBe(true);
});

test('text that fits stays as it is', () => {
  expect(shownText('Bericht März (final).csv')).toBe('Bericht März (final).csv');
});
