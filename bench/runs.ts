/** Starts measured runs, each a process of its own: FileFerry's engine, and rclone. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_FLAGS } from '../infra/local/services.ts';
import type { RunningServer } from '../test/servers/daemon.ts';
import type { FerryOrder, FerryResult } from './ferry-run.ts';
import { BUCKET, requireProgram } from './sides.ts';

export interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssMiB: number;
}

const FERRY = join(import.meta.dirname, 'ferry-run.ts');

/** Starts the engine; `result` rejects when the process ends without one. */
export function startFerry(
  order: FerryOrder,
  caFile: string,
  nodeOptions: readonly string[] = [],
): { child: ChildProcess; result: Promise<FerryResult> } {
  const child = spawn(process.execPath, [...NODE_FLAGS, ...nodeOptions, FERRY, JSON.stringify(order)], {
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: caFile },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  const result = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`FileFerry's run ended with ${code}`);
    return JSON.parse(said) as FerryResult;
  });
  result.catch(() => {});
  return { child, result };
}

/** The functions that took most of the time of one more run, in words. */
export async function profileFerry(order: FerryOrder, caFile: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fileferry-profile-'));
  try {
    await startFerry(order, caFile, ['--cpu-prof', '--cpu-prof-dir', folder]).result;
    const [file = ''] = readdirSync(folder);
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
      samples: number[];
      timeDeltas: number[];
    };
    const names = new Map(
      profile.nodes.map(({ id, callFrame }) => {
        const place = callFrame.url.split('/').slice(-2).join('/');
        return [
          id,
          `${callFrame.functionName || 'anonymous'}${place && ` (${place}:${callFrame.lineNumber + 1})`}`,
        ];
      }),
    );
    const times = new Map<string, number>();
    let total = 0;
    profile.samples.forEach((id, index) => {
      const name = names.get(id) ?? '?';
      const time = profile.timeDeltas[index] ?? 0;
      times.set(name, (times.get(name) ?? 0) + time);
      total += time;
    });
    return [...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 8)
      .map(([name, time]) => `${((100 * time) / total).toFixed(0).padStart(3)} % ${name}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RcloneOrder {
  readonly endpoint: string;
  readonly caFile: string;
  readonly ftp: { readonly server: RunningServer; readonly host: string };
  readonly what: { readonly file: string } | { readonly folder: string };
  readonly connections: number;
}

/** Peak memory and processor time as the kernel has them while the process lives. */
function watchProcess(child: ChildProcess): () => Omit<Measured, 'seconds'> {
  let last = { cpuSeconds: 0, rssMiB: 0 };
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      // Fields 14 and 15 of proc(5), in ticks of a hundredth of a second.
      const cpuSeconds = (Number(stat[11]) + Number(stat[12])) / 100;
      if (peak > 0) last = { cpuSeconds, rssMiB: peak / 1_024 };
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, 10);
  return () => {
    clearInterval(timer);
    return last;
  };
}

function rcloneEnvironment(order: RcloneOrder, obscured: string): Record<string, string> {
  const { server, host } = order.ftp;
  return {
    RCLONE_CONFIG: '/dev/null',
    RCLONE_CONFIG_SRC_TYPE: 's3',
    RCLONE_CONFIG_SRC_PROVIDER: 'Other',
    RCLONE_CONFIG_SRC_ENDPOINT: order.endpoint,
    RCLONE_CONFIG_SRC_ACCESS_KEY_ID: 'AKIABENCH',
    RCLONE_CONFIG_SRC_SECRET_ACCESS_KEY: 'bench',
    RCLONE_CONFIG_SRC_FORCE_PATH_STYLE: 'true',
    RCLONE_CONFIG_DST_TYPE: 'ftp',
    RCLONE_CONFIG_DST_HOST: host,
    RCLONE_CONFIG_DST_PORT: String(server.port),
    RCLONE_CONFIG_DST_USER: server.user,
    RCLONE_CONFIG_DST_PASS: obscured,
    RCLONE_CONFIG_DST_EXPLICIT_TLS: String(server.tls === 'explicit'),
    RCLONE_CONFIG_DST_NO_CHECK_CERTIFICATE: 'true',
  };
}

/** Flags that spare it questions which we do not ask either. */
const RCLONE_FLAGS = ['--use-server-modtime', '--s3-no-check-bucket', '--retries', '1', '--stats', '0'];

export async function runRclone(order: RcloneOrder): Promise<Measured> {
  const rclone = requireProgram('rclone');
  const { server } = order.ftp;
  const obscured = execFileSync(rclone.path, ['obscure', server.password], { encoding: 'utf8' }).trim();
  const [command, name] = 'file' in order.what ? ['copyto', order.what.file] : ['copy', order.what.folder];
  const args = [
    command,
    `src:${BUCKET}/${name}`,
    `dst:${server.ftpRoot}/${name}`,
    ...RCLONE_FLAGS,
    ...['--transfers', String(order.connections), '--checkers', String(order.connections)],
    ...['--ca-cert', order.caFile],
  ];
  const begun = performance.now();
  const child = spawn(rclone.path, args, {
    env: { ...rclone.env, ...rcloneEnvironment(order, obscured) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const figures = watchProcess(child);
  const [code] = await once(child, 'close');
  const seconds = (performance.now() - begun) / 1_000;
  if (code !== 0) throw new Error(`rclone ended with ${code}: ${said.slice(-2_000)}`);
  return { seconds, ...figures() };
}

/** How long rclone takes to begin, which a service that runs already does not. */
export function rcloneStartSeconds(): number {
  const rclone = requireProgram('rclone');
  const times = [1, 2, 3].map(() => {
    const begun = performance.now();
    execFileSync(rclone.path, ['listremotes'], { env: { ...rclone.env, RCLONE_CONFIG: '/dev/null' } });
    return (performance.now() - begun) / 1_000;
  });
  return Math.min(...times);
}
