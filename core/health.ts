/** Liveness and readiness over HTTP: which of the parties that a process needs is down. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FerryError } from './errors.ts';

/** Resolves when the dependency answers; rejects, or takes too long, when it does not. */
export type Check = (signal: AbortSignal) => Promise<unknown>;
export type Checks = Readonly<Record<string, Check>>;

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or why not, by the check's name. */
  readonly checks: Readonly<Record<string, string>>;
}

const reasonOf = (error: unknown) =>
  error instanceof FerryError ? `${error.code}: ${error.userMessage}` : `down: ${(error as Error)?.name}`;

async function answer(check: Check, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const late = new Promise<string>((resolve) => {
    signal.addEventListener('abort', () => resolve(`no answer within ${timeoutMs} ms`), { once: true });
  });
  const asked = Promise.resolve()
    .then(() => check(signal))
    .then(() => 'ok', reasonOf);
  return Promise.race([asked, late]);
}

/**
 * Runs all checks at once.
 *
 * @param needed what the process cannot work without
 * @param told what it can wait for: named when it is down, but no reason to be sent no more work
 * @param timeoutMs after which a check counts as failed
 */
export async function readiness(needed: Checks, told: Checks = {}, timeoutMs = 3_000): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries({ ...told, ...needed }).map(
      async ([name, check]) => [name, await answer(check, timeoutMs)] as const,
    ),
  );
  return {
    ready: results.every(([name, result]) => result === 'ok' || !Object.hasOwn(needed, name)),
    checks: Object.fromEntries(results),
  };
}

/**
 * The handlers of `/healthz` (the process answers) and `/readyz` (200 when everything that it needs answers, else
 * 503; names what does not), by path.
 */
export function healthRoutes(
  needed: Checks,
  told: Checks = {},
): Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => void>> {
  const send = (res: ServerResponse, status: number, body: unknown) => {
    res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    res.end(`${JSON.stringify(body)}\n`);
  };
  return {
    '/healthz': (_req, res) => send(res, 200, { status: 'ok' }),
    '/readyz': (_req, res) => {
      void readiness(needed, told).then((result) => send(res, result.ready ? 200 : 503, result));
    },
  };
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A server of its own for a process that has none. */
export async function startHealthServer(options: {
  port: number;
  host?: string;
  checks: Checks;
  told?: Checks;
}): Promise<HealthServer> {
  const routes = healthRoutes(options.checks, options.told);
  const server = createServer((req, res) => {
    const handler = routes[req.url?.split('?', 1)[0] ?? ''];
    if (handler) return handler(req, res);
    res.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host ?? '0.0.0.0', () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
