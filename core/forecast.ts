/** What to expect of a transfer, from how earlier ones of its kind went. Pure. */
import { betaQuantile } from './beta.ts';
import { type LearningRow, periodOf } from './stores/learning-store.ts';
import type { Transfer } from './transfer.ts';

export type Forecast = NonNullable<Transfer['forecast']>;

/** How many transfers the wider view weighs against what was seen more closely. */
const BELIEF = 4;
/** 95 % quantile of a normal distribution: what ends an interval of 90 %. */
const Z95 = 1.6449;
/** Spread of ln(throughput) to assume while it cannot be measured: a factor of two either way. */
const UNKNOWN_SPREAD = Math.LN2;
/** No interval is narrower than 5 % either way. */
const LEAST_SPREAD = 0.05;
/** Periods after which what was seen weighs half: links and servers change. */
const HALF_LIFE = 2;

/** Throughputs as a normal distribution of their logarithms, and how many observations it is worth. */
interface View {
  readonly weight: number;
  readonly mean: number;
  readonly variance: number;
}

function view(weight: number, worth: number, sum: number, squares: number): View {
  const mean = sum / weight;
  const variance = Math.max(0, squares / weight - mean * mean);
  return { weight: worth, mean, variance: worth > 1 ? (variance * worth) / (worth - 1) : 0 };
}

const overall = ({ throughputs, lnThroughput, lnThroughputSquares }: LearningRow): View =>
  view(throughputs, throughputs, lnThroughput, lnThroughputSquares);

/** The same with older periods weighing less; worth as many observations as would be as certain (Kish). */
function lately({ recent }: LearningRow, now: number): View | undefined {
  let [weight, squaredWeight, sum, squares] = [0, 0, 0, 0];
  for (const one of recent) {
    const share = 0.5 ** (Math.max(0, periodOf(now) - one.period) / HALF_LIFE);
    weight += share * one.count;
    squaredWeight += share * share * one.count;
    sum += share * one.ln;
    squares += share * one.lnSquares;
  }
  // What is years old weighs nothing any more.
  return weight > 1e-6 ? view(weight, (weight * weight) / squaredWeight, sum, squares) : undefined;
}

/**
 * How far the latest periods are to be believed against the whole history: not at all while chance alone explains how
 * they differ, and nearly fully once it does not. Leaning on few recent transfers for nothing only adds their noise.
 */
function moved(wide: View, close: View | undefined): View {
  if (!close || close.weight === 0 || wide.variance === 0) return shrunk(wide, close);
  const chance = wide.variance * (1 / close.weight + 1 / Math.max(1, wide.weight));
  const own = Math.max(0, 1 - chance / (close.mean - wide.mean) ** 2);
  const leaned = shrunk(wide, close);
  return {
    ...leaned,
    weight: own * leaned.weight + (1 - own) * wide.weight,
    mean: own * leaned.mean + (1 - own) * wide.mean,
    variance: own * leaned.variance + (1 - own) * wide.variance,
  };
}

/** Histories of at least this many transfers tell how lopsided they are as much as chance does. */
const LOPSIDED = 20;
/** The middle is never moved further than this share of the spread. */
const MOST_MOVED = 0.3;

/**
 * From the mean of the logarithms to their median: where one transfer in ten is far slower, the mean is lower than what
 * most of them reach. First term of the expansion of Cornish and Fisher, from the third moment.
 */
function toMedian(row: LearningRow | undefined): number {
  if (!row || row.throughputs < 3 || row.lnThroughputCubes === 0) return 0;
  const count = row.throughputs;
  const mean = row.lnThroughput / count;
  const second = row.lnThroughputSquares / count;
  const variance = second - mean * mean;
  if (variance <= LEAST_SPREAD ** 2) return 0;
  const third = row.lnThroughputCubes / count - 3 * mean * second + 2 * mean ** 3;
  const most = MOST_MOVED * Math.sqrt(variance);
  const shift = -third / (6 * variance);
  return Math.max(-most, Math.min(most, shift)) * (count / (count + LOPSIDED));
}

/** What was seen closely, shrunk to the wider view while it is little. */
function shrunk(wide: View, close: View | undefined): View {
  if (!close || close.weight === 0) return wide;
  const belief = Math.min(BELIEF, Math.max(wide.weight, 1));
  const weight = close.weight + belief;
  const own = close.weight / weight;
  return {
    weight,
    mean: own * close.mean + (1 - own) * wide.mean,
    variance: own * close.variance + (1 - own) * wide.variance,
  };
}

/** Quantile of Student's t by the expansion of Cornish and Fisher. Abramowitz and Stegun, 26.7.5. */
function t95(freedom: number): number {
  const z = Z95;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

/** A Beta belief about the rate of success, with the wider view as what was believed before. */
function belief(own: LearningRow | undefined, prior: LearningRow | undefined) {
  // With no history at all, one knows nothing: half of the first belief is success.
  const before = ((prior?.successes ?? 0) + BELIEF / 2) / ((prior?.count ?? 0) + BELIEF);
  const a = (own?.successes ?? 0) + BELIEF * before;
  const b = (own?.failures ?? 0) + BELIEF * (1 - before);
  return {
    successRate: a / (a + b),
    successLow: betaQuantile(0.05, a, b),
    successHigh: betaQuantile(0.95, a, b),
  };
}

/**
 * Duration (log-normal throughput, with the interval that nine of ten transfers fall into) and rate of success
 * (with the interval that it lies in with 90 %). A destination with little history of its own leans on the sums over
 * all, and its latest weeks lean on its whole history. The rows are those of the transfer's own size category.
 *
 * @param own sums of the destination
 * @param prior sums over all destinations
 * @param bytes how much is to be moved
 * @param now epoch milliseconds
 * @returns undefined when no transfer of this size ever succeeded
 */
export function forecast(
  own: LearningRow | undefined,
  prior: LearningRow | undefined,
  bytes: number,
  now: number,
): Forecast | undefined {
  const rows = [own, prior].filter((row) => row !== undefined && row.successes > 0);
  const [row] = rows;
  if (!row) return undefined;
  const count = own?.count ?? 0;
  const common = {
    ...belief(own, prior),
    samples: count > 0 ? count : row.count,
    elsewhere: count > 0 ? Math.max(0, (prior?.count ?? count) - count) : 0,
  };
  const timed = rows.find((one) => one !== undefined && one.throughputs > 0);
  if (bytes === 0 || !timed) {
    const seconds = row.seconds / row.successes;
    return { seconds, lowSeconds: seconds / 2, highSeconds: seconds * 2, ...common };
  }
  const pool = prior && prior.throughputs > 0 ? overall(prior) : undefined;
  const base: View = {
    weight: pool?.weight ?? 1,
    mean: pool?.mean ?? overall(timed).mean,
    variance: pool && pool.weight > 2 ? pool.variance : UNKNOWN_SPREAD ** 2,
  };
  const whole = own && own.throughputs > 0 ? shrunk(base, overall(own)) : base;
  const { mean, variance, weight } = moved(whole, own && lately(own, now));
  const spread = Math.max(LEAST_SPREAD, Math.sqrt(variance * (1 + 1 / weight)));
  const factor = Math.exp(t95(Math.max(2, weight - 1)) * spread);
  const seconds = bytes / Math.exp(mean + toMedian(own));
  return { seconds, lowSeconds: seconds / factor, highSeconds: seconds * factor, ...common };
}
