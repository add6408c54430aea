/** The planner with a model: it reads, looks things up with tools, and proposes. It answers, or throws; nothing between. */
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import { transferIdFor } from '../core/ids.ts';
import { mayUse } from '../core/policy.ts';
import type { UserContextStore } from '../core/stores/user-context-store.ts';
import { costOf, type ModelLimits, type ModelPrice } from './limits.ts';
import { type Model, totalOf } from './model.ts';
import { shownModelText } from './model-text.ts';
import type { Planner, Reply, Turn } from './planner.ts';
import type { PlannerDeps } from './ports.ts';
import { messagesOf, SYSTEM_PROMPT } from './prompt.ts';
import { type LoopEnd, newMeter, runToolLoop } from './tool-loop.ts';
import { createEvidence } from './tools/evidence.ts';
import { TOOLBOX } from './tools/toolbox.ts';

export interface BedrockPlannerDeps extends PlannerDeps {
  readonly model: Model;
  readonly contexts: Pick<UserContextStore, 'get' | 'spentToday' | 'spend'>;
  readonly limits: ModelLimits;
  readonly price: ModelPrice;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
}

/** What is still being written may become an address, which is not to be shown. */
const wholeWords = (text: string): string => text.slice(0, text.search(/\S*$/));

function replyOf(end: LoopEnd): Reply {
  if (end.kind === 'text') {
    const text = shownModelText(end.text);
    if (text === '') {
      throw new FerryError('unavailable', { retryable: true, userMessage: "The model's answer was empty." });
    }
    return { kind: 'answer', text, personal: true };
  }
  if (end.dropped === 0) return end.reply;
  return {
    ...end.reply,
    note: 'I took the first of several requests; please ask for the others by themselves.',
  };
}

/**
 * @returns a planner whose `plan` throws a FerryError when the model cannot answer: down, throttled, over budget,
 * malformed or too slow
 */
export function createBedrockPlanner(deps: BedrockPlannerDeps): Planner {
  const { contexts, limits, log, now } = deps;

  async function plan(turn: Turn, outer: AbortSignal): Promise<Reply> {
    outer.throwIfAborted();
    const use = mayUse(deps.policy, turn.person);
    if (!use.allowed) return { kind: 'refusal', reason: use.reason };
    // A turn that runs again answers as it did, whatever the model would say now.
    const earlier = await deps.transfers.transferFor(turn.person, transferIdFor(turn.key, 0));
    if (earlier) return { kind: 'proposed', transferId: earlier.transferId };
    const { userId } = turn.person;
    const { draft } = turn;
    const spent = await contexts.spentToday(userId);
    if (spent.tokens >= limits.dayTokens || spent.usd >= limits.dayUsd) {
      throw new FerryError('limit_exceeded', {
        userMessage: 'Your share of the model is used up for today.',
      });
    }
    const tooSlow = new FerryError('timeout', { retryable: true, userMessage: 'The model took too long.' });
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(tooSlow), limits.turnMs);
    const signal = AbortSignal.any([outer, deadline.signal]);
    const memory = await contexts.get(userId);
    const meter = newMeter();
    const began = now();
    let outcome = 'failed';
    try {
      const end = await runToolLoop({
        model: deps.model,
        system: SYSTEM_PROMPT,
        messages: messagesOf(turn, memory),
        tools: TOOLBOX,
        context: { deps, turn, memory, evidence: createEvidence(turn, memory), signal },
        limits,
        price: deps.price,
        meter,
        ...(draft ? { onText: (text: string) => draft(shownModelText(wholeWords(text))) } : {}),
      });
      const reply = replyOf(end);
      outcome = reply.kind;
      const [only, ...others] = reply.kind === 'transfers' ? reply.transferIds : [];
      const transferId =
        reply.kind === 'proposed' ? reply.transferId : others.length === 0 ? only : undefined;
      if (transferId !== undefined) await deps.focus?.keep(turn, { transferId });
      return reply;
    } finally {
      clearTimeout(timer);
      const tokens = totalOf(meter.usage);
      log.info(
        {
          event: turn.key,
          user: userId,
          model: meter.modelId,
          ...meter.usage,
          tokens,
          costUsd: Number(costOf(meter.usage, deps.price).toFixed(6)),
          ms: now() - began,
          steps: meter.steps,
          tools: meter.tools,
          outcome,
        },
        'model turn',
      );
      if (tokens > 0) {
        await contexts
          .spend(userId, { tokens, usd: costOf(meter.usage, deps.price) })
          .catch((err: unknown) => log.warn({ err, user: userId }, 'could not count what a turn used'));
      }
    }
  }

  return { name: 'bedrock', plan };
}
