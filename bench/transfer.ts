/**
 * Measures FileFerry's engine against rclone: `npm run bench -- [--pairs 5] [--only 1,2,memory,resume] [--json]`.
 *
 * Both move the same objects from the same nginx to the same FTP server, in turns. Our seconds run from having the
 * transfer to having every file, verified, under its final name; rclone's are those of its whole command without the
 * time that it takes to start. Not in our figures: the check of each object before the stream, and DynamoDB.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RunningServer } from '../test/servers/daemon.ts';
import { CASES, type Case, DELAY_MS, LARGE, SMALL } from './cases.ts';
import type { FerryOrder } from './ferry-run.ts';
import { type Measured, profileFerry, rcloneStartSeconds, runRclone, startFerry } from './runs.ts';
import { type BenchObject, type SourceSide, startSink, startSource } from './sides.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Memory that the largest runs need to stay off the disk, in bytes. */
const MEMORY_NEEDED = 14 * GIB;

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const pairs = Number(values.pairs);
if (!Number.isInteger(pairs) || pairs < 1)
  throw new Error(`--pairs ${values.pairs}: expected a whole number`);
const only = values.only?.split(',');
const wanted = (name: string) => only === undefined || only.includes(name);
const say = (line: string) => {
  if (!values.json) console.log(line);
};

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};

/** Each figure by its own median; memory by its largest. */
const summarise = (runs: readonly Measured[]): Measured => ({
  seconds: median(runs.map((run) => run.seconds)),
  cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
  rssMiB: Math.max(...runs.map((run) => run.rssMiB)),
});

async function pinned(endpoint: string, objects: readonly BenchObject[]): Promise<FerryOrder['objects']> {
  const found: FerryOrder['objects'][number][] = [];
  for (const object of objects) {
    const response = await fetch(`${endpoint}/bench/${object.key}`, { method: 'HEAD' });
    found.push({ ...object, etag: response.headers.get('etag') ?? '' });
  }
  return found;
}

const ferryOrder = (
  side: { endpoint: string; server: RunningServer; host: string; connections: number },
  objects: FerryOrder['objects'],
): FerryOrder => {
  const { endpoint, server, host, connections } = side;
  const { port, ca, user, password, ftpRoot: folder } = server;
  const tls = server.tls === 'none' ? 'none' : 'explicit';
  return { endpoint, ftp: { host, port, tls, ca, user, password, folder }, objects, connections };
};

async function startDelay(server: RunningServer): Promise<ChildProcess> {
  const line = fork(join(import.meta.dirname, 'delay-line.ts'), [
    ...[server.port, server.passive[1], DELAY_MS].map(String),
  ]);
  await once(line, 'message');
  return line;
}

interface CaseResult extends Omit<Case, 'source' | 'sink' | 'what'> {
  readonly ratio: number;
  readonly met: boolean;
  readonly ferry: Measured;
  readonly rclone: Measured;
  readonly ratios: readonly number[];
  readonly profile?: readonly string[];
}

async function measure(test: Case, source: SourceSide, parent: string): Promise<CaseResult> {
  const server = await startSink(test.sink, parent);
  const line = test.delayed ? await startDelay(server) : undefined;
  const host = line ? '127.0.0.2' : server.host;
  const objects = test.what === 'large' ? [LARGE] : SMALL;
  const connections = test.what === 'large' ? 4 : 8;
  const endpoint = source[test.source];
  const order = ferryOrder({ endpoint, server, host, connections }, await pinned(source.http, objects));
  const top = test.what === 'large' ? LARGE.key : 'small';
  const removeStored = () => rmSync(join(server.root, top), { recursive: true, force: true });
  const requireStored = () => {
    for (const { key, size } of objects) {
      if (statSync(join(server.root, key)).size !== size) throw new Error(`${key} did not arrive whole`);
    }
    removeStored();
  };
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  try {
    const start = rcloneStartSeconds();
    for (let pair = 0; pair < pairs; pair += 1) {
      const ferry = async () => {
        ours.push(await startFerry(order, source.caFile).result);
        requireStored();
      };
      const rclone = async () => {
        const what = test.what === 'large' ? { file: LARGE.key } : { folder: 'small' };
        const run = await runRclone({
          endpoint,
          caFile: source.caFile,
          ftp: { server, host },
          what,
          connections,
        });
        theirs.push({ ...run, seconds: run.seconds - start });
        requireStored();
      };
      // Who goes first changes, so that neither always finds what the other left in the caches.
      for (const run of pair % 2 === 0 ? [ferry, rclone] : [rclone, ferry]) await run();
    }
    const ferry = summarise(ours);
    const rclone = summarise(theirs);
    const ratio = rclone.seconds / ferry.seconds;
    const met = ratio >= test.target;
    const ratios = ours.map((run, index) => (theirs[index]?.seconds ?? Number.NaN) / run.seconds);
    const profile = met ? undefined : await profileFerry(order, source.caFile);
    const { name, title, target } = test;
    return { name, title, target, ratio, met, ferry, rclone, ratios, ...(profile ? { profile } : {}) };
  } finally {
    line?.disconnect();
    await server.stop();
  }
}

interface MemoryResult {
  readonly runs: readonly { readonly size: string; readonly rssMiB: number; readonly seconds: number }[];
  readonly met: boolean;
}

