/**
 * A stand-in for Amazon Bedrock: aimock's Converse stream behind a front that refuses what Bedrock refuses, takes
 * cache marks, types its exceptions and can break in mid-stream. What it answers is scripted.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import {
  encodeEventStreamFrame,
  encodeEventStreamMessage,
  handleConverseStream,
  Journal,
  Logger,
} from '@copilotkit/aimock';
import { faultOfRequest } from './bedrock-checks.ts';
import { closeServer, type LocalServer, listenLocally } from './listen.ts';

interface Block {
  readonly text?: string;
  readonly toolUse?: { readonly toolUseId: string; readonly name: string; readonly input: unknown };
  readonly toolResult?: {
    readonly toolUseId: string;
    readonly status?: string;
    readonly content: readonly { readonly text?: string }[];
  };
  readonly reasoningContent?: unknown;
  readonly cachePoint?: unknown;
}

/** A Converse request as it arrived. */
export interface ConverseBody {
  readonly modelId: string;
  readonly system: readonly Block[];
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: readonly Block[] }[];
  readonly toolConfig?: {
    readonly tools: readonly {
      readonly toolSpec?: {
        readonly name: string;
        readonly description?: string;
        readonly inputSchema: { readonly json: Readonly<Record<string, unknown>> };
      };
      readonly cachePoint?: unknown;
    }[];
    readonly toolChoice?: unknown;
  };
  readonly inferenceConfig?: Readonly<Record<string, unknown>>;
}

export interface ScriptedCall {
  readonly name: string;
  readonly input: unknown;
}

/** What the model does next. */
export type ScriptedAnswer =
  | {
      readonly say?: string;
      readonly call?: readonly ScriptedCall[];
      readonly stop?: 'end_turn' | 'tool_use' | 'max_tokens' | 'content_filtered';
      readonly tokens?: { readonly input: number; readonly output: number };
    }
  /** Raw stream events, for what aimock cannot say. `hang` leaves the connection open after them. */
  | {
      readonly events: readonly { readonly type: string; readonly payload: object }[];
      readonly hang?: boolean;
    }
  /** An exception before any event. */
  | { readonly error: string; readonly status: number }
  /** Some text, and then an exception within the stream. */
  | { readonly say: string; readonly thenError: string }
  /** Some text, and then the connection is cut. */
  | { readonly say: string; readonly thenCut: true }
  /** Nothing at all, until the caller gives up. */
  | { readonly silent: true };

/** Asked once for each request. */
export type ModelScript = (request: ConverseBody) => ScriptedAnswer | Promise<ScriptedAnswer>;

export interface LocalBedrock extends LocalServer {
  /** Every request, in order. */
  readonly requests: ConverseBody[];
  script: ModelScript;
}

const DEFAULTS = { latency: 0, chunkSize: 64, replaySpeed: 1, logger: new Logger('silent') };

function fail(response: ServerResponse, status: number, type: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
  response.end(JSON.stringify({ message }));
}

/** aimock knows neither cache marks nor `additionalProperties` in odd places: it gets what it can read. */
function forAimock(body: ConverseBody): string {
  const tools = body.toolConfig?.tools.filter((tool) => tool.toolSpec !== undefined) ?? [];
  return JSON.stringify({
    ...body,
    system: body.system.filter((block) => block.text !== undefined),
    toolConfig: { tools },
  });
}

const started = [
  { type: 'messageStart', payload: { role: 'assistant' } },
  { type: 'contentBlockStart', payload: { contentBlockIndex: 0, start: {} } },
];
const delta = (text: string) => ({
  type: 'contentBlockDelta',
  payload: { contentBlockIndex: 0, delta: { text } },
});

function writeEvents(
  response: ServerResponse,
  events: readonly { readonly type: string; readonly payload: object }[],
): void {
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
  for (const { type, payload } of events) response.write(encodeEventStreamMessage(type, payload));
}

export async function startBedrock(script: ModelScript): Promise<LocalBedrock> {
  const requests: ConverseBody[] = [];
  let calls = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = /^\/model\/([^/]+)\/converse-stream$/.exec(request.url ?? '');
    if (request.method !== 'POST' || !path)
      return fail(response, 404, 'UnknownOperationException', 'no such path');
    const body: ConverseBody = {
      ...(JSON.parse(await readText(request)) as ConverseBody),
      modelId: decodeURIComponent(path[1] ?? ''),
    };
    requests.push(body);
    const fault = faultOfRequest(body);
    if (fault) return fail(response, 400, 'ValidationException', fault);
    const next = await server.script(body);
    if ('silent' in next) return;
    if ('error' in next) return fail(response, next.status, next.error, 'scripted');
    if ('events' in next) {
      writeEvents(response, next.events);
      if (!next.hang) response.end();
      return;
    }
    if ('thenError' in next || 'thenCut' in next) {
      writeEvents(response, [...started, delta(next.say)]);
      if ('thenCut' in next) {
        response.socket?.end();
        return;
      }
      const headers = {
        ':message-type': 'exception',
        ':exception-type': next.thenError,
        ':content-type': 'application/json',
      };
      response.end(encodeEventStreamFrame(headers, Buffer.from(JSON.stringify({ message: 'scripted' }))));
      return;
    }
    const toolCalls = next.call?.map(({ name, input }) => {
      calls += 1;
      return { id: `tooluse_${calls}`, name, arguments: JSON.stringify(input) };
    });
    const overrides = {
      ...(next.stop ? { finishReason: next.stop } : {}),
      usage: { input_tokens: next.tokens?.input ?? 1_000, output_tokens: next.tokens?.output ?? 50 },
    };
    const scripted =
      toolCalls && next.say !== undefined
        ? { content: next.say, toolCalls, ...overrides }
        : toolCalls
          ? { toolCalls, ...overrides }
          : { content: next.say ?? '', ...overrides };
    await handleConverseStream(
      request,
      response,
      forAimock(body),
      body.modelId,
      [{ match: {}, response: scripted }],
      new Journal(),
      DEFAULTS,
      () => {},
    );
  }

  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else fail(response, 500, 'InternalServerException', String(error));
    });
  });
  const server: LocalBedrock = {
    requests,
    script,
    endpoint: await listenLocally(http),
    stop: () => closeServer(http),
  };
  return server;
}
