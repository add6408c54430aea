/** The loop between model and tools: every request answered once, everything bounded, until the model or a tool ends the turn. */
import { z } from 'zod';
import { FerryError } from '../core/errors.ts';
import type { ContentBlock, Message } from './bedrock.ts';
import { costOf, type ModelLimits, type ModelPrice } from './limits.ts';
import { type Model, type ModelAnswer, type ToolSpec, totalOf, type Usage } from './model.ts';
import type { Reply } from './planner.ts';
import { boundedJson } from './tools/bounded-json.ts';
import type { Tool, ToolContext, ToolOutcome } from './tools/tool.ts';

/** What a turn used, counted as it goes, so that it is known also when the turn fails. */
export interface Meter {
  usage: Usage;
  steps: number;
  /** Names of the tools that were called, in order. */
  tools: string[];
  modelId?: string;
}

export const newMeter = (): Meter => ({
  usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  steps: 0,
  tools: [],
});

type ToolUse = NonNullable<ContentBlock['toolUse']>;

export type LoopEnd =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'reply';
      readonly reply: Reply /** Calls of the same tool that were not made. */;
      readonly dropped: number;
    };

const specsOf = (tools: readonly Tool[]): ToolSpec[] =>
  tools.map(({ name, description, input }) => ({
    name,
    description,
    inputSchema: z.toJSONSchema(input, { io: 'input' }),
  }));

const limit = (what: string) =>
  new FerryError('limit_exceeded', { userMessage: `The model used up its ${what} for one turn.` });

/** An answer that cannot be used, for want of anything to say or to do. */
const malformed = (why: string) =>
  new FerryError('unavailable', { retryable: true, userMessage: `The model's answer ${why}.` });

function count(meter: Meter, { usage, modelId }: ModelAnswer): void {
  const before = meter.usage;
  meter.steps += 1;
  meter.modelId = modelId;
  meter.usage = {
    input: before.input + usage.input,
    output: before.output + usage.output,
    cacheRead: before.cacheRead + usage.cacheRead,
    cacheWrite: before.cacheWrite + usage.cacheWrite,
  };
}

const textOf = (content: readonly ContentBlock[]): string =>
  content
    .flatMap(({ text }) => (text === undefined ? [] : [text]))
    .join('\n')
    .trim();

const failed = (toolUse: ToolUse, text: string): ContentBlock => ({
  toolResult: { toolUseId: toolUse.toolUseId, status: 'error', content: [{ text }] },
});

/** Text, not `json`: the same everywhere, and bounded by us. */
function resultOf(toolUse: ToolUse, outcome: Exclude<ToolOutcome, { kind: 'reply' }>): ContentBlock {
  return outcome.kind === 'refused'
    ? failed(toolUse, boundedJson({ refused: outcome.reason }, 2_000))
    : { toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: boundedJson(outcome.data) }] } };
}

/** One call: input checked, faults of expected kinds told to the model. */
async function call(
  tools: readonly Tool[],
  toolUse: ToolUse,
  context: ToolContext,
): Promise<ContentBlock | Extract<ToolOutcome, { kind: 'reply' }>> {
  const tool = tools.find(({ name }) => name === toolUse.name);
  if (!tool) return failed(toolUse, 'There is no such tool.');
  const input = tool.input.safeParse(toolUse.input);
  if (!input.success)
    return failed(toolUse, `Invalid input:\n${z.prettifyError(input.error)}`.slice(0, 2_000));
  try {
    const outcome = await tool.run(toolUse.input, context);
    return outcome.kind === 'reply' ? outcome : resultOf(toolUse, outcome);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof FerryError) return resultOf(toolUse, { kind: 'refused', reason: error.userMessage });
    throw error;
  }
}

/** All calls of one answer: looks at the same time, acts one after the other, results in the order of the calls. */
async function callAll(
  tools: readonly Tool[],
  uses: readonly ToolUse[],
  context: ToolContext,
): Promise<{ results: ContentBlock[] } | { reply: Reply; dropped: number }> {
  const acts = (use: ToolUse) => tools.some(({ name, acts }) => acts && name === use.name);
  const results = new Map<ToolUse, Awaited<ReturnType<typeof call>>>();
  await Promise.all(
    uses.filter((use) => !acts(use)).map(async (use) => results.set(use, await call(tools, use, context))),
  );
  const acting = uses.filter(acts);
  for (const [index, use] of acting.entries()) {
    const result = await call(tools, use, context);
    if ('kind' in result) return { reply: result.reply, dropped: acting.length - index - 1 };
    results.set(use, result);
  }
  const blocks: ContentBlock[] = [];
  for (const use of uses) {
    const result = results.get(use);
    if (!result) continue;
    if ('kind' in result) return { reply: result.reply, dropped: 0 };
    blocks.push(result);
  }
  return { results: blocks };
}

/**
 * Talks with the model until the turn is done.
 *
 * @param options.onText told the text of each answer as it comes, also of those that go on to call tools
 * @param options.messages history and the person's message, ending with a user turn
 * @throws FerryError when the model fails or a limit is reached; the signal's reason
 */
export async function runToolLoop(options: {
  model: Model;
  system: string;
  messages: readonly Message[];
  tools: readonly Tool[];
  context: ToolContext;
  limits: ModelLimits;
  price: ModelPrice;
  meter: Meter;
  onText?: (text: string) => void;
}): Promise<LoopEnd> {
  const { model, system, tools, context, limits, meter } = options;
  const messages: Message[] = [...options.messages];
  const specs = specsOf(tools);
  let calls = 0;
  for (;;) {
    if (meter.steps >= limits.steps) throw limit('steps');
    if (totalOf(meter.usage) >= limits.turnTokens) throw limit('tokens');
    if (costOf(meter.usage, options.price) >= limits.turnUsd) throw limit('budget');
    const answer = await model.converse({ system, messages, tools: specs }, context.signal, options.onText);
    count(meter, answer);
    const content = [...answer.content];
    const uses = content.flatMap(({ toolUse }) => (toolUse ? [toolUse] : []));
    const text = textOf(content);

    if (answer.stopReason === 'end_turn' || answer.stopReason === 'stop_sequence') {
      if (text === '') throw malformed('was empty');
      return { kind: 'text', text };
    }
    if (answer.stopReason === 'max_tokens' && uses.length === 0 && text !== '') {
      return { kind: 'text', text: `${text} …` };
    }
    if ((answer.stopReason !== 'tool_use' && answer.stopReason !== 'max_tokens') || uses.length === 0) {
      throw malformed(`ended with ${answer.stopReason}`);
    }
    calls += uses.length;
    if (calls > limits.calls) throw limit('calls of tools');
    // As it came, reasoning included: the provider checks that nothing is missing.
    messages.push({ role: 'assistant', content });
    if (
      answer.stopReason === 'max_tokens' ||
      uses.some(({ toolUseId }) => answer.broken.has(toolUseId ?? ''))
    ) {
      const why = 'Not run: the answer was cut off. Ask for less at once.';
      messages.push({ role: 'user', content: uses.map((use) => failed(use, why)) });
      continue;
    }
    meter.tools.push(...uses.map(({ name }) => name ?? '?'));
    const outcome = await callAll(tools, uses, context);
    if ('reply' in outcome) return { kind: 'reply', ...outcome };
    messages.push({ role: 'user', content: outcome.results });
  }
}
