import { describe, expect, it } from 'vitest';
import { forecast } from './forecast.ts';
import type { LearningRow } from './stores/learning-store.ts';

/** A row of successes at these throughputs (bytes a second) of 1,000,000 bytes each, and of failures. */
function row(throughputs: number[], failures = 0): LearningRow {
  const logs = throughputs.map(Math.log);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    count: throughputs.length + failures,
    successes: throughputs.length,
    failures,
    seconds: sum(throughputs.map((it) => 1e6 / it)),
    bytes: 1e6 * throughputs.length,
    throughputs: throughputs.length,
    lnThroughput: sum(logs),
    lnThroughputSquares: sum(logs.map((it) => it * it)),
  };
}
const steady = (count: number, throughput = 1e6) => row(Array(count).fill(throughput));

describe('a forecast', () => {
  it('does not exist without a success', () => {
    expect(forecast(undefined, undefined, 100)).toBeUndefined();
    expect(forecast(row([], 3), row([], 3), 100)).toBeUndefined();
  });

  it('divides the bytes by the usual throughput', () => {
    expect(forecast(steady(10), undefined, 5e6)?.seconds).toBeCloseTo(5);
  });

  it('takes the middle of fast and slow as their ratio has it, and an interval that holds both', () => {
    const seen = forecast(row([1e5, 1e7, 1e5, 1e7, 1e5, 1e7]), undefined, 1e6);
    expect(seen?.seconds).toBeCloseTo(1);
    expect(seen?.lowSeconds).toBeLessThan(0.1);
    expect(seen?.highSeconds).toBeGreaterThan(10);
  });

  it('is narrow after many alike, wide after one', () => {
    const width = (count: number) => {
      const seen = forecast(steady(count), undefined, 1e6);
      return seen ? seen.highSeconds / seen.lowSeconds : Number.NaN;
    };
    expect(width(50)).toBeLessThan(1.2);
    expect(width(1)).toBeGreaterThan(4);
  });

  it('asks all destinations until the one at hand has five successes', () => {
    const others = steady(40, 1e6);
    expect(forecast(steady(4, 1e3), others, 1e6)).toMatchObject({ seconds: expect.closeTo(1), samples: 40 });
    expect(forecast(steady(5, 1e3), others, 1e6)).toMatchObject({
      seconds: expect.closeTo(1_000),
      samples: 5,
    });
  });

  it('begins at even odds and lets what was seen move them', () => {
    const rate = (own?: LearningRow, prior?: LearningRow) => forecast(own, prior ?? own, 1)?.successRate;
    expect(forecast(undefined, steady(1), 1)?.successRate).toBeCloseTo(0.6);
    expect(rate(steady(100))).toBeGreaterThan(0.97);
    expect(rate(row(Array(50).fill(1e6), 50), steady(1_000))).toBeCloseTo(0.52, 1);
    const good = rate(row([1e6], 4), steady(1_000)) ?? Number.NaN;
    expect(good).toBeGreaterThan(0.2);
    expect(good).toBeLessThan(0.7);
  });

  it('of an empty file is the usual time of its like', () => {
    expect(forecast(steady(5), undefined, 0)).toMatchObject({ seconds: 1, lowSeconds: 0.5, highSeconds: 2 });
  });

  it('never has more than its ends allow: low ≤ expected ≤ high', () => {
    for (const seen of [forecast(steady(1), undefined, 1), forecast(row([1, 1e9]), undefined, 1e12)]) {
      if (!seen) throw new Error('no forecast');
      expect(seen.lowSeconds).toBeLessThanOrEqual(seen.seconds);
      expect(seen.seconds).toBeLessThanOrEqual(seen.highSeconds);
    }
  });
});
