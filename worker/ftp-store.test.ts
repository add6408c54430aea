import { once } from 'node:events';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import type { Destination } from '../core/policy-config.ts';
import { type FaultScript, type FaultServer, startFaultServer } from '../test/fakes/ftp-fault-server.ts';
import { createFtpTarget, type FtpTargetOptions } from './ftp-target.ts';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const MEGABYTE = 1_000_000;
const PATH = '/in/.ferry-1.part';

const servers: FaultServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function start(script: FaultScript, times: FtpTargetOptions['times'] = {}) {
  const server = await startFaultServer(script);
  servers.push(server);
  const destination: Destination = {
    aliases: [],
    host: '127.0.0.1',
    port: server.port,
    tls: 'none',
    user: 'ferry',
    password: 'env:UNUSED',
    folder: '/in',
    existing: 'refuse',
    maxConnections: 4,
  };
  const target = createFtpTarget(destination, async () => 's3cret', log, { name: 'acme-ftp', times });
  return { server, target };
}

async function* bytes(total: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < total; at += 65_536) yield Buffer.alloc(Math.min(65_536, total - at), 7);
}

async function upload(script: FaultScript, times: FtpTargetOptions['times'] = {}, total = MEGABYTE) {
  const { server, target } = await start(script, times);
  const session = await target.connect(never);
  const stored = session.store(PATH, bytes(total), total, () => {}, never);
  stored.catch(() => {});
  return { server, session, stored };
}

