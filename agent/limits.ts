/** What one turn of the model may use, and one person in a day. */

export interface ModelLimits {
  /** Answers of the model. */
  readonly steps: number;
  /** Calls of tools, over all steps. */
  readonly calls: number;
  /** Tokens of all kinds, over all steps. */
  readonly turnTokens: number;
  /** Milliseconds. */
  readonly turnMs: number;
  /** Tokens of one person from midnight to midnight, UTC. */
  readonly dayTokens: number;
}

export const DEFAULT_LIMITS: ModelLimits = {
  steps: 8,
  calls: 20,
  turnTokens: 100_000,
  turnMs: 40_000,
  dayTokens: 500_000,
};
