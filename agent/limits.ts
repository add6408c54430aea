/** What one turn of the model may use, and one person in a day; and what it costs. */
import type { Usage } from './model.ts';

/** US dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

/** In US dollars. Reading the cache costs a tenth of reading input, writing it a quarter more. */
export const costOf = ({ input, output, cacheRead, cacheWrite }: Usage, price: ModelPrice): number =>
  (input * price.input +
    output * price.output +
    cacheRead * price.input * 0.1 +
    cacheWrite * price.input * 1.25) /
  1e6;

export interface ModelLimits {
  /** Answers of the model. */
  readonly steps: number;
  /** Calls of tools, over all steps. */
  readonly calls: number;
  /** Tokens of all kinds, over all steps. */
  readonly turnTokens: number;
  /** US dollars, over all steps. */
  readonly turnUsd: number;
  /** Milliseconds. */
  readonly turnMs: number;
  /** Tokens of one person from midnight to midnight, UTC. */
  readonly dayTokens: number;
  /** US dollars of one person from midnight to midnight, UTC. */
  readonly dayUsd: number;
}

export const DEFAULT_LIMITS: ModelLimits = {
  steps: 8,
  calls: 20,
  turnTokens: 100_000,
  turnUsd: 1,
  turnMs: 40_000,
  dayTokens: 500_000,
  dayUsd: 10,
};