describe('an upload that the server spoils', () => {
  test('226 for a truncated file is found out by its size', async () => {
    const { stored } = await upload({
      async store(upload) {
        upload.reply('150 Go.');
        upload.keep((await upload.receive()).subarray(1));
        upload.reply('226 Done.');
      },
    });
    await expect(stored).rejects.toMatchObject({ code: 'verification_failed', retryable: true });
    await expect(stored).rejects.toThrow(/the server has 999999 bytes, 1000000 were sent/);
  });

  test('226 before the end is not believed', async () => {
    const { stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          upload.keep(await upload.receive(100_000));
          upload.reply('226 Done.');
          await once(upload.data, 'close');
        },
      },
      {},
      50 * MEGABYTE,
    );
    await expect(stored).rejects.toMatchObject({ code: 'verification_failed' });
  });

  test.each([
    ['452 mid-file', '452 Insufficient storage space.', 'target_full', false],
    ['a quota', '552 Quota exceeded.', 'target_full', false],
    ["vsftpd's full disk", '451 Failure writing to local file.', 'target_full', false],
    ["pure-ftpd's full disk", '451 Error during write to file', 'target_full', false],
    ["vsftpd's word when it dies", '500 OOPS: vsf_sysutil_bind', 'target_unreachable', true],
    ["ftp-srv's word for a cut", '550 read ECONNRESET', 'target_unreachable', true],
    ['426 with a full disk', '426 Error: No space left on device.', 'target_full', false],
    ['426 without', '426 Transfer aborted.', 'target_unreachable', true],
    ['421 mid-file', '421 Timeout.', 'throttled', true],
  ])('%s is told, though the data connection breaks first', async (_what, reply, code, retryable) => {
    const { session, server, stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          await upload.receive(100_000);
          upload.data.resetAndDestroy();
          setImmediate(() => upload.reply(reply));
        },
      },
      {},
      50 * MEGABYTE,
    );
    await expect(stored).rejects.toMatchObject({ code, retryable });
    await expect(stored).rejects.toThrow(`acme-ftp answered ${reply.slice(0, 3)} "${reply.slice(4)}"`);
    server.script = {};
    await session.store(PATH, bytes(1000), 1000, () => {}, never);
    expect(server.commands.filter((line) => line.startsWith('USER'))).toHaveLength(1);
  });

  test('550 to STOR is a refusal, and the connection goes on', async () => {
    const { session, server, stored } = await upload({
      store: (upload) => upload.reply('550 Permission denied.'),
    });
    await expect(stored).rejects.toMatchObject({ code: 'target_refused', retryable: false });
    server.script = {};
    expect(await session.store(PATH, bytes(10), 10, () => {}, never)).toMatchObject({ bytes: 10 });
  });

  test('425 is tried again on the same connection', async () => {
    let refusals = 0;
    const { server, stored } = await upload({
      store: (upload) => {
        refusals += 1;
        server.script = {};
        upload.reply('425 Cannot open data connection.');
      },
    });
    expect(await stored).toMatchObject({ bytes: MEGABYTE });
    expect(refusals).toBe(1);
    expect(server.commands.filter((line) => line.startsWith('STOR'))).toHaveLength(2);
  });

  test.each([
    ['in the middle of a slow source', 10],
    ['behind the end of an empty file', 0],
  ])('425 %s is no second try: the source can be read once only', async (_what, total) => {
    const refused = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Buffer> {
      if (total === 0) return;
      await refused.promise;
      yield* bytes(total);
    }
    const { server, target } = await start({
      async store(upload) {
        upload.reply('150 Go.');
        if (total === 0) await upload.receive();
        upload.reply('425 Cannot open data connection.');
        refused.resolve();
      },
    });
    const session = await target.connect(never);
    await expect(session.store(PATH, slow(), total, () => {}, never)).rejects.toMatchObject({
      code: 'target_unreachable',
      retryable: true,
    });
    expect(server.commands.filter((line) => line.startsWith('STOR'))).toHaveLength(1);
  });

  test('a large file is not asked for before the server is ready', async () => {
    const order: string[] = [];
    async function* source(): AsyncGenerator<Buffer> {
      order.push('source');
      yield* bytes(2 * MEGABYTE);
    }
    const { target } = await start({
      async store(upload) {
        order.push('server');
        upload.reply('150 Go.');
        upload.keep(await upload.receive());
        upload.reply('226 Done.');
      },
    });
    const session = await target.connect(never);
    await session.store(PATH, source(), 2 * MEGABYTE, () => {}, never);
    expect(order).toEqual(['server', 'source']);
  });

  test('the first bytes come while the server makes ready; refused, the source is let go', async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    async function* source(): AsyncGenerator<Buffer> {
      try {
        asked.resolve();
        yield* bytes(10);
      } finally {
        left.resolve();
      }
    }
    const { target } = await start({
      async store(upload) {
        await asked.promise;
        upload.reply('550 Permission denied.');
      },
    });
    const session = await target.connect(never);
    await expect(session.store(PATH, source(), 10, () => {}, never)).rejects.toMatchObject({
      code: 'target_refused',
    });
    await left.promise;
  });

  test('a data connection that breaks without a word is told as such', async () => {
    const { stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          await upload.receive(100_000);
          upload.data.resetAndDestroy();
        },
      },
      { reason: 50 },
      50 * MEGABYTE,
    );
    await expect(stored).rejects.toMatchObject({ code: 'target_unreachable', retryable: true });
  });

  test('a control connection that is cut mid-file is told as such', async () => {
    const { stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          await upload.receive(100_000);
          upload.control.destroy();
          upload.data.resetAndDestroy();
        },
      },
      {},
      50 * MEGABYTE,
    );
    await expect(stored).rejects.toMatchObject({ code: 'target_unreachable', retryable: true });
  });

  test('a server that takes no more bytes is given up', async () => {
    const { stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          await upload.receive(1000);
          await once(upload.control, 'close');
        },
      },
      { stall: 150 },
      50 * MEGABYTE,
    );
    await expect(stored).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await expect(stored).rejects.toThrow(/acme-ftp accepted no more data/);
  });

  test('a server that never answers STOR is given up', async () => {
    const { stored } = await upload(
      { store: (upload) => void once(upload.control, 'close') },
      { stall: 150 },
    );
    await expect(stored).rejects.toMatchObject({ code: 'timeout' });
  });

  test('nonsense in place of a reply is given up', async () => {
    const { stored } = await upload(
      { store: (upload) => upload.reply('☃ HTTP/1.1 200 OK') },
      { stall: 150, reason: 50 },
    );
    await expect(stored).rejects.toMatchObject({ retryable: true });
  });

  test('a 3xx or an early 2xx to STOR puts the connection out of step', async () => {
    for (const reply of ['331 Password?', '200 NOOP ok.']) {
      const { session, stored } = await upload({ store: (upload) => upload.reply(reply) });
      await expect(stored).rejects.toMatchObject({ code: 'target_unreachable', retryable: true });
      await expect(session.size(PATH)).rejects.toMatchObject({ code: 'target_unreachable' });
    }
  });

  test('two 150s start the bytes once', async () => {
    const { stored, server } = await upload({
      async store(upload) {
        upload.reply('150 Go.');
        upload.reply('150 Go!');
        upload.keep(await upload.receive());
        upload.reply('226 Done.');
      },
    });
    expect(await stored).toMatchObject({ bytes: MEGABYTE, verified: 'size' });
    expect(server.files.get(PATH)?.length).toBe(MEGABYTE);
  });
});

