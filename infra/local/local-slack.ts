/** Slack for the local stack: starts local-slack's binary as a child, and acts in it as its people would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalServer } from './listen.ts';
import { createSlackPeople, type SlackPeople } from './slack-people.ts';
import { SLACK_APP, type SlackDelivery, slackConfig } from './slack-workspace.ts';

export interface LocalSlack extends LocalServer {
  /** Where a person opens the workspace in a browser. */
  readonly webUrl: string;
  /** For `SLACK_API_URL`. */
  readonly apiUrl: string;
  readonly app: typeof SLACK_APP;
  readonly people: SlackPeople;
}

/** The binary's path, or undefined on a platform that the package does not cover. */
export function localSlackBinary(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('local-slack-linux-x64/package.json');
    const binary = join(dirname(manifest), 'bin', 'local-slack');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The shell becomes the binary, beside a watcher that ends it when our end of its stdin closes: which the kernel
 * sees to however abruptly this process dies. Both are in a process group of their own, so that Ctrl-C in the
 * terminal reaches the stack first.
 */
const GUARD = 'exec 3<&0; ( while read -r _ <&3; do :; done; kill $$ ) >/dev/null 2>&1 & exec "$@" <&- 3<&-';

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The address in the banner that the binary prints once it listens. */
async function printedAddress(child: ChildProcess): Promise<string> {
  if (!child.stdout || !child.stderr) throw new Error('local Slack was started without pipes');
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const lines = createInterface({ input: child.stdout });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        const match = /Web UI:\s+(http:\/\/\S+)/.exec(line);
        if (match?.[1]) resolve(match[1]);
        else complaints.push(line);
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(
          new Error(`local Slack ended (${signal ?? code}) at its start: ${complaints.join('\n').trim()}`),
        );
      });
    });
  } finally {
    lines.close();
    // What it prints from here on is of no use, but the pipes have to be kept empty.
    child.stdout.resume();
  }
}

/**
 * Starts the local Slack with the demo's workspace. It listens on every interface and asks nobody who they are.
 *
 * @param options.folder for its configuration and uploads; made if it is missing
 */
export async function startLocalSlack(options: {
  readonly folder: string;
  readonly delivery: SlackDelivery;
}): Promise<LocalSlack> {
  const binary = localSlackBinary();
  if (!binary) {
    throw new Error(
      `there is no local-slack binary for ${process.platform}-${process.arch}; run it by hand with: npx local-slack`,
    );
  }
  const files = join(options.folder, 'files');
  const config = join(options.folder, 'slack.yaml');
  await mkdir(files, { recursive: true });
  await writeFile(config, slackConfig(options.delivery));
  const child = spawn(
    '/bin/sh',
    ['-c', GUARD, 'local-slack', binary, '--config', config, '--port', '0', '--files-dir', files],
    { detached: true, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  child.stdin.on('error', () => undefined);
  const exited = once(child, 'exit');
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        signalGroup(child, 'SIGTERM');
        const forced = new AbortController();
        void sleep(2_000, undefined, { signal: forced.signal, ref: false }).then(
          () => signalGroup(child, 'SIGKILL'),
          () => undefined,
        );
        await exited;
        forced.abort();
      }
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    })();
    return stopped;
  };
  try {
    const address = new URL(await printedAddress(child));
    // `localhost` may resolve to ::1 first, where nothing has to listen.
    const endpoint = `http://127.0.0.1:${address.port}`;
    return {
      endpoint,
      webUrl: address.origin,
      apiUrl: `${endpoint}/api/`,
      app: SLACK_APP,
      people: createSlackPeople(endpoint),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
