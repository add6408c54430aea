/** The only speaker to Amazon Bedrock: one streamed Converse call, watched, retried and translated. */
import {
  BedrockRuntimeClient,
  type ContentBlock,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type Message,
  type SystemContentBlock,
  type Tool,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Logger } from 'pino';
import { isWorthAnotherModel, translateBedrockError } from './bedrock-errors.ts';
import { collectAnswer } from './bedrock-stream.ts';
import type { Model, ModelAnswer, ModelRequest } from './model.ts';

export type { ContentBlock, ConverseStreamOutput, Message };

export interface BedrockOptions {
  readonly region: string;
  /** Another address than AWS's own. */
  readonly endpoint?: string;
  /** A model's or an inference profile's id or ARN. */
  readonly modelId: string;
  /** Asked when the first cannot answer. */
  readonly fallbackModelId?: string;
  /** Most tokens of one answer. */
  readonly maxTokens: number;
  /** Marks prompt and tools for the provider's cache; some models refuse the mark. */
  readonly cachePoints: boolean;
  /** Longest wait for the first event, in milliseconds. */
  readonly requestMs?: number;
  /** Longest silence within a stream, in milliseconds. */
  readonly idleMs?: number;
  /** Unless given, those that the process finds. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly log: Logger;
}

/** A model that also closes its connections. */
export interface BedrockModel extends Model {
  close(): void;
}

export function createBedrock(options: BedrockOptions): BedrockModel {
  const { requestMs = 15_000, idleMs = 10_000, cachePoints, log } = options;
  const client = new BedrockRuntimeClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    // Throttling and 5xx before the first event; whatever breaks later is not retried by the SDK.
    maxAttempts: 2,
    // HTTP/1.1 on purpose: the SDK's HTTP/2 default for this service has no request timeout.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 3_000,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
    }),
  });
  const mark = cachePoints ? [{ cachePoint: { type: 'default' as const } }] : [];

  async function ask(
    modelId: string,
    request: ModelRequest,
    signal: AbortSignal,
    onText?: (text: string) => void,
  ): Promise<ModelAnswer> {
    const system: SystemContentBlock[] = [{ text: request.system }, ...mark];
    const tools: Tool[] = request.tools.map(({ name, description, inputSchema }) => ({
      // A JSON Schema is a document by nature; its TypeScript type is not.
      toolSpec: { name, description, inputSchema: { json: inputSchema as never } },
    }));
    const watch = new AbortController();
    const both = AbortSignal.any([signal, watch.signal]);
    try {
      const response = await client.send(
        new ConverseStreamCommand({
          modelId,
          system,
          messages: [...request.messages],
          toolConfig: { tools: [...tools, ...mark], toolChoice: { auto: {} } },
          // No temperature: newer models refuse it.
          inferenceConfig: { maxTokens: options.maxTokens },
        }),
        { abortSignal: both },
      );
      const answer = await collectAnswer(response.stream, {
        idleMs,
        watch,
        signal: both,
        ...(onText ? { onText } : {}),
      });
      return { ...answer, modelId };
    } catch (error) {
      signal.throwIfAborted();
      throw translateBedrockError(error);
    }
  }

  return {
    async converse(request, signal, onText) {
      try {
        return await ask(options.modelId, request, signal, onText);
      } catch (error) {
        const { fallbackModelId, modelId } = options;
        if (!fallbackModelId || fallbackModelId === modelId || !isWorthAnotherModel(error)) throw error;
        log.warn({ err: error, modelId, fallbackModelId }, 'the model cannot answer, asking another one');
        return ask(fallbackModelId, request, signal, onText);
      }
    },
    close: () => client.destroy(),
  };
}
