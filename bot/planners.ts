/** Puts the planners together as the settings want them: the model's with its fallback, or the fixed rules alone. */
import type { Logger } from 'pino';
import { type BedrockModel, createBedrock } from '../agent/bedrock.ts';
import { createBedrockPlanner } from '../agent/bedrock-planner.ts';
import { createCommandsPlanner } from '../agent/commands/planner.ts';
import { createFallbackPlanner } from '../agent/fallback-planner.ts';
import { createMemoryPlanner } from '../agent/memory-planner.ts';
import type { Planner } from '../agent/planner.ts';
import type { PlannerDeps } from '../agent/ports.ts';
import type { BotConfig } from '../core/config.ts';
import type { UserContextStore } from '../core/stores/user-context-store.ts';

export interface Planners {
  readonly planner: Planner;
  close(): void;
}

export function createPlanners(
  env: BotConfig['env'],
  deps: PlannerDeps,
  around: { contexts: UserContextStore; now: () => number; log: Logger },
): Planners {
  const { contexts, now, log } = around;
  const { policy } = deps;
  const commands = createCommandsPlanner(deps);
  const remembering = (planner: Planner) => createMemoryPlanner({ planner, contexts, policy });
  if (!env.BEDROCK_ENABLED) return { planner: remembering(commands), close: () => {} };

  const endpoint = env.AWS_ENDPOINT_URL_BEDROCK_RUNTIME;
  const model: BedrockModel = createBedrock({
    region: env.BEDROCK_REGION ?? env.AWS_REGION,
    ...(endpoint ? { endpoint } : {}),
    modelId: env.BEDROCK_MODEL_ID,
    ...(env.BEDROCK_FALLBACK_MODEL_ID === 'none' ? {} : { fallbackModelId: env.BEDROCK_FALLBACK_MODEL_ID }),
    maxTokens: env.BEDROCK_MAX_TOKENS,
    cachePoints: env.BEDROCK_CACHE_POINTS,
    log,
  });
  const modelled = createBedrockPlanner({
    ...deps,
    model,
    contexts,
    limits: {
      steps: env.BEDROCK_TURN_STEPS,
      calls: env.BEDROCK_TURN_CALLS,
      turnTokens: env.BEDROCK_TURN_TOKENS,
      turnUsd: env.BEDROCK_TURN_USD,
      turnMs: env.BEDROCK_TURN_SECONDS * 1_000,
      dayTokens: env.BEDROCK_DAY_TOKENS,
      dayUsd: env.BEDROCK_DAY_USD,
    },
    price: { input: env.BEDROCK_PRICE_INPUT, output: env.BEDROCK_PRICE_OUTPUT },
    now,
    log,
  });
  return {
    planner: remembering(createFallbackPlanner({ model: modelled, commands, now, log })),
    close: () => model.close(),
  };
}
