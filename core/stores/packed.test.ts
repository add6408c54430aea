import { describe, expect, it } from 'vitest';
import { pack, unpack } from './packed.ts';

const names = new Set(['history', 'audit']);
const sentence = 'Bob approved the plan e55e8d4632f48140. ';
const item = { status: 'running', history: [{ text: sentence.repeat(50) }], audit: { seq: 3, hash: 'ü€𝄞' } };

describe('packing', () => {
  it('gives back what it was given, and leaves the rest readable', () => {
    const packed = pack(item, names);
    expect(Object.keys(packed).sort()).toEqual(['packed', 'status']);
    expect(unpack(packed)).toEqual(item);
  });

  it('makes much less of it', () => {
    expect(pack(item, names).packed.length).toBeLessThan(200);
  });

  it('reads an item that was written before there was any packing', () => {
    expect(unpack(item)).toEqual(item);
  });

  it('leaves out what is not there', () => {
    expect(unpack(pack({ status: 'queued', audit: undefined }, names))).toEqual({ status: 'queued' });
  });

  it('throws for what is no packed text', () => {
    expect(() => unpack({ packed: Uint8Array.of(255, 255) })).toThrow();
  });
});
