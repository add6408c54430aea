import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FerryError } from '../core/errors.ts';
import type { Destination } from '../core/policy-config.ts';
import { startFtpSrv } from '../test/servers/ftp-srv.ts';
import { startVsftpd } from '../test/servers/vsftpd.ts';
import { requireOrSkip } from '../test/support/require.ts';
import { createFtpTarget } from './ftp-target.ts';
import type { StoreProgress, TargetSession } from './target.ts';

interface Running {
  readonly port: number;
  readonly root: string;
  readonly ca?: string;
  stop(): Promise<void>;
}
interface Server {
  readonly name: string;
  readonly missing: boolean;
  readonly user: string;
  readonly password: string;
  readonly tls: Destination['tls'];
  start(): Promise<Running>;
  /** The folder as FTP paths have it. */
  folder(root: string): string;
}

const vsftpd = requireOrSkip('vsftpd');
const openssl = requireOrSkip('openssl');
const debian = { missing: vsftpd === undefined, user: 'anonymous', password: 'ana@example.com' };
const SERVERS: readonly Server[] = [
  {
    name: 'ftp-srv',
    missing: false,
    user: 'ferry',
    password: 'correct horse',
    tls: 'none',
    start: () => startFtpSrv('ferry', 'correct horse'),
    folder: () => '',
  },
  {
    ...debian,
    name: 'vsftpd',
    tls: 'none',
    start: () => startVsftpd(vsftpd ?? '', { tls: 'none' }),
    folder: (root) => root,
  },
  {
    ...debian,
    missing: debian.missing || openssl === undefined,
    name: 'vsftpd with explicit TLS',
    tls: 'explicit',
    start: () => startVsftpd(vsftpd ?? '', { tls: 'explicit' }),
    folder: (root) => root,
  },
  {
    ...debian,
    missing: debian.missing || openssl === undefined,
    name: 'vsftpd with implicit TLS',
    tls: 'implicit',
    start: () => startVsftpd(vsftpd ?? '', { tls: 'implicit' }),
    folder: (root) => root,
  },
];

const log = pino({ level: 'silent' });
const never = new AbortController().signal;

