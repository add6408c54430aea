/** Lambda's Runtime API: takes invocations, answers each at once, and holds the sandbox until its work is done. */
import { request } from 'node:http';
import type { Logger } from 'pino';
import { z } from 'zod';
import { CHAT_PATHS } from './chat-paths.ts';

/** An HTTP request as a function URL passes it. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
const httpEventSchema = z.object({
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  headers: z.record(z.string(), z.string()),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
});
type HttpEvent = z.infer<typeof httpEventSchema>;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const VERSION = '/2018-06-01/runtime';
/** Ends the head of a streamed answer. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming */
const END_OF_HEAD = Buffer.alloc(8);
/** Milliseconds that are kept free before Lambda would end the sandbox. */
const SPARE_MS = 2_000;
/** Milliseconds that the bot may take to answer: no platform waits longer. */
const DEFAULT_ANSWER_MS = 15_000;

/** Without any timeout unless given: a sandbox may lie frozen for hours while it asks for the next event. */
function call(
  address: string,
  options: {
    method: string;
    headers?: Readonly<Record<string, string>>;
    body?: Buffer;
    timeoutMs?: number;
  },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(
    address,
    {
      method: options.method,
      headers: options.headers,
      ...(options.timeoutMs !== undefined && { signal: AbortSignal.timeout(options.timeoutMs) }),
    },
    async (incoming) => {
      try {
        const parts: Buffer[] = [];
        for await (const part of incoming) parts.push(part as Buffer);
        const headers = Object.entries(incoming.headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, String(value)] as const],
        );
        resolve({
          status: incoming.statusCode ?? 502,
          headers: Object.fromEntries(headers),
          body: Buffer.concat(parts),
        });
      } catch (error) {
        reject(error);
      }
    },
  );
  outgoing.on('error', reject);
  outgoing.end(options.body);
  return promise;
}

const PASSED_ON = ['content-type', 'retry-after', 'allow', 'x-slack-no-retry'];

/** Nothing but what platforms post, where they post it: the rest of the bot is nobody's business out there. */
async function forward(event: HttpEvent, botUrl: string, answerMs: number): Promise<Answer> {
  const { rawPath, rawQueryString, requestContext, headers, body, isBase64Encoded } = event;
  const { method } = requestContext.http;
  if (method !== 'POST') return { status: 405, headers: { allow: 'POST' }, body: Buffer.alloc(0) };
  if (!Object.values<string>(CHAT_PATHS).includes(rawPath))
    return { status: 404, headers: {}, body: Buffer.alloc(0) };
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  // Never resolved against the bot's address: a path may begin with another host's name.
  const url = new URL(botUrl);
  url.pathname = rawPath;
  url.search = rawQueryString;
  const { connection, 'transfer-encoding': _chunked, ...passed } = headers;
  const answer = await call(url.href, {
    method,
    headers: { ...passed, 'content-length': String(bytes.length) },
    body: bytes,
    timeoutMs: answerMs,
  });
  return {
    ...answer,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => PASSED_ON.includes(name))),
  };
}

/** Resolves when the work is done or the time is up, whichever is first. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), Math.max(0, ms));
  const done = await Promise.race([work.then(() => true), promise]);
  clearTimeout(timer);
  return done;
}

/**
 * Serves invocations until the signal aborts or the Runtime API is gone. Any event that is no HTTP request only wakes
 * the bot.
 *
 * Lambda freezes the sandbox when the next invocation is asked for, not when an answer is posted, so a turn that runs
 * on after its event is acknowledged is waited for in between.
 * https://aws.amazon.com/blogs/compute/running-code-after-returning-a-response-from-an-aws-lambda-function/
 *
 * @param api host and port of the Runtime API
 * @param botUrl where the bot answers HTTP in this sandbox
 * @param finishTurns resolves when no turn is under way any more
 * @param now epoch milliseconds
 * @param answerMs milliseconds that the bot may take for one answer
 */
export async function serveInvocations(deps: {
  api: string;
  botUrl: string;
  finishTurns: () => Promise<void>;
  now: () => number;
  log: Logger;
  signal: AbortSignal;
  answerMs?: number;
}): Promise<void> {
  const { api, botUrl, now, log, signal, answerMs = DEFAULT_ANSWER_MS } = deps;
  const base = `http://${api}${VERSION}/invocation`;
  while (!signal.aborted) {
    const { headers, body } = await call(`${base}/next`, { method: 'GET' });
    const id = headers['lambda-runtime-aws-request-id'] ?? '';
    const event = httpEventSchema.safeParse(JSON.parse(body.toString() || '{}')).data;
    if (event) {
      const answer = await forward(event, botUrl, answerMs).catch((err: unknown): Answer => {
        log.error({ err }, 'the bot did not answer');
        return { status: 503, headers: { 'retry-after': '5' }, body: Buffer.alloc(0) };
      });
      const head = Buffer.from(JSON.stringify({ statusCode: answer.status, headers: answer.headers }));
      await call(`${base}/${id}/response`, {
        method: 'POST',
        headers: {
          'content-type': 'application/vnd.awslambda.http-integration-response',
          'lambda-runtime-function-response-mode': 'streaming',
          'transfer-encoding': 'chunked',
        },
        body: Buffer.concat([head, END_OF_HEAD, answer.body]),
      });
    }
    const deadline = Number(headers['lambda-runtime-deadline-ms'] ?? now() + 60_000);
    const done = await within(deps.finishTurns(), deadline - now() - SPARE_MS).catch((err: unknown) => {
      log.warn({ err }, 'could not finish the turns under way');
      return true;
    });
    if (!done) log.warn('a turn outlives its invocation; the next one takes it over');
    if (!event) await call(`${base}/${id}/response`, { method: 'POST', body: Buffer.from('null') });
  }
}
