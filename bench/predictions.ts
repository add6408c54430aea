/**
 * How good predictions of durations are, on simulated histories with a fixed seed: steady, drifting, jumping, skewed
 * and sparse ones. The targets stand beside the results, and the exit code tells whether they were met.
 */
import { forecast } from '../core/forecast.ts';
import { type LearningRow, periodOf } from '../core/stores/learning-store.ts';

const SEED = 20_261_122;
const DAY = 86_400_000;
/** Outcomes count from here on: the target is stated for histories of at least 30. */
const WARM_UP = 30;
const RUNS = 60;

/** Mulberry32: small, fast and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Scenario {
  readonly name: string;
  readonly transfers: number;
  /** Days between two transfers. */
  readonly every: number;
  /** Natural logarithm of the throughput. */
  readonly lnThroughput: (share: number, normal: () => number, uniform: () => number) => number;
}

const BASE = Math.log(8e6);
const SCENARIOS: readonly Scenario[] = [
  { name: 'steady', transfers: 200, every: 1, lnThroughput: (_share, normal) => BASE + 0.4 * normal() },
  {
    name: 'drifting (2x slower over the history)',
    transfers: 200,
    every: 1,
    lnThroughput: (share, normal) => BASE - Math.LN2 * share + 0.4 * normal(),
  },
  {
    name: 'jumping (a new line, 1.6x, half-way)',
    transfers: 200,
    every: 1,
    lnThroughput: (share, normal) => BASE + (share > 0.5 ? 0.47 : 0) + 0.4 * normal(),
  },
  {
    name: 'skewed (one in ten 3x slower)',
    transfers: 200,
    every: 1,
    lnThroughput: (_share, normal, uniform) => BASE + 0.3 * normal() - (uniform() < 0.1 ? Math.log(3) : 0),
  },
  {
    name: 'drifting and skewed',
    transfers: 200,
    every: 1,
    lnThroughput: (share, normal, uniform) =>
      BASE - 0.6 * share + 0.35 * normal() - (uniform() < 0.08 ? Math.log(2.5) : 0),
  },
  {
    name: 'sparse (one a month)',
    transfers: 60,
    every: 30,
    lnThroughput: (_share, normal) => BASE + 0.4 * normal(),
  },
];

const EMPTY: LearningRow = {
  count: 0,
  successes: 0,
  failures: 0,
  seconds: 0,
  bytes: 0,
  throughputs: 0,
  lnThroughput: 0,
  lnThroughputSquares: 0,
  lnThroughputCubes: 0,
  recent: [],
};

/** What `AgentLearning` would add for one success. */
function added(row: LearningRow, seconds: number, bytes: number, at: number): LearningRow {
  const ln = Math.log(bytes / seconds);
  const period = periodOf(at);
  const [latest, ...older] = row.recent;
  const sums = latest?.period === period ? latest : { period, count: 0, ln: 0, lnSquares: 0 };
  const before = latest?.period === period ? older : row.recent;
  return {
    count: row.count + 1,
    successes: row.successes + 1,
    failures: 0,
    seconds: row.seconds + seconds,
    bytes: row.bytes + bytes,
    throughputs: row.throughputs + 1,
    lnThroughput: row.lnThroughput + ln,
    lnThroughputSquares: row.lnThroughputSquares + ln * ln,
    lnThroughputCubes: row.lnThroughputCubes + ln ** 3,
    recent: [
      { period, count: sums.count + 1, ln: sums.ln + ln, lnSquares: sums.lnSquares + ln * ln },
      ...before,
    ].slice(0, 26),
  };
}

const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

interface Result {
  readonly coverage: number;
  /** Median of |predicted − actual| / actual. */
  readonly error: number;
  /** The same for the mean of the durations so far; and, knowing the size, for the mean of the throughputs so far. */
  readonly naive: number;
  readonly naiveRate: number;
}

function simulate(scenario: Scenario, seed: number): Result {
  const uniform = generator(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const errors: number[] = [];
  const naiveErrors: number[] = [];
  const rateErrors: number[] = [];
  let covered = 0;
  for (let run = 0; run < RUNS; run += 1) {
    let row = EMPTY;
    // Another destination, somewhat slower, that the common sums hold as well.
    let all = EMPTY;
    let rates = 0;
    for (let index = 0; index < scenario.transfers; index += 1) {
      const at = index * scenario.every * DAY;
      const bytes = 1e8 * (1 + 8 * uniform());
      const share = index / scenario.transfers;
      const seconds = bytes / Math.exp(scenario.lnThroughput(share, normal, uniform));
      const seen = forecast(row, all, bytes, at);
      if (seen && index >= WARM_UP) {
        if (seen.lowSeconds <= seconds && seconds <= seen.highSeconds) covered += 1;
        errors.push(Math.abs(seen.seconds - seconds) / seconds);
        naiveErrors.push(Math.abs(row.seconds / row.successes - seconds) / seconds);
        rateErrors.push(Math.abs(bytes / (rates / row.successes) - seconds) / seconds);
      }
      row = added(row, seconds, bytes, at);
      rates += bytes / seconds;
      all = added(added(all, seconds, bytes, at), bytes / Math.exp(BASE - 0.7 + 0.5 * normal()), bytes, at);
    }
  }
  return {
    coverage: covered / errors.length,
    error: median(errors),
    naive: median(naiveErrors),
    naiveRate: median(rateErrors),
  };
}

let met = true;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`.padStart(8);
process.stdout.write(
  `Predictions after ${WARM_UP} transfers, ${RUNS} histories each, seed ${SEED}; errors are medians\n\n` +
    `${'history'.padEnd(40)}  coverage     error  mean duration  mean rate\n` +
    `${'target'.padEnd(40)}   85–95 %            above error   for comparison\n`,
);
for (const [index, scenario] of SCENARIOS.entries()) {
  const { coverage, error, naive, naiveRate } = simulate(scenario, SEED + index);
  const good = coverage >= 0.85 && coverage <= 0.95 && error < naive;
  met &&= good;
  process.stdout.write(
    `${scenario.name.padEnd(40)}  ${percent(coverage)}  ${percent(error)}       ${percent(naive)}   ${percent(naiveRate)}  ${good ? 'met' : 'MISSED'}\n`,
  );
}
process.exitCode = met ? 0 : 1;
