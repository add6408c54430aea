import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FerryError } from '../core/errors.ts';
import { ADMIN_POLICY, READ_ONLY_ROLE_POLICY } from '../infra/local/access-policy.ts';
import { type AccessKey, createKeyRing } from '../infra/local/key-ring.ts';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { type LocalS3, startS3 } from '../infra/local/s3.ts';
import { createS3Source } from './s3-source.ts';
import type { SourceObject } from './source.ts';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const bucket = 'finance-exports';
const keys = createKeyRing();
const admin = keys.addUser('admin', ADMIN_POLICY);
/** Faults of the local S3 hit the keys of assumed roles only. */
const reader = keys.issue(
  'arn:aws:sts::000000000000:assumed-role/FileFerryReadOnlyRole/test',
  [READ_ONLY_ROLE_POLICY],
  900,
);
const nobody = keys.addUser('nobody', { Version: '2012-10-17', Statement: [] });
const folder = mkdtempSync(join(tmpdir(), 's3-source-'));
const content = randomBytes(3_000_000);
let s3: LocalS3;

const clientOf = ({ accessKeyId, secretAccessKey, session }: AccessKey, endpoint = s3.endpoint) =>
  new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId, secretAccessKey, ...(session && { sessionToken: session.token }) },
  });
const source = (
  options: { as?: AccessKey; endpoint?: string; maxResumes?: number; stallMs?: number } = {},
) => {
  const client = clientOf(options.as ?? reader, options.endpoint);
  return createS3Source({ client: async () => client, log, ...options });
};

async function put(
  key: string,
  body: Buffer,
  more: { StorageClass?: 'GLACIER' } = {},
): Promise<SourceObject> {
  const { ETag = '' } = await clientOf(admin).send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ChecksumAlgorithm: 'CRC32', ...more }),
  );
  return { bucket, object: { index: 0, key, size: body.length, etag: ETag, targetPath: '/in/x' } };
}
const pinned = (object: SourceObject, changes: Partial<SourceObject['object']>): SourceObject => ({
  ...object,
  object: { ...object.object, ...changes },
});
async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

beforeAll(async () => {
  s3 = await startS3({ folder, keys });
  await clientOf(admin).send(new CreateBucketCommand({ Bucket: bucket }));
});
afterEach(() => s3.setReadFault());
afterAll(async () => {
  await s3.stop();
  rmSync(folder, { recursive: true });
});

describe('check', () => {
  test('tells size and checksum of the pinned object', async () => {
    const object = await put('größe/q3 (1).csv', content);
    expect(await source().check(object, never)).toEqual({
      size: content.length,
      crc32: crc32(content),
      modifiedAt: expect.any(Number),
    });
  });

  test('refuses what changed, is missing, archived or forbidden', async () => {
    const object = await put('q3.csv', content);
    const cold = await put('cold.csv', Buffer.from('cold'), { StorageClass: 'GLACIER' });
    const check = (what: SourceObject, as = admin) => source({ as }).check(what, never);
    await expect(check(pinned(object, { etag: '"other"' }))).rejects.toMatchObject({
      code: 'source_changed',
    });
    await expect(check(pinned(object, { size: 7 }))).rejects.toMatchObject({ code: 'source_changed' });
    await expect(check(pinned(object, { key: 'none.csv' }))).rejects.toMatchObject({ code: 'not_found' });
    await expect(check(cold)).rejects.toMatchObject({ code: 'source_archived' });
    await expect(check(object, nobody)).rejects.toMatchObject({ code: 'not_allowed' });
  });
});

