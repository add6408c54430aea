/** An FTP server for the local stack: ftp-srv with one user and a folder on disk. Plain FTP, no resume. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { FtpSrv } from 'ftp-srv';
import { FtpDisk } from './ftp-disk.ts';

export interface LocalFtp {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** What the server's `/` is on disk. */
  readonly folder: string;
  /** Absolute paths of all files, sorted; temporary ones of unfinished uploads included. */
  files(): Promise<string[]>;
  /** A file's bytes, by its absolute path on the server. */
  read(path: string): Promise<Buffer>;
  stop(): Promise<void>;
}

export interface FtpOptions {
  /** Made if it is missing. */
  readonly folder: string;
  readonly user?: string;
  readonly password?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** First and last port for data connections; any free ones unless given. */
  readonly passive?: readonly [first: number, last: number];
}

/** ftp-srv asks for a bunyan logger and would write each reply to stdout. */
const silent = {
  child: () => silent,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
};

/** ftp-srv's constructor makes SIGTERM and SIGINT exit the process with 0; stopping is the stack's affair. */
function withoutSignalHandlers<T>(construct: () => T): T {
  const signals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const made = construct();
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal)) {
      if (!before[index]?.includes(listener)) process.off(signal, listener);
    }
  });
  return made;
}

/** Starts the server; each data connection takes a port of its own. */
export async function startFtp(options: FtpOptions): Promise<LocalFtp> {
  const { folder, user = 'fileferry', password = 'local-ftp-password', port = 0, passive = [0, 0] } = options;
  const host = '127.0.0.1';
  await mkdir(folder, { recursive: true });
  const [pasv_min, pasv_max] = passive;
  const ftp = withoutSignalHandlers(
    () => new FtpSrv({ url: `ftp://${host}:${port}`, pasv_url: host, pasv_min, pasv_max, log: silent }),
  );
  ftp.on('login', ({ connection, username, password: given }, resolve, reject) => {
    if (username !== user || given !== password) reject(new Error('Login incorrect'));
    else resolve({ fs: new FtpDisk(connection, { root: folder, cwd: '/' }) });
  });
  // A client that goes away mid-transfer is ordinary here; without a listener for it nothing else changes.
  ftp.on('client-error', () => undefined);
  await ftp.listen();
  const { server } = ftp as unknown as { server: Server };
  let stopped: Promise<void> | undefined;
  return {
    host,
    port: (server.address() as AddressInfo).port,
    user,
    password,
    folder,
    async files() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
        .sort();
    },
    read: (path) => readFile(join(folder, path)),
    stop: () => {
      stopped ??= Promise.resolve(ftp.close()).then(() => undefined);
      return stopped;
    },
  };
}