describe('the last word', () => {
  test('a 226 later than any command may take is waited for', async () => {
    const { stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          upload.keep(await upload.receive());
          setTimeout(() => upload.reply('226 Done.'), 300);
        },
      },
      { replyMs: 100, stall: 150 },
    );
    expect(await stored).toMatchObject({ bytes: MEGABYTE, verified: 'size' });
  });

  test.each([
    ['cut', 0, MEGABYTE],
    ['cut, and the file is short', 5, undefined],
  ])(
    'control connection %s after the last byte: a new one asks for the size',
    async (_what, lost, bytesStored) => {
      const { server, stored } = await upload({
        async store(upload) {
          upload.reply('150 Go.');
          upload.keep((await upload.receive()).subarray(lost));
          upload.control.destroy();
        },
      });
      if (bytesStored === undefined)
        await expect(stored).rejects.toMatchObject({ code: 'verification_failed' });
      else expect(await stored).toMatchObject({ bytes: bytesStored, verified: 'size' });
      expect(server.commands.filter((line) => line.startsWith('PASS'))).toHaveLength(2);
    },
  );

  test('no 226 at all: a new connection asks for the size', async () => {
    const { stored } = await upload(
      {
        async store(upload) {
          upload.reply('150 Go.');
          upload.keep(await upload.receive());
        },
      },
      { finalReply: 100 },
    );
    expect(await stored).toMatchObject({ bytes: MEGABYTE });
  });
});

describe('an upload that ends on our side', () => {
  test('a failing source resets the data connection: no FIN, no NOOP', async () => {
    const { server, target } = await start({
      async store(upload) {
        upload.reply('150 Go.');
        upload.keep(await upload.receive());
        upload.reply('226 Done.');
      },
    });
    const session = await target.connect(never);
    async function* failing() {
      yield* bytes(100_000);
      throw new Error('S3 is gone');
    }
    await expect(session.store(PATH, failing(), MEGABYTE, () => {}, never)).rejects.toThrow('S3 is gone');
    expect(server.dataEnds).toEqual(['ECONNRESET']);
    expect(server.commands).not.toContain('NOOP');
    expect(await session.size('/in/other')).toBeUndefined();
  });

  test.each(['before 150', 'mid-file', 'while the last word is awaited', 'while the size is asked'])(
    'cancelling %s ends it at once, and both connections',
    async (when) => {
      const stop = new AbortController();
      let controlClosed: Promise<unknown> = Promise.reject(new Error('no upload'));
      controlClosed.catch(() => {});
      const { target, server } = await start({
        answer: (command) => {
          if (command !== 'SIZE' || !server.commands.some((line) => line.startsWith('STOR')))
            return undefined;
          stop.abort();
          return '';
        },
        async store(upload) {
          controlClosed = once(upload.control, 'close');
          if (when === 'before 150') return stop.abort();
          upload.reply('150 Go.');
          if (when === 'mid-file') {
            await upload.receive(1000);
            return stop.abort();
          }
          await upload.receive();
          if (when === 'while the size is asked') upload.reply('226 Done.');
          else stop.abort();
        },
      });
      const session = await target.connect(never);
      const total = when === 'mid-file' ? 50 * MEGABYTE : MEGABYTE;
      await expect(session.store(PATH, bytes(total), total, () => {}, stop.signal)).rejects.toMatchObject({
        code: 'cancelled',
      });
      await controlClosed;
    },
  );

  test('a source that hangs is given up and named', async () => {
    const { target } = await start({}, { stall: 150 });
    const session = await target.connect(never);
    async function* hanging() {
      yield* bytes(1000);
      await new Promise(() => {});
    }
    const stored = session.store(PATH, hanging(), MEGABYTE, () => {}, never);
    await expect(stored).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await expect(stored).rejects.toThrow(/S3 delivered no more data/);
  });
});

