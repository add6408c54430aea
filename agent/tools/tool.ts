/** What a tool of the model is: a checked input, a handler that acts with the asker's rights, a bounded result. */
import type { z } from 'zod';
import type { UserContext } from '../../core/stores/user-context-store.ts';
import type { Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import type { Evidence } from './evidence.ts';

/** What the tools of one turn share. */
export interface ToolContext {
  readonly deps: PlannerDeps;
  readonly turn: Turn;
  /** What the person said before, and nobody else. */
  readonly memory: UserContext;
  /** What may be acted upon: what the person said, and what listings showed. */
  readonly evidence: Evidence;
  readonly signal: AbortSignal;
}

export type ToolOutcome =
  /** Data for the model. Every string in it may be a stranger's. */
  | { readonly kind: 'data'; readonly data: unknown }
  /** Refused or impossible, in a sentence that the model may pass on. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The turn ends with this reply, whatever else the model had in mind. */
  | { readonly kind: 'reply'; readonly reply: Reply };

export interface Tool {
  readonly name: string;
  /** For the model: what it does, and when to use it. */
  readonly description: string;
  readonly input: z.ZodType;
  /** It changes something, so such calls run one after the other. */
  readonly acts: boolean;
  run(input: unknown, context: ToolContext): Promise<ToolOutcome>;
}

/** A tool whose handler takes what its schema gives; the schema is applied here, and nowhere else. */
export function defineTool<S extends z.ZodType>(tool: {
  name: string;
  description: string;
  input: S;
  acts?: boolean;
  run: (input: z.output<S>, context: ToolContext) => Promise<ToolOutcome> | ToolOutcome;
}): Tool {
  return {
    name: tool.name,
    description: tool.description,
    input: tool.input,
    acts: tool.acts ?? false,
    run: async (input, context) => tool.run(tool.input.parse(input), context),
  };
}

export const data = (value: unknown): ToolOutcome => ({ kind: 'data', data: value });
export const refused = (reason: string): ToolOutcome => ({ kind: 'refused', reason });
export const ends = (reply: Reply): ToolOutcome => ({ kind: 'reply', reply });

/** A planner's reply as a tool's outcome: what needs the person ends the turn, the rest goes to the model. */
export function fromReply(reply: Reply): ToolOutcome {
  if (reply.kind === 'refusal') return refused([reply.reason, reply.advice].filter(Boolean).join(' '));
  if (reply.kind === 'answer') return data({ answer: reply.text });
  return ends(reply);
}