describe('read', () => {
  test.each([0, 1, 1_234_567, content.length - 1, content.length])(
    'gives every byte from %d on',
    async (start) => {
      const object = await put('q3.csv', content);
      expect((await collect(source().read(object, start, never))).equals(content.subarray(start))).toBe(true);
    },
  );

  test('an empty object has no bytes', async () => {
    const object = await put('empty.csv', Buffer.alloc(0));
    expect(await source().check(object, never)).toMatchObject({ size: 0 });
    expect(await collect(source().read(object, 0, never))).toHaveLength(0);
  });

  test('goes on where it was cut', async () => {
    const object = await put('q3.csv', content);
    s3.setReadFault({ cutAfterBytes: 700_000, times: 4 });
    const read = await collect(source().read(object, 100, never));
    expect(read.equals(content.subarray(100))).toBe(true);
  });

  test('reads a large object over a few connections that are used again', async () => {
    const large = randomBytes(24 * 2 ** 20 + 17);
    const object = await put('large.bin', large);
    s3.setReadFault({ cutAfterBytes: 3_000_000, times: 3 });
    const opened = new Set<number | undefined>();
    const seeing = (data: unknown) => {
      const { request } = data as { request: IncomingMessage };
      opened.add(request.socket.remotePort);
    };
    subscribe('http.server.request.start', seeing);
    try {
      expect((await collect(source().read(object, 7, never))).equals(large.subarray(7))).toBe(true);
    } finally {
      unsubscribe('http.server.request.start', seeing);
    }
    // A cut connection is replaced by another; each range on a connection of its own would be seven and more.
    expect(opened.size).toBeGreaterThan(1);
    expect(opened.size).toBeLessThan(8);
  });

  test('gives up when it is cut again and again', async () => {
    const object = await put('q3.csv', content);
    s3.setReadFault({ cutAfterBytes: 1000 });
    await expect(collect(source({ maxResumes: 3 }).read(object, 0, never))).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
  });

  test('a change between two connections is found out, not mixed in', async () => {
    const object = await put('changing.csv', content);
    s3.setReadFault({ cutAfterBytes: 500_000, times: 1 });
    const reading = async () => {
      let changed = false;
      for await (const _chunk of source().read(object, 0, never)) {
        if (!changed) await put('changing.csv', randomBytes(content.length));
        changed = true;
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'source_changed', retryable: false });
  });

  test('refuses what is missing or forbidden, without trying again', async () => {
    const object = await put('q3.csv', content);
    await expect(collect(source().read(pinned(object, { key: 'none' }), 0, never))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(collect(source({ as: nobody }).read(object, 0, never))).rejects.toMatchObject({
      code: 'not_allowed',
    });
  });

  test('ends with the reason of whoever aborts, also while it waits for bytes', async () => {
    const object = await put('q3.csv', content);
    s3.setReadFault({ bytesPerSecond: 200_000 });
    const stop = new AbortController();
    const lost = new FerryError('lease_lost', { userMessage: 'Another worker has it.' });
    const reading = async () => {
      for await (const _chunk of source().read(object, 0, stop.signal)) {
        setImmediate(() => stop.abort(lost));
      }
    };
    await expect(reading()).rejects.toBe(lost);
  });
});

describe('a server that breaks the rules', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterEach(() => Promise.all(servers.splice(0).map(closeServer)));
  const object: SourceObject = {
    bucket,
    object: { index: 0, key: 'a', size: 4, etag: '"e"', targetPath: '/in/a' },
  };
  async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(answer);
    servers.push(server);
    return listenLocally(server);
  }

  test.each([
    ['ignores the range', 1, 200, { 'content-length': 4, etag: '"e"' }],
    ['gives another range', 1, 206, { 'content-range': 'bytes 0-2/4', etag: '"e"' }],
    ['gives another size', 0, 206, { 'content-range': 'bytes 0-3/5', etag: '"e"' }],
    ['ignores If-Match', 0, 206, { 'content-range': 'bytes 0-3/4', etag: '"f"' }],
  ])('%s', async (_what, start, status, headers) => {
    const endpoint = await serve((_request, response) => response.writeHead(status, headers).end('abcd'));
    await expect(collect(source({ endpoint }).read(object, start, never))).rejects.toMatchObject({
      code: 'source_changed',
    });
  });

  test('does not speak ranges as we do: the SDK reads on', async () => {
    const endpoint = await serve((request, response) => {
      const [, from = '', to = ''] = /=(\d+)-(\d+)/.exec(String(request.headers.range)) ?? [];
      response.writeHead(206, { 'content-range': `bytes ${from}-${to}/4`, etag: '"e"' });
      response.end('abcd'.slice(Number(from), Number(to) + 1));
    });
    // Without a Content-Length the body is chunked.
    expect((await collect(source({ endpoint }).read(object, 0, never))).toString()).toBe('abcd');
  });

  test('goes silent: the body counts as cut, and is read on', async () => {
    let calls = 0;
    const endpoint = await serve((request, response) => {
      calls += 1;
      const start = Number(/=(\d+)-/.exec(String(request.headers.range))?.[1]);
      response.writeHead(206, {
        'content-range': `bytes ${start}-3/4`,
        'content-length': 4 - start,
        etag: '"e"',
      });
      if (calls === 1) response.write('ab');
      else response.end('abcd'.slice(start));
    });
    const read = await collect(source({ endpoint, stallMs: 100 }).read(object, 0, never));
    expect(read.toString()).toBe('abcd');
    expect(calls).toBe(2);
  });

  test.each([
    [{ 'x-amz-storage-class': 'DEEP_ARCHIVE', 'x-amz-restore': 'ongoing-request="true"' }, 'source_archived'],
    [
      { 'x-amz-storage-class': 'INTELLIGENT_TIERING', 'x-amz-archive-status': 'ARCHIVE_ACCESS' },
      'source_archived',
    ],
    [
      {
        'x-amz-storage-class': 'GLACIER',
        'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"',
      },
      undefined,
    ],
    [{ 'x-amz-storage-class': 'GLACIER_IR' }, undefined],
    [{ 'x-amz-checksum-crc32': 'AAAAAQ==-2', 'x-amz-checksum-type': 'COMPOSITE' }, undefined],
  ])('HEAD with %j', async (headers, code) => {
    const endpoint = await serve((_request, response) =>
      response.writeHead(200, { 'content-length': 4, etag: '"e"', ...headers }).end(),
    );
    const checked = source({ endpoint }).check(object, never);
    if (code) await expect(checked).rejects.toMatchObject({ code });
    else expect(await checked).toEqual({ size: 4 });
  });

  test('nobody listens', async () => {
    const endpoint = await serve(() => {});
    await Promise.all(servers.splice(0).map(closeServer));
    const silent = source({ endpoint, maxResumes: 1 });
    await expect(silent.check(object, never)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await expect(collect(silent.read(object, 0, never))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
