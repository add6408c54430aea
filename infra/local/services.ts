/** Runs the bot and the worker as processes of their own, exactly as `npm run start:bot` and `start:worker` do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/**
 * How Node runs both services: short-lived objects get 4 MiB a half instead of 16, which costs no time that could be
 * measured and keeps a worker with thousands of files some 70 MiB smaller (`npm run bench:many`).
 */
export const NODE_FLAGS = ['--max-semi-space-size=4'];

const ROOT = join(import.meta.dirname, '..', '..');
/** How long a service may take until it is ready, in milliseconds. */
const START_MS = 60_000;
/** How long a service may take to stop by itself before it is killed, in milliseconds. */
const STOP_MS = 28_000;

/** One line of a service's log, parsed. */
export interface LogLine {
  readonly service: ServiceName;
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export type ServiceName = 'bot' | 'worker';

export interface Service {
  readonly name: ServiceName;
  readonly pid: number;
  /** Where it answers HTTP. */
  readonly url: string;
  /** Resolves with the exit code, or the signal's name, once the process is gone. */
  readonly exited: Promise<number | string>;
  /** Asks it to stop and waits; after a deadline it is killed. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

function parseLine(service: ServiceName, line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    if (parsed !== null && typeof parsed === 'object') {
      if ('msg' in parsed) return { ...parsed, service } as LogLine;
      if ('_aws' in parsed)
        return { ...parsed, service, level: 'debug', time: new Date().toISOString(), msg: 'metrics' };
    }
  } catch {
    // Not a log line: shown as it is.
  }
  return { service, level: 'warn', time: new Date().toISOString(), msg: line };
}

/**
 * Starts a service and waits until it says that it is ready.
 *
 * @param env its whole environment beside PATH
 * @param onLine receives every line that it logs
 * @param root the folder that the program lies in; this repository's unless told
 */
export async function startService(
  name: ServiceName,
  env: Readonly<Record<string, string>>,
  onLine: (line: LogLine) => void = () => {},
  root = ROOT,
): Promise<Service> {
  const tracing = pathToFileURL(join(root, 'core', 'otel.ts')).href;
  const child: ChildProcess = spawn(
    process.execPath,
    [...NODE_FLAGS, '--import', tracing, join(root, name, 'main.ts')],
    {
      cwd: root,
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => (code ?? signal) as number | string);
  const ready = Promise.withResolvers<string>();
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (text) => {
      last.push(text);
      if (last.length > 20) last.shift();
      const line = parseLine(name, text);
      if (line.msg === `${name} ready` && typeof line.port === 'number')
        ready.resolve(`http://127.0.0.1:${line.port}`);
      onLine(line);
    });
  }
  void exited.then((code) =>
    ready.reject(new Error(`the ${name} ended (${code}) before it was ready:\n${last.join('\n')}`)),
  );
  const timer = setTimeout(
    () =>
      ready.reject(new Error(`the ${name} was not ready after ${START_MS / 1000} s:\n${last.join('\n')}`)),
    START_MS,
  );

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(killing);
  };
  try {
    const url = await ready.promise;
    return { name, pid: child.pid ?? 0, url, exited, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
  } catch (error) {
    await end('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
