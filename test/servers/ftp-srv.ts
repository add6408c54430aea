/** The npm package ftp-srv as a plain FTP server in this process, for one test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FtpSrv } from 'ftp-srv';
import { pino } from 'pino';
import { FtpDisk } from '../../infra/local/ftp-disk.ts';

export interface RunningFtpSrv {
  readonly port: number;
  /** The folder that is served as `/`. */
  readonly root: string;
  stop(): Promise<void>;
}

/** Starts it with one user. */
export async function startFtpSrv(user: string, password: string): Promise<RunningFtpSrv> {
  const root = mkdtempSync(join(tmpdir(), 'ftp-srv-'));
  const server = new FtpSrv({
    url: 'ftp://127.0.0.1:0',
    pasv_url: '127.0.0.1',
    log: pino({ level: 'silent' }),
  });
  server.on('login', (given, resolve, reject) => {
    if (given.username === user && given.password === password)
      resolve({ fs: new FtpDisk(given.connection, { root, cwd: '/' }) });
    else reject(new Error('Wrong user or password'));
  });
  await server.listen();
  // The package's types leave out the socket server that it keeps.
  const { port } = (server as unknown as { server: Server }).server.address() as AddressInfo;
  return {
    port,
    root,
    async stop() {
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
