/** Both sides of a measured transfer: nginx in the place of S3, and an FTP server, on memory where there is enough. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificate } from '../test/servers/certificate.ts';
import { freePorts, type RunningServer } from '../test/servers/daemon.ts';
import { findProgram, type Program } from '../test/servers/program.ts';
import { startPureFtpd } from '../test/servers/pure-ftpd.ts';
import { startVsftpd } from '../test/servers/vsftpd.ts';

export const BUCKET = 'bench';
const MIB = 2 ** 20;

/** One object of the bucket. */
export interface BenchObject {
  readonly key: string;
  readonly size: number;
}

export interface SourceSide {
  readonly http: string;
  readonly https: string;
  /** The same as `http`, with so many bytes a second on each connection as S3 gives. */
  readonly capped: string;
  /** The authority of `https`, in a PEM file. */
  readonly caFile: string;
  /** Makes objects; those of `listed` are what listing the bucket gives. */
  make(objects: readonly BenchObject[], listed?: boolean): void;
  remove(key: string): void;
  readonly path: (key: string) => string;
  stop(): Promise<void>;
}

/** What S3 gives to one connection, roughly. */
export const CAPPED_BYTES_PER_SECOND = 50_000_000;

/** @throws Error that says how to get it */
export function requireProgram(name: string): Program {
  const program = findProgram(name);
  if (!program) throw new Error(`${name} is not here: run test/servers/install.sh --bench`);
  return program;
}

/** Every MiB begins with its number, so that misplaced bytes are found; the rest takes no room on disk or memory. */
function writeNumbered(path: string, size: number): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, size);
  const number = Buffer.alloc(8);
  for (let at = 0; at + 8 <= size; at += MIB) {
    number.writeBigUInt64BE(BigInt(at + 1));
    writeSync(file, number, 0, 8, at);
  }
  closeSync(file);
}

const listing = (objects: readonly BenchObject[]) =>
  `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${BUCKET}</Name><Prefix></Prefix><KeyCount>${objects.length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>${objects
    .map(
      ({ key, size }) =>
        `<Contents><Key>${key}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>"0"</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    )
    .join('')}</ListBucketResult>`;

const configuration = (folder: string, port: number, certificate: string) => `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000; keepalive_timeout 75;
  default_type application/octet-stream;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  root ${folder}/data;
  server { listen 127.0.0.1:${port}; location = /${BUCKET} { default_type application/xml; try_files /list.xml =404; } }
  server { listen 127.0.0.1:${port + 1} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${certificate}; }
  server { listen 127.0.0.1:${port + 2}; limit_rate ${CAPPED_BYTES_PER_SECOND}; }
}`;

/** @param folder for the objects and nginx's own files */
export async function startSource(folder: string): Promise<SourceSide> {
  const nginx = requireProgram('nginx');
  const data = join(folder, 'data');
  mkdirSync(join(data, BUCKET), { recursive: true });
  const certificate = makeCertificate(folder);
  const port = await freePorts();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, port, certificate.file));
  const child: ChildProcess = spawn(nginx.path, ['-p', folder, '-c', file], {
    env: nginx.env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const kill = () => void child.kill('SIGTERM');
  process.once('exit', kill);
  await listening(port);
  return {
    http: `http://127.0.0.1:${port}`,
    https: `https://127.0.0.1:${port + 1}`,
    capped: `http://127.0.0.1:${port + 2}`,
    caFile: join(folder, 'certificate.pem'),
    make(objects, listed = false) {
      for (const { key, size } of objects) {
        const path = join(data, BUCKET, key);
        mkdirSync(join(path, '..'), { recursive: true });
        writeNumbered(path, size);
      }
      if (listed) writeFileSync(join(data, 'list.xml'), listing(objects));
    },
    remove: (key) => rmSync(join(data, BUCKET, key), { force: true, recursive: true }),
    path: (key) => join(data, BUCKET, key),
    async stop() {
      process.removeListener('exit', kill);
      kill();
      await once(child, 'exit');
    },
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return;
    await delay(20);
  }
  throw new Error('nginx did not start');
}

/** Plain FTP goes to vsftpd; FTPS to pure-ftpd, as vsftpd's own TLS would be what is measured. */
export const startSink = (kind: 'ftp' | 'ftps', parent: string): Promise<RunningServer> =>
  kind === 'ftp'
    ? startVsftpd(requireProgram('vsftpd'), { tls: 'none', parent, settings: { max_per_ip: 0 } })
    : startPureFtpd(requireProgram('pure-ftpd'), { tls: 'explicit', parent });
