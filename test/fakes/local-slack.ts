/** Runs `local-slack`, the local Slack server, on a free port with a small workspace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

/** The program's path, or undefined where the platform's package is not installed. */
export function localSlackBinary(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const path = join(dirname(require.resolve('local-slack-linux-x64/package.json')), 'bin', 'local-slack');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

const CONFIG = {
  workspace: { name: 'FileFerry', domain: 'fileferry', teamId: 'T01FERRY' },
  app: {
    appId: 'A01FERRY',
    botUserId: 'U0FERRY',
    botName: 'fileferry',
    botToken: 'xoxb-local',
    appToken: 'xapp-local',
    signingSecret: 'local-secret',
    mode: 'socket',
  },
  users: [
    { id: 'U01ANA', name: 'ana', real_name: 'Ana', email: 'ana@example.com' },
    { id: 'U02BOB', name: 'bob', real_name: 'Bob', email: 'bob@example.com' },
  ],
  channels: [
    { id: 'C01OPS', name: 'transfers', members: ['U01ANA', 'U02BOB', 'U0FERRY'] },
    {
      id: 'D01ANA',
      name: 'dm-ana',
      is_im: true,
      is_channel: false,
      is_private: true,
      members: ['U01ANA', 'U0FERRY'],
    },
  ],
};

export interface LocalSlack {
  readonly apiUrl: string;
  /** A call of its control API: what a person does in the page. */
  act(what: 'message' | 'interact' | 'command', body: unknown): Promise<void>;
  messages(channel: string): Promise<readonly LocalMessage[]>;
  stop(): Promise<void>;
}

export interface LocalMessage {
  readonly ts: string;
  readonly text: string;
  readonly thread_ts?: string;
  readonly blocks?: readonly { readonly block_id?: string; readonly type: string }[];
}

const exited = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve));

async function portOf(child: ChildProcess): Promise<string> {
  let printed = '';
  for await (const chunk of child.stdout ?? []) {
    printed += chunk;
    const port = /Control API:\s+http:\/\/[^:]+:(\d+)/.exec(printed)?.[1];
    if (port) return port;
  }
  throw new Error(`local-slack ended early:\n${printed}`);
}

export async function startLocalSlack(binary: string): Promise<LocalSlack> {
  const folder = mkdtempSync(join(tmpdir(), 'local-slack-'));
  const config = join(folder, 'slack.yaml');
  writeFileSync(config, stringify(CONFIG));
  const child = spawn(binary, ['--config', config, '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const base = `http://127.0.0.1:${await portOf(child)}`;
  child.stdout?.resume();
  return {
    apiUrl: `${base}/api/`,
    async act(what, body) {
      const response = await fetch(`${base}/_control/${what}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`local-slack refused ${what}: ${await response.text()}`);
    },
    async messages(channel) {
      const response = await fetch(`${base}/_control/messages/${channel}`);
      const body = (await response.json()) as LocalMessage[] | { messages: LocalMessage[] };
      return Array.isArray(body) ? body : body.messages;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