describe('connecting', () => {
  test.each([
    [
      '530',
      { answer: (c) => (c === 'PASS' ? '530 Login incorrect.' : undefined) },
      'target_login_refused',
      false,
    ],
    [
      '530 too many',
      { answer: (c) => (c === 'PASS' ? '530 Sorry, too many connections.' : undefined) },
      'throttled',
      true,
    ],
    ['421 as greeting', { greeting: '421 Too many users.' }, 'throttled', true],
    ['120 as greeting', { greeting: '120 Ready in 5 minutes.' }, 'target_unreachable', true],
  ] satisfies [string, FaultScript, string, boolean][])('%s', async (_what, script, code, retryable) => {
    const { target } = await start(script);
    await expect(target.connect(never)).rejects.toMatchObject({ code, retryable });
  });

  test('a server that quotes the password does not get it into a message', async () => {
    const { target } = await start({
      answer: (command, argument) =>
        command === 'PASS' ? `530 Password ${argument} refused (PASS ${argument})` : undefined,
    });
    const error = await target.connect(never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'target_login_refused' });
    expect(`${error} ${(error as Error).cause}`).not.toContain('s3cret');
  });

  test('nobody listens', async () => {
    const { server, target } = await start({});
    await server.stop();
    await expect(target.connect(never)).rejects.toMatchObject({
      code: 'target_unreachable',
      retryable: true,
    });
  });

  test('a server that says nothing is given up, or cancelled', async () => {
    const silent: FaultScript = { answer: (command) => (command === 'USER' ? '' : undefined) };
    const late = await start(silent, { connectMs: 100 });
    await expect(late.target.connect(never)).rejects.toMatchObject({ code: 'target_unreachable' });
    const stop = new AbortController();
    const cancelled = await start({
      answer: (command) => {
        if (command !== 'USER') return undefined;
        stop.abort();
        return '';
      },
    });
    await expect(cancelled.target.connect(stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('commands', () => {
  test.each(['/in/a\r\nDELE b', '/in/a\0b', '/in/a\u0085b', '/in/../etc/x', 'in/a', '/in/\ud800'])(
    'the path %j is refused before anything is sent',
    async (path) => {
      const { server, target } = await start({});
      const session = await target.connect(never);
      const before = server.commands.length;
      const data = bytes(1);
      for (const attempt of [
        session.size(path),
        session.ensureDirectory(path),
        session.store(path, data, 1, () => {}, never),
        session.rename('/in/a', path),
        session.rename(path, '/in/a'),
        session.remove(path),
      ]) {
        await expect(attempt).rejects.toMatchObject({ code: 'bad_input', retryable: false });
      }
      expect(server.commands.length).toBe(before);
    },
  );

  test('a server without SIZE is found out before the first byte', async () => {
    const { server, target } = await start({
      answer: (c) => (c === 'SIZE' ? '502 Not implemented.' : undefined),
    });
    const session = await target.connect(never);
    await expect(session.store(PATH, bytes(10), 10, () => {}, never)).rejects.toMatchObject({
      code: 'target_refused',
    });
    expect(server.commands.some((line) => line.startsWith('STOR'))).toBe(false);
  });

  test('binary mode and UTF-8 come before anything else is done', async () => {
    const { server, target } = await start({});
    await target.connect(never);
    expect(server.commands).toContain('TYPE I');
    expect(server.commands).toContain('OPTS UTF8 ON');
  });

  test('a folder is made once in a session', async () => {
    const { server, target } = await start({});
    const session = await target.connect(never);
    await session.ensureDirectory('/in/2026/q3');
    await session.ensureDirectory('/in/2026/q3/');
    await session.ensureDirectory('/in/2026/q4');
    expect(server.commands.filter((line) => line.startsWith('MKD'))).toEqual([
      'MKD /in',
      'MKD /in/2026',
      'MKD /in/2026/q3',
      'MKD /in/2026/q4',
    ]);
  });

  test('a folder that cannot be made is a refusal', async () => {
    const { target } = await start({ answer: (c) => (c === 'MKD' ? '550 Permission denied.' : undefined) });
    const session = await target.connect(never);
    await expect(session.ensureDirectory('/in/x')).rejects.toMatchObject({ code: 'target_refused' });
  });

  test('removing what the server will not remove is a refusal', async () => {
    const { server, target } = await start({ answer: (c) => (c === 'DELE' ? '550 Denied.' : undefined) });
    server.files.set(PATH, Buffer.from('x'));
    const session = await target.connect(never);
    await expect(session.remove(PATH)).rejects.toMatchObject({ code: 'target_refused' });
  });
});
