import { describe, expect, it } from 'vitest';
import { betaCdf, betaQuantile } from './beta.ts';

describe('the Beta distribution', () => {
  it('is the uniform one for 1, 1, and x to the a for a, 1', () => {
    expect(betaCdf(0.3, 1, 1)).toBeCloseTo(0.3, 10);
    expect(betaCdf(0.5, 3, 1)).toBeCloseTo(0.125, 10);
    expect(betaCdf(0.5, 2, 2)).toBeCloseTo(0.5, 10);
  });

  it('has quantiles that its probabilities agree with', () => {
    for (const [a, b] of [
      [0.5, 0.5],
      [2, 9],
      [97, 3],
      [4_000, 12],
    ] as const) {
      for (const p of [0.05, 0.5, 0.95]) expect(betaCdf(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 6);
    }
  });

  it('is narrow after much was seen', () => {
    expect(betaQuantile(0.95, 900, 100) - betaQuantile(0.05, 900, 100)).toBeLessThan(0.04);
    expect(betaQuantile(0.95, 9, 1) - betaQuantile(0.05, 9, 1)).toBeGreaterThan(0.2);
  });
});
