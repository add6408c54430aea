/** Two planners as one: the model's while it works, the fixed rules for commands and whenever it does not. */
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import type { Planner, Reply } from './planner.ts';

/** How long a model that was down or throttled is left alone, in milliseconds, so that nobody waits for it in vain. */
const REST_MS = 20_000;

/** Why the fixed rules answer, in one line for the person. */
function noteOn(error: unknown): string {
  const code = error instanceof FerryError ? error.code : 'internal';
  switch (code) {
    case 'limit_exceeded':
      return 'The language model is over its limit, so I read this by fixed rules.';
    case 'timeout':
      return 'The language model took too long, so I read this by fixed rules.';
    case 'throttled':
      return 'The language model is busy, so I read this by fixed rules.';
    default:
      return 'The language model is not available, so I read this by fixed rules.';
  }
}

const isDown = (error: unknown): boolean =>
  error instanceof FerryError &&
  (error.code === 'unavailable' ||
    error.code === 'throttled' ||
    error.code === 'timeout' ||
    error.code === 'not_allowed');

/** @param deps.now epoch milliseconds */
export function createFallbackPlanner(deps: {
  model: Planner;
  commands: Planner;
  now: () => number;
  log: Logger;
}): Planner {
  const { model, commands, now, log } = deps;
  let resting: { until: number; note: string } | undefined;

  return {
    name: 'bedrock',
    async plan(turn, signal) {
      if (turn.command) return commands.plan(turn, signal);
      const noted = async (note: string): Promise<Reply> => ({
        ...(await commands.plan(turn, signal)),
        note,
      });
      if (resting && now() < resting.until) return noted(resting.note);
      try {
        const reply = await model.plan(turn, signal);
        resting = undefined;
        return reply;
      } catch (error) {
        // The turn itself is over: its time is up, or the bot stops.
        signal.throwIfAborted();
        log.warn({ err: error, event: turn.key }, 'the model could not answer, fixed rules do');
        const note = noteOn(error);
        if (isDown(error)) resting = { until: now() + REST_MS, note };
        return noted(note);
      }
    },
  };
}
