/** What to expect of a transfer, from how earlier ones of its kind went. Pure. */
import type { LearningRow } from './stores/learning-store.ts';
import type { Transfer } from './transfer.ts';

export type Forecast = NonNullable<Transfer['forecast']>;

/** Successes from which a destination speaks for itself; below, the sums over all destinations help out. */
const ENOUGH = 5;
/** How many transfers the belief about the success rate weighs before anything was seen. */
const BELIEF = 4;
/** Half-width of an 80 % interval of a normal distribution, in standard deviations. */
const Z80 = 1.2816;
/** Spread of ln(throughput) to assume while it cannot be measured: a factor of two either way. */
const UNKNOWN_SPREAD = Math.LN2;

const rateOf = (row: LearningRow | undefined, belief: number) =>
  ((row?.successes ?? 0) + BELIEF * belief) / ((row?.count ?? 0) + BELIEF);

/** Standard deviation of ln(throughput), from its sums; never narrower than 5 %. */
function spreadOf(row: LearningRow): number {
  if (row.throughputs < 2) return UNKNOWN_SPREAD;
  const mean = row.lnThroughput / row.throughputs;
  const variance = (row.lnThroughputSquares - row.throughputs * mean * mean) / (row.throughputs - 1);
  return Math.max(0.05, Math.sqrt(Math.max(0, variance)));
}

/**
 * Duration (log-normal throughput, with the interval that eight of ten transfers fall into) and rate of success
 * (a Beta belief that observations move). The rows are those of the transfer's own size category.
 *
 * @param own sums of the destination
 * @param prior sums over all destinations
 * @param bytes how much is to be moved
 * @returns undefined when no transfer of this size ever succeeded
 */
export function forecast(
  own: LearningRow | undefined,
  prior: LearningRow | undefined,
  bytes: number,
): Forecast | undefined {
  const row = (own?.successes ?? 0) >= ENOUGH ? own : (prior ?? own);
  if (!row || row.successes === 0) return undefined;
  // Half of the first belief is success: with no history at all one knows nothing.
  const successRate = rateOf(own, rateOf(prior, 0.5));
  const samples = row.count;
  if (bytes === 0 || row.throughputs === 0) {
    const seconds = row.seconds / row.successes;
    return { seconds, lowSeconds: seconds / 2, highSeconds: seconds * 2, successRate, samples };
  }
  const seconds = bytes / Math.exp(row.lnThroughput / row.throughputs);
  const factor = Math.exp(Z80 * spreadOf(row) * Math.sqrt(1 + 1 / row.throughputs));
  return { seconds, lowSeconds: seconds / factor, highSeconds: seconds * factor, successRate, samples };
}
