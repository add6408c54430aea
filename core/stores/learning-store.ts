/** AgentLearning: how transfers went, as counts and sums that many processes add to at once. */
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { SizeCategory } from '../size-category.ts';
import { fromItem, storeFault } from './items.ts';

const count = z.number().int().nonnegative().default(0);
const sum = z.number().default(0);

/** Sums over the successes are in seconds, bytes, and the natural logarithm of bytes a second. */
const learningRowSchema = z.object({
  count,
  successes: count,
  failures: count,
  seconds: sum,
  bytes: sum,
  /** Successes that moved bytes: only they have a throughput. */
  throughputs: count,
  lnThroughput: sum,
  lnThroughputSquares: sum,
  lnThroughputCubes: sum,
});

/** Throughputs of one period, so that a reader can let older ones weigh less; still nothing but sums. */
export interface PeriodSums {
  /** Counts periods of 14 days since 1970. */
  readonly period: number;
  readonly count: number;
  readonly ln: number;
  readonly lnSquares: number;
}
export type LearningRow = z.infer<typeof learningRowSchema> & {
  /** Latest first. */
  readonly recent: readonly PeriodSums[];
};

const PERIOD_MS = 14 * 24 * 3_600_000;
/** Periods that are read: beyond a year they weigh next to nothing. */
const MAX_PERIODS = 26;

/** @param at epoch milliseconds */
export const periodOf = (at: number): number => Math.floor(at / PERIOD_MS);

const periodName = /^p(\d+)_(count|ln|ln_squares)$/;

function recentOf(item: Readonly<Record<string, unknown>>): PeriodSums[] {
  const periods = new Map<number, { count: number; ln: number; lnSquares: number }>();
  for (const [name, value] of Object.entries(item)) {
    const [, period, what] = periodName.exec(name) ?? [];
    if (period === undefined) continue;
    const sums = periods.get(Number(period)) ?? { count: 0, ln: 0, lnSquares: 0 };
    sums[what === 'count' ? 'count' : what === 'ln' ? 'ln' : 'lnSquares'] = Number(value);
    periods.set(Number(period), sums);
  }
  return [...periods]
    .map(([period, sums]) => ({ period, ...sums }))
    .sort((a, b) => b.period - a.period)
    .slice(0, MAX_PERIODS);
}

/** One ended transfer. `seconds` and `bytes` count only when it succeeded. */
export interface LearningSample {
  readonly succeeded: boolean;
  readonly seconds: number;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface LearningStore {
  /** Adds one transfer to a row, atomically. Not idempotent: the caller sees to it that each is added once. */
  add(transferType: string, category: SizeCategory, sample: LearningSample): Promise<void>;
  /** The row, or undefined when nothing was ever added to it. */
  get(transferType: string, category: SizeCategory): Promise<LearningRow | undefined>;
}

/** Short decimals, so that the server's sums stay within DynamoDB's 38 digits however many are added. */
const rounded = (value: number) => Number(value.toFixed(6));

function increments({ succeeded, seconds, bytes, at }: LearningSample): Record<string, number> {
  if (!succeeded) return { count: 1, failures: 1 };
  const increment = { count: 1, successes: 1, seconds: rounded(seconds), bytes };
  if (bytes <= 0 || seconds <= 0) return increment;
  const ln = Math.log(bytes / seconds);
  return {
    ...increment,
    throughputs: 1,
    ln_throughput: rounded(ln),
    ln_throughput_squares: rounded(ln * ln),
    ln_throughput_cubes: rounded(ln ** 3),
    [`p${periodOf(at)}_count`]: 1,
    [`p${periodOf(at)}_ln`]: rounded(ln),
    [`p${periodOf(at)}_ln_squares`]: rounded(ln * ln),
  };
}

export function createLearningStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
}): LearningStore {
  const { client } = options;
  const TableName = `${options.tablePrefix}AgentLearning`;
  const keyOf = (transferType: string, category: SizeCategory) => ({
    transfer_type: transferType,
    size_category: category,
  });
  const fail = (error: unknown): never => {
    throw storeFault(error);
  };

  return {
    async add(transferType, category, sample) {
      const added = Object.entries(increments(sample));
      await client
        .send(
          new UpdateCommand({
            TableName,
            Key: keyOf(transferType, category),
            UpdateExpression: `ADD ${added.map(([name]) => `#${name} :${name}`).join(', ')}`,
            ExpressionAttributeNames: Object.fromEntries(added.map(([name]) => [`#${name}`, name])),
            ExpressionAttributeValues: Object.fromEntries(added.map(([name, by]) => [`:${name}`, by])),
          }),
        )
        .catch(fail);
    },

    async get(transferType, category) {
      const { Item } = await client
        .send(new GetCommand({ TableName, Key: keyOf(transferType, category) }))
        .catch(fail);
      return Item ? { ...learningRowSchema.parse(fromItem(Item)), recent: recentOf(Item) } : undefined;
    },
  };
}
