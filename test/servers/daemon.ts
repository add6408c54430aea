/** One FTP server as a process of its own: ports, folder, start, crash, start again, and nothing left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificate } from './certificate.ts';
import type { Program } from './program.ts';

export type Tls = 'none' | 'explicit' | 'implicit';

/** What a server is told about its surroundings. */
export interface Place {
  /** For the server's own settings; not served. */
  readonly folder: string;
  /** What is served. */
  readonly root: string;
  readonly port: number;
  /** First and last port for data connections. */
  readonly passive: readonly [first: number, last: number];
  /** Key and certificate in one PEM file. */
  readonly certificate: string;
  readonly tls: Tls;
}

export interface RunningServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly passive: readonly [first: number, last: number];
  readonly user: string;
  readonly password: string;
  readonly tls: Tls;
  /** The authority to trust, in PEM. */
  readonly ca: string;
  /** The folder that is served. */
  readonly root: string;
  /** A path below `root` as the server sees it, whose view of the two special folders is its own. */
  readonly seen: (path: string) => string;
  /** What the served folder is called over FTP: nothing, or its path where the server does not change its root. */
  readonly ftpRoot: string;
  /** Ends it and all its sessions at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same ports and files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Daemon {
  readonly name: string;
  readonly program: Program;
  readonly user: string;
  readonly password: string;
  readonly tls: Tls;
  /** Whether FTP paths are paths of the machine. */
  readonly seesWholeMachine?: boolean;
  /** Where its folder is made; the system's place for temporary files unless given. */
  readonly parent?: string | undefined;
  /** Writes the settings, and says what to run. */
  readonly prepare: (place: Place) => readonly string[];
}

/** Folders below the served one that only root can make: one without room, one that nobody may write to. */
export const FULL_FOLDER = 'full';
export const READ_ONLY_FOLDER = 'read-only';
/** Room in the folder without room, in bytes. */
export const FULL_FOLDER_BYTES = 1_048_576;
export const canMount = process.platform === 'linux' && process.getuid?.() === 0;

/** In a mount namespace of the server's own, which ends with the server however that ends. */
const MOUNT = `
  mount -t tmpfs -o size=${FULL_FOLDER_BYTES},mode=777 full "$0/${FULL_FOLDER}" &&
  mount -t tmpfs -o ro none "$0/${READ_ONLY_FOLDER}" && exec "$@"`;

/** Below the ports that the system gives to outgoing connections, which may come and go at any time. */
const FIRST_BLOCK = 10_240;
const LAST_BLOCK = 32_000;
const BLOCK = 64;

/** The first of a block of free ports. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const blocks = (LAST_BLOCK - FIRST_BLOCK) / BLOCK;
    const first = FIRST_BLOCK + BLOCK * Math.floor(Math.random() * blocks);
    // The control port stands for its block: whoever runs these servers beside us takes whole blocks.
    const server = createServer().listen(first, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return first;
  }
}

/** Whether something answers there with the first bytes of a greeting, or at all where TLS comes first. */
async function answers(port: number, speaksFirst: boolean): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
  socket.on('error', () => {});
  const signs = ['close', 'end', 'timeout', speaksFirst ? 'data' : 'connect'];
  const sign = await Promise.race(
    signs.map((event) =>
      once(socket, event).then(
        () => event,
        () => 'close',
      ),
    ),
  );
  socket.destroy();
  return sign === 'data' || sign === 'connect';
}

/** @throws Error with what the server said when it does not start */
export async function startDaemon(daemon: Daemon): Promise<RunningServer> {
  const folder = mkdtempSync(join(daemon.parent ?? tmpdir(), `fileferry-${daemon.name}-`));
  const root = join(folder, 'root');
  for (const path of [root, join(root, FULL_FOLDER), join(root, READ_ONLY_FOLDER)]) {
    mkdirSync(path);
    chmodSync(path, 0o777);
  }
  chmodSync(folder, 0o755);
  const port = await freePorts();
  const passive = [port + 1, port + BLOCK - 1] as const;
  const certificate = makeCertificate(folder);
  const args = daemon.prepare({
    folder,
    root,
    port,
    passive,
    certificate: certificate.file,
    tls: daemon.tls,
  });
  const { path, env } = daemon.program;
  const command = canMount ? ['unshare', '-m', 'sh', '-c', MOUNT, root, path, ...args] : [path, ...args];

  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();

  /** Its own process group: most servers have one process per connection. */
  const signalAll = () => {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, 'SIGKILL');
  };
  const kill = async () => {
    signalAll();
    await exited;
    child = undefined;
  };

  async function start(): Promise<void> {
    const [program = '', ...rest] = command;
    const started = spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      cwd: folder,
      env,
    });
    let said = '';
    let running = true;
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk) => {
        said = `${said}${chunk}`.slice(-4_000);
      });
    }
    child = started;
    exited = once(started, 'exit').then(() => {
      running = false;
    });
    while (running && !(await answers(port, daemon.tls !== 'implicit'))) await delay(15);
    if (!running) throw new Error(`${daemon.name} did not start: ${said}`);
  }

  process.once('exit', signalAll);
  const stop = async () => {
    process.removeListener('exit', signalAll);
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    host: '127.0.0.1',
    port,
    passive,
    user: daemon.user,
    password: daemon.password,
    tls: daemon.tls,
    ca: certificate.ca,
    root,
    seen: (path) => (canMount ? `/proc/${child?.pid}/root${join(root, path)}` : join(root, path)),
    ftpRoot: daemon.seesWholeMachine ? root : '',
    kill,
    restart: start,
    stop,
  };
}