async function* chunksOf(content: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

describe.each(SERVERS.filter((server) => !server.missing))('createFtpTarget on $name', (server) => {
  let running: Running;
  let folder: string;
  const sessions: TargetSession[] = [];

  beforeAll(async () => {
    running = await server.start();
    folder = server.folder(running.root);
  });
  afterEach(() => {
    for (const session of sessions.splice(0)) session.close();
  });
  afterAll(() => running.stop());

  const destination = (): Destination => ({
    aliases: [],
    host: '127.0.0.1',
    port: running.port,
    tls: server.tls,
    user: server.user,
    password: 'env:UNUSED',
    folder: '/',
    existing: 'refuse',
    maxConnections: 4,
  });
  async function connect(signal = never): Promise<TargetSession> {
    const target = createFtpTarget(destination(), async () => server.password, log, {
      name: 'acme-ftp',
      ...(running.ca === undefined ? {} : { ca: async () => running.ca ?? '' }),
    });
    const session = await target.connect(signal);
    sessions.push(session);
    return session;
  }
  const onDisk = (path: string) => readFileSync(folder === '' ? `${running.root}${path}` : path);

  test.each([
    ['no byte', 0],
    ['one byte', 1],
    ['several megabytes', 5_000_001],
  ])('stores %s, and the same connection goes on', async (_what, size) => {
    const session = await connect();
    for (const name of ['first', 'second']) {
      const path = `${folder}/${size}-${name}.bin`;
      const content = randomBytes(size);
      const seen: StoreProgress[] = [];
      expect(await session.size(path)).toBeUndefined();
      const result = await session.store(path, chunksOf(content), size, (now) => seen.push(now), never);
      expect(result).toMatchObject({ bytes: size, crc32: crc32(content), verified: 'size' });
      expect(await session.size(path)).toBe(size);
      expect(onDisk(path).equals(content)).toBe(true);
      if (size > 0) expect(seen.at(-1)).toEqual({ bytes: size, crc32: crc32(content) });
      expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).sort((a, b) => a - b));
    }
  });

  test('a chunk larger than any piece arrives whole', async () => {
    const session = await connect();
    const content = randomBytes(3_000_000);
    await session.store(
      `${folder}/large-chunk.bin`,
      chunksOf(content, 3_000_000),
      content.length,
      () => {},
      never,
    );
    expect(onDisk(`${folder}/large-chunk.bin`).equals(content)).toBe(true);
  });

  test('makes nested folders once, and takes those that are there', async () => {
    const path = `${folder}/2026/Q3 Berichte/Übersicht`;
    await (await connect()).ensureDirectory(path);
    const session = await connect();
    await session.ensureDirectory(path);
    await session.ensureDirectory(`${path}/tief/er`);
    await session.ensureDirectory('/');
    await session.store(`${path}/tief/er/a.txt`, chunksOf(Buffer.from('a')), 1, () => {}, never);
    expect(onDisk(`${path}/tief/er/a.txt`).toString()).toBe('a');
  });

  test('names in any script survive upload and rename', async () => {
    const session = await connect();
    // ftp-srv drops quotes.
    const quoted = server.name === 'ftp-srv' ? 'q' : '"q"';
    const name = `${folder}/Größe 北京 😀 (1) [a] ${quoted}.csv`;
    await session.store(`${folder}/temporary`, chunksOf(Buffer.from('data')), 4, () => {}, never);
    await session.rename(`${folder}/temporary`, name);
    expect(onDisk(name).toString()).toBe('data');
    expect(await session.size(name)).toBe(4);
    expect(await session.size(`${folder}/temporary`)).toBeUndefined();
  });

  test('removes a file, and one that is not there', async () => {
    const session = await connect();
    await session.store(`${folder}/gone.txt`, chunksOf(Buffer.from('x')), 1, () => {}, never);
    await session.remove(`${folder}/gone.txt`);
    await session.remove(`${folder}/gone.txt`);
    expect(await session.size(`${folder}/gone.txt`)).toBeUndefined();
  });

  // ftp-srv then rejects a promise of its own that nobody handles.
  test.skipIf(server.name === 'ftp-srv')(
    "a folder that is missing is the server's refusal, and the connection goes on",
    async () => {
      const session = await connect();
      const refused = session.store(
        `${folder}/nowhere/a.bin`,
        chunksOf(randomBytes(1e6)),
        1e6,
        () => {},
        never,
      );
      await expect(refused).rejects.toMatchObject({ code: 'target_refused', retryable: false });
      await expect(refused).rejects.toThrow(/acme-ftp answered 55\d ".+" for .*nowhere/);
      const content = randomBytes(100_000);
      await session.store(`${folder}/after-refusal.bin`, chunksOf(content), content.length, () => {}, never);
      expect(onDisk(`${folder}/after-refusal.bin`).equals(content)).toBe(true);
    },
  );

  test('a failing source is an error, never a short file that counts', async () => {
    const session = await connect();
    const fault = new FerryError('source_changed', { userMessage: 'It changed.' });
    async function* failing() {
      yield randomBytes(200_000);
      throw fault;
    }
    await expect(session.store(`${folder}/broken.bin`, failing(), 1e6, () => {}, never)).rejects.toBe(fault);
  });

  test('a source that ends early or goes on too long is an error', async () => {
    for (const expected of [999, 1001]) {
      const session = await connect();
      await expect(
        session.store(`${folder}/length.bin`, chunksOf(randomBytes(1000)), expected, () => {}, never),
      ).rejects.toMatchObject({ code: 'source_unreadable', retryable: true });
    }
  });

  test('cancelling ends an upload whose source hangs', async () => {
    const session = await connect();
    const stop = new AbortController();
    let released = false;
    async function* hanging() {
      try {
        yield randomBytes(100_000);
        await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
      } finally {
        released = true;
      }
    }
    const storing = session.store(
      `${folder}/cancelled.bin`,
      hanging(),
      1e9,
      ({ bytes }) => bytes === 100_000 && setImmediate(() => stop.abort()),
      stop.signal,
    );
    await expect(storing).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => released).toBe(true);
  });

  // Node itself can crash when a socket goes from below a TLS session that still writes.
  test('cancelling again and again with data in flight harms nobody', async () => {
    async function* endless() {
      for (;;) yield randomBytes(64 * 1024);
    }
    for (let round = 1; round <= 12; round += 1) {
      const session = await connect();
      const stop = new AbortController();
      const storing = session.store(
        `${folder}/flood-${round}.bin`,
        endless(),
        1e12,
        ({ bytes }) => bytes > round * 300_000 && stop.abort(),
        stop.signal,
      );
      await expect(storing).rejects.toMatchObject({ code: 'cancelled' });
    }
    const session = await connect();
    await session.store(`${folder}/after-flood.bin`, chunksOf(Buffer.from('calm')), 4, () => {}, never);
    expect(onDisk(`${folder}/after-flood.bin`).toString()).toBe('calm');
  });

  test.runIf(server.name === 'ftp-srv')('a wrong password is told from everything else', async () => {
    const target = createFtpTarget(destination(), async () => 'wrong horse', log, { name: 'acme-ftp' });
    const refused = target.connect(never);
    await expect(refused).rejects.toMatchObject({ code: 'target_login_refused', retryable: false });
    await expect(refused).rejects.not.toThrow(/wrong horse/);
  });

  test('a secret store that hangs holds nobody up who stops', async () => {
    const asked = Promise.withResolvers<void>();
    const password = () => {
      asked.resolve();
      return new Promise<string>(() => {});
    };
    const stop = new AbortController();
    const connecting = createFtpTarget(destination(), password, log).connect(stop.signal);
    await asked.promise;
    stop.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'cancelled' });
  });

  test.runIf(server.tls !== 'none')('a certificate that nobody vouches for is refused', async () => {
    const target = createFtpTarget(destination(), async () => server.password, log, { name: 'acme-ftp' });
    await expect(target.connect(never)).rejects.toMatchObject({ code: 'target_refused', retryable: false });
    await expect(target.connect(never)).rejects.toThrow(/certificate of acme-ftp cannot be trusted/);
  });

  test.runIf(server.tls !== 'none')('a pinned certificate is enough, and no other will do', async () => {
    const { fingerprint256: pinned } = new X509Certificate(running.ca ?? '');
    const target = (fingerprint: string) =>
      createFtpTarget({ ...destination(), fingerprint }, async () => server.password, log, {
        name: 'acme-ftp',
      });
    const session = await target(`SHA256 ${pinned.toLowerCase()}`).connect(never);
    sessions.push(session);
    await session.store(`${folder}/pinned.bin`, chunksOf(Buffer.from('x')), 1, () => {}, never);
    expect(onDisk(`${folder}/pinned.bin`).toString()).toBe('x');
    const other = pinned.replace(/^../, pinned.startsWith('00') ? '01' : '00');
    await expect(target(other).connect(never)).rejects.toThrow(/not the one that is pinned/);
  });

  // vsftpd lets the anonymous user read what it stored.
  test.runIf(server.name.startsWith('vsftpd'))('reads back what it stored, whole or in part', async () => {
    const content = randomBytes(3_000_000);
    const path = `${folder}/read-back.bin`;
    const target = createFtpTarget(
      { ...destination(), verify: 'read-back' },
      async () => server.password,
      log,
      {
        ...(running.ca === undefined ? {} : { ca: async () => running.ca ?? '' }),
      },
    );
    const session = await target.connect(never);
    sessions.push(session);
    const stored = await session.store(path, chunksOf(content), content.length, () => {}, never);
    expect(stored).toMatchObject({ verified: 'size + CRC32 read back', contentVerified: true });
    const some = await session.readBack(path, 1_000_000, 5_000, never);
    expect(some).toEqual(content.subarray(1_000_000, 1_005_000));
    expect(await session.size(path)).toBe(content.length);
    const time = Date.UTC(2020, 1, 3, 4, 5, 6);
    expect(await session.setModified(path, time)).toBe(true);
    expect(statSync(path).mtimeMs).toBe(time);
  });

  test.runIf(server.tls === 'none' && server.name === 'vsftpd')(
    'a server without TLS gets no password',
    async () => {
      const target = createFtpTarget({ ...destination(), tls: 'explicit' }, async () => 'secret', log);
      const refused = target.connect(never);
      await expect(refused).rejects.toMatchObject({ code: 'target_refused', retryable: false });
      await expect(refused).rejects.toThrow(/does not offer TLS/);
    },
  );

  test('an upload that was aborted before it began touches nothing', async () => {
    const session = await connect();
    await expect(
      session.store(`${folder}/never.bin`, chunksOf(randomBytes(10)), 10, () => {}, AbortSignal.abort()),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(`${running.root}/never.bin`)).toBe(false);
  });
});
