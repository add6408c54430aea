/** The model port: messages and tools in, one whole message out. Its shapes are those of Bedrock's Converse API. */
import type { ContentBlock, Message } from './bedrock.ts';

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the input. */
  readonly inputSchema: unknown;
}

export interface ModelRequest {
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
}

/** Tokens as the model's provider counts them. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export interface ModelAnswer {
  /** Whole and in order; reasoning is kept verbatim, because the provider checks its signature. */
  readonly content: readonly ContentBlock[];
  /** As Bedrock names it: `end_turn`, `tool_use`, `max_tokens` and others. */
  readonly stopReason: string;
  readonly usage: Usage;
  /** The model that answered. */
  readonly modelId: string;
  /** Tool uses whose input never became whole JSON, by id; they must not run. */
  readonly broken: ReadonlySet<string>;
}

export interface Model {
  /**
   * One answer. A model that is throttled or down is replaced by the fallback model, if there is one.
   *
   * @param onText told the answer's text as far as it has come; anew from its beginning when another model takes over
   * @throws FerryError `throttled`, `unavailable`, `timeout`, `not_allowed`, `bad_input`; the signal's reason
   */
  converse(request: ModelRequest, signal: AbortSignal, onText?: (text: string) => void): Promise<ModelAnswer>;
}

/** All tokens of an answer, cached ones too. */
export const totalOf = (usage: Usage): number =>
  usage.input + usage.output + usage.cacheRead + usage.cacheWrite;
