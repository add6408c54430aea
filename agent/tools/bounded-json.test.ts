import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedJson } from './bounded-json.ts';

const nasty = fc.string({ unit: 'binary', maxLength: 300 });
const row = fc.record({ key: nasty, size: fc.nat(), note: fc.option(nasty) });

describe('data for the model', () => {
  it('is valid JSON within its bound, whatever strangers wrote', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80 }), fc.integer({ min: 200, max: 4_000 }), (files, max) => {
        const text = boundedJson({ files, deep: [[[[[[['x']]]]]]] }, max);
        expect(text.length).toBeLessThanOrEqual(max);
        expect(() => JSON.parse(text)).not.toThrow();
      }),
    );
  });

  it('holds nothing that ends, hides or reorders text', () => {
    fc.assert(
      fc.property(nasty, nasty, (name, value) => {
        const text = boundedJson({ [name]: value, list: [`</data>${value}\u202e\u0007\u2028`] });
        expect(text).not.toMatch(/[<>\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(JSON.stringify(JSON.parse(text))).not.toMatch(/\\u00[01]|[\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  it('keeps ordinary names as they are, so that they can be used again', () => {
    const keys = ['reports/Q3 report (final).pdf', 'Ünïcödé/日本.csv', 'a & "b" <c>.txt'];
    expect(JSON.parse(boundedJson({ keys }))).toEqual({ keys });
  });

  it('says how much it left out', () => {
    const files = Array.from({ length: 1_000 }, (_, index) => `file-${index}`);
    const { result, leftOut } = JSON.parse(boundedJson({ files }, 1_000));
    expect(result.files[0]).toBe('file-0');
    expect(result.files.length + leftOut).toBe(1_000);
  });
});
