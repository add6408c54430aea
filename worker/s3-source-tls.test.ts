/** The source over HTTPS: a TLS front before the local S3, with a certificate that is trusted or not. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createServer,
  getCACertificates,
  type Server,
  setDefaultCACertificates,
  type TLSSocket,
} from 'node:tls';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ADMIN_POLICY } from '../infra/local/access-policy.ts';
import { createKeyRing } from '../infra/local/key-ring.ts';
import { type LocalS3, startS3 } from '../infra/local/s3.ts';
import { makeCertificate } from '../test/servers/certificate.ts';
import { createS3Source } from './s3-source.ts';
import type { SourceObject } from './source.ts';

const never = new AbortController().signal;
const bucket = 'finance-exports';
const content = randomBytes(9_000_001);
const folder = mkdtempSync(join(tmpdir(), 's3-source-tls-'));
const certificate = makeCertificate(folder);
const usual = getCACertificates('default');
const keys = createKeyRing();
const { accessKeyId, secretAccessKey } = keys.addUser('admin', ADMIN_POLICY);
let s3: LocalS3;
let front: Server;
let planned: SourceObject;
/** Ciphers of the connections so far. */
const ciphers: string[] = [];
const open = new Set<TLSSocket>();

const clientOf = (endpoint: string) =>
  new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId, secretAccessKey },
  });

function secureSource() {
  const client = clientOf(`https://127.0.0.1:${(front.address() as AddressInfo).port}`);
  return createS3Source({ client: async () => client, log: pino({ level: 'silent' }), maxResumes: 2 });
}

async function read(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

beforeAll(async () => {
  s3 = await startS3({ folder: join(folder, 's3'), keys });
  const admin = clientOf(s3.endpoint);
  await admin.send(new CreateBucketCommand({ Bucket: bucket }));
  const stored = await admin.send(new PutObjectCommand({ Bucket: bucket, Key: 'large.bin', Body: content }));
  const object = {
    index: 0,
    key: 'large.bin',
    size: content.length,
    etag: stored.ETag ?? '',
    targetPath: '/x',
  };
  planned = { bucket, object };
  const pem = readFileSync(certificate.file);
  front = createServer({ key: pem, cert: pem, honorCipherOrder: false }, (socket) => {
    ciphers.push(socket.getCipher().name);
    open.add(socket);
    const inner = connect(Number(new URL(s3.endpoint).port), '127.0.0.1');
    for (const end of [socket, inner]) end.on('error', () => {});
    socket.on('close', () => inner.destroy());
    inner.on('close', () => socket.destroy());
    socket.pipe(inner).pipe(socket);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
});
beforeEach(() => {
  ciphers.length = 0;
  setDefaultCACertificates(usual);
});
afterAll(async () => {
  setDefaultCACertificates(usual);
  for (const socket of open) socket.destroy();
  front.close();
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('brings every byte over several encrypted connections, and asks for AES-128 first', async () => {
  setDefaultCACertificates([...usual, certificate.ca]);
  const source = secureSource();
  expect((await read(source.read(planned, 0, never))).equals(content)).toBe(true);
  expect((await read(source.read(planned, 8_000_000, never))).equals(content.subarray(8_000_000))).toBe(true);
  expect(ciphers.filter((name) => name === 'TLS_AES_128_GCM_SHA256').length).toBeGreaterThan(1);
  source.close();
});

test('reads on where a connection was cut', async () => {
  setDefaultCACertificates([...usual, certificate.ca]);
  const source = secureSource();
  const parts: Buffer[] = [];
  for await (const chunk of source.read(planned, 0, never)) {
    if (parts.length === 0) for (const socket of open) socket.destroy();
    parts.push(Buffer.from(chunk));
  }
  expect(Buffer.concat(parts).equals(content)).toBe(true);
  source.close();
});

test('sends no request to a server whose certificate nobody vouches for', async () => {
  const source = secureSource();
  await expect(read(source.read(planned, 0, never))).rejects.toMatchObject({ name: 'FerryError' });
  source.close();
});