/** Peak memory for objects from 64 MiB to 8 GiB. */
async function measureMemory(source: SourceSide, parent: string): Promise<MemoryResult> {
  const server = await startSink('ftp', parent);
  const runs: { size: string; rssMiB: number; seconds: number }[] = [];
  try {
    for (const size of [64 * MIB, GIB, 8 * GIB]) {
      const object = { key: 'memory.bin', size };
      source.make([object]);
      const side = { endpoint: source.http, server, host: server.host, connections: 4 };
      const order = ferryOrder(side, await pinned(source.http, [object]));
      const { rssMiB, seconds } = await startFerry(order, source.caFile).result;
      runs.push({ size: size < GIB ? `${size / MIB} MiB` : `${size / GIB} GiB`, rssMiB, seconds });
      source.remove(object.key);
      rmSync(join(server.root, object.key));
    }
  } finally {
    await server.stop();
  }
  const [, middle, largest] = runs;
  // Flat: eight times the size does not take a tenth more.
  const flat = (largest?.rssMiB ?? Number.NaN) <= 1.1 * (middle?.rssMiB ?? Number.NaN);
  return { runs, met: flat && runs.every(({ rssMiB }) => rssMiB <= 200) };
}

interface ResumeResult {
  readonly sentTwiceBytes: number;
  readonly sentTwiceShare: number;
  readonly resumedAt: number;
  readonly identical: boolean;
  readonly verified: string;
  readonly met: boolean;
}

/** Kills the engine at half of 4 GiB; another process goes on. */
async function measureResume(source: SourceSide, parent: string, folder: string): Promise<ResumeResult> {
  const size = 4 * GIB;
  const server = await startSink('ftp', parent);
  try {
    const object = { key: 'resume.bin', size };
    source.make([object]);
    const side = { endpoint: source.http, server, host: server.host, connections: 4 };
    const order = ferryOrder(side, await pinned(source.http, [object]));
    const state = { file: join(folder, 'state.json'), sentFile: join(folder, 'sent') };
    const sent = () => {
      try {
        return Number(readFileSync(state.sentFile, 'utf8').trim().split('\n').at(-1));
      } catch {
        return 0;
      }
    };
    const first = startFerry({ ...order, state: { ...state, token: 1 } }, source.caFile);
    while (sent() < size / 2 && first.child.exitCode === null) await delay(5);
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const sentByFirst = sent();
    const second = await startFerry({ ...order, state: { ...state, token: 2 } }, source.caFile).result;
    const sentTwiceBytes = sentByFirst - second.startedAt;
    const identical = await sameFiles(source.path(object.key), join(server.root, object.key));
    source.remove(object.key);
    const sentTwiceShare = sentTwiceBytes / size;
    return {
      sentTwiceBytes,
      sentTwiceShare,
      resumedAt: second.startedAt,
      identical,
      verified: second.verified,
      met: identical && sentTwiceShare <= 0.01,
    };
  } finally {
    await server.stop();
  }
}

async function sameFiles(one: string, other: string): Promise<boolean> {
  const child = fork(join(import.meta.dirname, 'same-files.ts'), [one, other]);
  const [code] = await once(child, 'exit');
  return code === 0;
}

function memoryAvailable(): number {
  const kib = /MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kib) * 1_024;
}

const missed = (met: boolean) => (met ? 'met' : 'MISSED');
const figures = ({ seconds, cpuSeconds, rssMiB }: Measured) =>
  `${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} CPU s, ${rssMiB.toFixed(0)} MiB`;

const inMemory = memoryAvailable() > MEMORY_NEEDED;
const folder = mkdtempSync(join(inMemory ? '/dev/shm' : tmpdir(), 'fileferry-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const source = await startSource(folder);
const place = inMemory ? 'memory' : 'disk, for want of memory';
say(
  `Both sides on ${place}; ${pairs} pair${pairs === 1 ? '' : 's'}; medians; ratio = rclone's seconds ÷ ours.`,
);
const cases: CaseResult[] = [];
try {
  source.make([LARGE]);
  source.make(SMALL, true);
  for (const test of CASES) {
    if (!wanted(test.name)) continue;
    const result = await measure(test, source, folder);
    cases.push(result);
    const { name, title, ratio, target, met, ferry, rclone, profile = [] } = result;
    say(`${name}. ${title.padEnd(30)} ${ratio.toFixed(2)} (target ${target}: ${missed(met)})`);
    say(`     FileFerry ${figures(ferry)}; rclone ${figures(rclone)}`);
    for (const line of profile) say(`     ${line}`);
  }
  source.remove(LARGE.key);
  const memory = wanted('memory') ? await measureMemory(source, folder) : undefined;
  if (memory) {
    const peaks = memory.runs.map(({ size, rssMiB }) => `${size} ${rssMiB.toFixed(0)} MiB`).join(', ');
    say(`Peak RSS: ${peaks} (target ≤ 200 and flat: ${missed(memory.met)})`);
  }
  const resume = wanted('resume') ? await measureResume(source, folder, folder) : undefined;
  if (resume) {
    const { sentTwiceBytes, sentTwiceShare, identical, met } = resume;
    const twice = `${(sentTwiceBytes / MIB).toFixed(1)} MiB (${(sentTwiceShare * 100).toFixed(2)} %)`;
    say(
      `4 GiB killed at half: ${twice} sent twice, ${identical ? 'identical' : 'DIFFERENT'} (target ≤ 1 %: ${missed(met)})`,
    );
  }
  if (values.json) console.log(JSON.stringify({ pairs, place, cases, memory, resume }, undefined, 2));
} finally {
  await source.stop();
}
