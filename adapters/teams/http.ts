/** One HTTP request of botbuilder's, with a deadline and without its own retries, which know no limits of Teams. */
import type { CloudAdapter, ConfigurationBotFrameworkAuthentication } from 'botbuilder';

/** What Teams answered instead of doing as told. */
export class ConnectorFault extends Error {
  readonly status: number;
  /** Teams' own word, such as `ConversationNotFound`. */
  readonly code: string | undefined;
  /** Milliseconds that Teams wants us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, code: string | undefined, retryAfterMs: number | undefined) {
    super(`Teams answered ${status}${code ? ` ${code}` : ''}`);
    this.name = 'ConnectorFault';
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer in time: nobody knows whether Teams has acted. */
export class ConnectorTimeout extends Error {
  constructor(cause: unknown) {
    super('Teams did not answer in time', { cause });
    this.name = 'ConnectorTimeout';
  }
}

type ConnectorOptions = NonNullable<ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[4]>;
export type ConnectorHttpClient = NonNullable<ConnectorOptions['httpClient']>;
type Request = Parameters<ConnectorHttpClient['sendRequest']>[0];
type Response = Awaited<ReturnType<ConnectorHttpClient['sendRequest']>>;
export type TurnContext = Parameters<Parameters<CloudAdapter['continueConversationAsync']>[2] & object>[0];

function codeOf(body: string): string | undefined {
  try {
    const parsed = JSON.parse(body) as { error?: { code?: unknown } } | null;
    return typeof parsed?.error?.code === 'string' ? parsed.error.code : undefined;
  } catch {
    return undefined;
  }
}

function retryAfterOf(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/**
 * botbuilder's pipeline repeats what it takes for an outage, posts included, for up to an hour if Teams says so. It
 * leaves alone whatever is thrown that is no error of its own: so every refusal is thrown here.
 *
 * @throws ConnectorFault for any other status than 2xx; ConnectorTimeout; TypeError when the connection failed
 */
export function connectorHttp(timeoutMs: number): ConnectorHttpClient {
  return {
    async sendRequest(request: Request): Promise<Response> {
      const { url, method, body } = request;
      const sent = request.headers.toJson({ preserveCase: true });
      for (const name of Object.keys(sent)) {
        if (/^(host|connection|content-length|accept-encoding)$/i.test(name)) delete sent[name];
      }
      let answer: globalThis.Response;
      let text: string;
      try {
        answer = await fetch(url, {
          method,
          headers: sent,
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
          ...(body !== undefined && body !== null && { body: body as string }),
        });
        text = await answer.text();
      } catch (error) {
        if (error instanceof Error && error.name === 'TimeoutError') throw new ConnectorTimeout(error);
        throw error;
      }
      if (!answer.ok) {
        throw new ConnectorFault(
          answer.status,
          codeOf(text),
          retryAfterOf(answer.headers.get('retry-after')),
        );
      }
      const headers = Object.fromEntries(answer.headers);
      return {
        request,
        status: answer.status,
        bodyAsText: text,
        // The one method of it that botbuilder calls.
        headers: { toJson: () => headers },
      } as unknown as Response;
    },
  };
}
