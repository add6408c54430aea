import { describe, expect, it } from 'vitest';
import { forecast as forecastAt } from './forecast.ts';
import type { LearningRow, PeriodSums } from './stores/learning-store.ts';

const forecast = (own: LearningRow | undefined, prior: LearningRow | undefined, bytes: number) =>
  forecastAt(own, prior, bytes, 0);

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
    lnThroughputCubes: sum(logs.map((it) => it ** 3)),
    recent: [],
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
    expect(width(500)).toBeLessThan(1.6);
    expect(width(50)).toBeLessThan(width(5));
    expect(width(1)).toBeGreaterThan(4);
  });

  it('leans on all destinations while its own history is short, and says on what it rests', () => {
    const others = steady(40, 1e6);
    const seconds = [0, 1, 4, 20, 200].map(
      (count) => forecast(steady(count, 1e3), others, 1e6)?.seconds ?? 0,
    );
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
    expect(seconds[0]).toBeCloseTo(1);
    expect(seconds[4]).toBeGreaterThan(800);
    expect(forecast(undefined, others, 1e6)).toMatchObject({ samples: 40, elsewhere: 0 });
    expect(forecast(steady(4, 1e3), others, 1e6)).toMatchObject({ samples: 4, elsewhere: 36 });
  });

  it('lets the latest weeks weigh more than those long past', () => {
    const sums = (period: number, throughput: number): PeriodSums => ({
      period,
      count: 20,
      ln: 20 * Math.log(throughput),
      lnSquares: 20 * Math.log(throughput) ** 2,
    });
    const slower = {
      ...row([...Array(20).fill(1e6), ...Array(20).fill(1e5)]),
      recent: [sums(10, 1e5), sums(0, 1e6)],
    };
    const DAYS = 86_400_000;
    expect(forecastAt(slower, slower, 1e6, 10 * 14 * DAYS)?.seconds).toBeGreaterThan(6);
    expect(forecastAt({ ...slower, recent: [] }, slower, 1e6, 0)?.seconds).toBeCloseTo(Math.sqrt(10), 1);
  });

  it('gives the rate of success with an interval that narrows', () => {
    const few = forecast(steady(4), steady(4), 1);
    const many = forecast(row(Array(190).fill(1e6), 10), row(Array(190).fill(1e6), 10), 1);
    if (!few || !many) throw new Error('no forecast');
    for (const { successLow = 0, successRate, successHigh = 0 } of [few, many]) {
      expect(successLow).toBeLessThan(successRate);
      expect(successRate).toBeLessThan(successHigh);
    }
    expect((few.successHigh ?? 0) - (few.successLow ?? 0)).toBeGreaterThan(0.2);
    expect((many.successHigh ?? 0) - (many.successLow ?? 0)).toBeLessThan(0.07);
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
