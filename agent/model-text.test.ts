import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shownModelText } from './model-text.ts';

test('links of any kind go, our own addresses stay', () => {
  expect(shownModelText('See https://evil.test/?q=1 or www.evil.test, mailto:a@b, s3://bucket/key.')).toBe(
    'See (link removed) or (link removed) (link removed) s3://bucket/key.',
  );
});

test('what remains is bounded, and holds nothing that hides or reorders text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
      const shown = shownModelText(`${text}\n${text}`);
      expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(shown.length).toBeLessThanOrEqual(40 * 1_001);
    }),
  );
});
