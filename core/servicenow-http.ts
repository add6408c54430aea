/** Exchanges with ServiceNow: one request bounded in time and size, and the rules by which it is repeated. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Fault, networkFault, notDataFault, statusFault } from './servicenow-fault.ts';

/** Largest answer that is read, in bytes; the fields asked for need a thousandth of it. */
const MAX_ANSWER = 1 << 20;

interface HttpLimits {
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest time for one operation with all its repeats and waits, in milliseconds. */
  readonly totalMs: number;
  /** How often one operation is tried at most. */
  readonly attempts: number;
}

export interface HttpOptions extends HttpLimits {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly log: Logger;
  /** Waits before a repeat; rejects when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** From 0 up to 1, for jitter. */
  readonly random?: () => number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Outcome<T> = { readonly value: T } | Fault;
export const isFault = <T>(outcome: Outcome<T>): outcome is Fault => 'error' in outcome;

export interface Operation<T> {
  /** For the log; without values. */
  readonly name: string;
  /**
   * When a failed attempt may be repeated: `freely`, where twice is as good as once; `after-look`, when it is known
   * to be over and `landed` finds no effect of it; `unsent-only`, when it surely had no effect.
   */
  readonly repeat: 'freely' | 'after-look' | 'unsent-only';
  attempt(limits: AttemptLimits): Promise<Outcome<T>>;
  /** Looks whether an earlier attempt took effect: its result if so, undefined if not. */
  landed?(limits: AttemptLimits): Promise<Outcome<T> | undefined>;
  readonly signal?: AbortSignal | undefined;
}

export interface AttemptLimits {
  /** Aborts when the attempt, all its requests together, has taken too long. */
  readonly timeout: AbortSignal;
  /** Aborts when the caller waits no longer. */
  readonly stop: AbortSignal | undefined;
}

/** One request and its answer; nothing is repeated and nothing thrown. */
export async function exchange(
  fetcher: typeof fetch,
  request: HttpRequest,
  limits: AttemptLimits,
  now: () => number,
): Promise<Outcome<unknown>> {
  const { timeout, stop } = limits;
  try {
    const response = await fetcher(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body !== undefined && { body: request.body }),
      // A redirect would carry the credentials elsewhere.
      redirect: 'manual',
      signal: stop ? AbortSignal.any([timeout, stop]) : timeout,
    });
    const text = await readBounded(response);
    const json = parseJson(text);
    if (!response.ok) {
      return statusFault(
        response.status,
        errorWords(json),
        retryAfter(response.headers.get('retry-after'), now()),
      );
    }
    return json === undefined ? notDataFault(response.status) : { value: json };
  } catch (thrown) {
    return networkFault(thrown, timeout.aborted, stop?.aborted ?? false);
  }
}

/**
 * Runs an operation with repeats: 429, 5xx and network errors are tried again after `Retry-After` or a growing,
 * jittered pause, within the limits of attempts and total time.
 *
 * @throws FerryError the last fault
 */
export async function perform<T>(operation: Operation<T>, options: HttpOptions): Promise<T> {
  const { now, log, wait = pause, random = Math.random } = options;
  const { signal } = operation;
  const deadline = now() + options.totalMs;
  const limits = (): AttemptLimits => ({
    timeout: AbortSignal.timeout(Math.max(1, Math.min(options.timeoutMs, deadline - now()))),
    stop: signal,
  });
  let uncertain = false;
  for (let attempt = 1; ; attempt += 1) {
    const before = uncertain ? await operation.landed?.(limits()) : undefined;
    const outcome = before ?? (await operation.attempt(limits()));
    if (!isFault(outcome)) return outcome.value;

    const { error } = outcome;
    if (operation.repeat === 'after-look' && outcome.effect !== 'no') uncertain = true;
    const exponential = 200 * 2 ** (attempt - 1) * (0.5 + random() / 2);
    const waitMs = outcome.retryAfterMs ?? exponential;
    const repeat =
      error.retryable &&
      attempt < options.attempts &&
      !signal?.aborted &&
      now() + waitMs < deadline &&
      mayRepeat(operation, outcome);
    const facts = { operation: operation.name, attempt, status: outcome.status, code: error.code };
    if (!repeat) {
      log.warn({ ...facts, reason: error.message }, 'ServiceNow did not do what was asked');
      throw error;
    }
    log.info({ ...facts, waitMs: Math.round(waitMs) }, 'asking ServiceNow again');
    await wait(waitMs, signal);
  }
}

/** A write that may still be on its way is left to a later look, or it could take effect twice. */
function mayRepeat(operation: Pick<Operation<unknown>, 'repeat'>, fault: Fault): boolean {
  if (operation.repeat === 'freely' || fault.effect === 'no') return true;
  return operation.repeat === 'after-look' && fault.effect === 'maybe';
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // The next attempt reports the abort as a fault.
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * `Retry-After` in milliseconds from now: seconds or an HTTP date.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER) break;
    chunks.push(chunk);
  }
  return size > MAX_ANSWER ? '' : Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The words in ServiceNow's error form `{ "error": { "message", "detail" }, "status": "failure" }`. */
function errorWords(json: unknown): string {
  const error = (json as { error?: { message?: unknown; detail?: unknown } } | null | undefined)?.error;
  return [error?.message, error?.detail].filter((part) => typeof part === 'string').join(': ');
}
