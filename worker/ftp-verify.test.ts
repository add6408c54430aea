import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { crc32 } from 'node:zlib';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { FerryError } from '../core/errors.ts';
import type { Destination } from '../core/policy-config.ts';
import {
  type FaultScript,
  type FaultServer,
  startFaultServer,
  type Upload,
} from '../test/fakes/ftp-fault-server.ts';
import { bestMethod, digestIn } from './ftp-checksum.ts';
import { epsvPort, pasvAddress } from './ftp-passive.ts';
import { createFtpTarget } from './ftp-target.ts';

const never = new AbortController().signal;
const PATH = '/in/.ferry-1.part';
const content = randomBytes(200_000);
const sha256 = createHash('sha256').update(content).digest('hex');

const servers: FaultServer[] = [];
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(script: FaultScript, changes: Partial<Destination> = {}) {
  const server = await startFaultServer(script);
  servers.push(server);
  const destination: Destination = {
    ...{ aliases: [], host: '127.0.0.1', port: server.port, tls: 'none', user: 'ferry' },
    ...{ password: 'env:UNUSED', folder: '/in', existing: 'refuse', maxConnections: 4, ...changes },
  };
  const target = createFtpTarget(destination, async () => 'pw', pino({ level: 'silent' }), {
    name: 'acme-ftp',
  });
  return { server, session: await target.connect(never) };
}

async function* bytes(): AsyncGenerator<Buffer> {
  yield content;
}

/** A server that lists features, and answers what is asked beyond the usual. */
const offering = (features: string[], answers: Record<string, string> = {}): FaultScript => ({
  answer: (command) =>
    command === 'FEAT'
      ? `211-Features:\r\n${features.map((one) => ` ${one}\r\n`).join('')}211 End`
      : answers[command],
});

describe('what is compared after an upload', () => {
  const store = async (script: FaultScript, sourceCrc32?: number, changes: Partial<Destination> = {}) => {
    const { session, server } = await start(script, changes);
    const stored = session.store(PATH, bytes(), content.length, () => {}, never, { sourceCrc32 });
    stored.catch(() => {});
    return { server, stored };
  };

  test('the strongest checksum that the server offers', async () => {
    const answers = { HASH: `213 SHA-256 0-199999 ${sha256} ${PATH}`, OPTS: '200 Fine.' };
    const { server, stored } = await store(offering(['HASH CRC32;SHA-256*;MD5', 'XCRC'], answers));
    expect(await stored).toMatchObject({ verified: 'size + SHA-256 by server', contentVerified: true });
    expect(server.commands).toContain('OPTS HASH SHA-256');
  });

  test('a checksum that differs', async () => {
    const { stored } = await store(offering(['XCRC'], { XCRC: '250 DEADBEEF' }));
    await expect(stored).rejects.toMatchObject({ code: 'verification_failed', retryable: true });
    await expect(stored).rejects.toThrow(/the checksum there is deadbeef/);
  });

  test('a server that lists a checksum and then refuses it leaves the size', async () => {
    const { stored } = await store(offering(['XSHA256'], { XSHA256: '504 Too large.' }));
    expect(await stored).toMatchObject({ verified: 'size', contentVerified: false });
  });

  test('nothing but the size where the destination says so', async () => {
    const { server, stored } = await store(offering(['XCRC']), undefined, { verify: 'size' });
    expect(await stored).toMatchObject({ verified: 'size' });
    expect(server.commands.some((line) => line.startsWith('XCRC'))).toBe(false);
  });

  test("what S3 delivered against S3's own checksum", async () => {
    const { stored } = await store({}, 1);
    await expect(stored).rejects.toThrow(/S3 keeps the checksum 00000001/);
  });
});

describe('what is compared after an upload that went on in the middle', () => {
  const half = content.length / 2;
  const held = { bytes: half, crc32: crc32(content.subarray(0, half)) };
  async function* rest(): AsyncGenerator<Buffer> {
    yield content.subarray(half);
  }

  /** A server that offers nothing that can go on from a stored number. */
  async function store(
    answers: Record<string, string>,
    readWhole: (signal: AbortSignal) => AsyncIterable<Buffer> = bytes,
    beginning = content.subarray(0, half),
  ) {
    const script = offering(['REST STREAM', 'HASH SHA-256*;MD5'], { OPTS: '200 Fine.' });
    const digestOfStored = () => {
      const digest = createHash('sha256').update(server.files.get(PATH) ?? '');
      return `213 SHA-256 0-${content.length - 1} ${digest.digest('hex')} ${PATH}`;
    };
    const asked = Promise.withResolvers<Upload>();
    let upload: Upload | undefined;
    const { session, server } = await start({
      answer(command, argument) {
        if (command !== 'HASH') return script.answer?.(command, argument);
        if (upload) asked.resolve(upload);
        return answers.HASH ?? digestOfStored();
      },
      async store(begun) {
        upload = begun;
        upload.reply('150 Go ahead.');
        upload.keep(Buffer.concat([beginning, await upload.receive()]));
        upload.reply('226 Done.');
      },
    });
    const stored = session.store(PATH, rest(), content.length, () => {}, never, {
      start: held,
      readWhole,
    });
    stored.catch(() => {});
    return { session, server, stored, asked, digestOfStored };
  }

  test('the strongest checksum, of the whole object read once more', async () => {
    const { server, stored } = await store({});
    expect(await stored).toMatchObject({ verified: 'size + SHA-256 by server', contentVerified: true });
    expect(server.commands).toContain(`REST ${half}`);
  });

  test('a beginning that is not ours', async () => {
    const { stored } = await store({}, bytes, Buffer.alloc(half));
    await expect(stored).rejects.toMatchObject({ code: 'verification_failed', retryable: true });
  });

  test('the source is asked no further when the server does not say, and the session goes on', async () => {
    const given = Promise.withResolvers<AbortSignal>();
    async function* endless(signal: AbortSignal): AsyncGenerator<Buffer> {
      given.resolve(signal);
      await once(signal, 'abort');
      signal.throwIfAborted();
      yield content;
    }
    const { session, server, stored } = await store({ HASH: '504 Too large.' }, endless);
    expect(await stored).toMatchObject({ verified: 'size', contentVerified: false });
    expect((await given.promise).aborted).toBe(true);
    expect(await session.size(PATH)).toBe(content.length);
    expect(server.commands.filter((line) => line.startsWith('USER'))).toHaveLength(1);
  });

  test("a source that fails meanwhile is the fault, and the server's answer is not waited for", async () => {
    const gone = new FerryError('source_changed', { userMessage: 'It has changed.' });
    // biome-ignore lint/correctness/useYield: it fails before the first.
    async function* failing(): AsyncGenerator<Buffer> {
      throw gone;
    }
    const { stored } = await store({ HASH: '' }, failing);
    await expect(stored).rejects.toBe(gone);
  });

  test('a server that hangs up before the object has been read once more', async () => {
    async function* slow(): AsyncGenerator<Buffer> {
      const { control, reply } = await asked.promise;
      reply(digestOfStored());
      control.end();
      await once(control, 'close');
      yield content;
    }
    const { session, server, stored, asked, digestOfStored } = await store({ HASH: '' }, slow);
    expect(await stored).toMatchObject({ verified: 'size + SHA-256 by server' });
    expect(await session.size(PATH)).toBe(content.length);
    expect(server.commands.filter((line) => line.startsWith('USER'))).toHaveLength(2);
  });
});

describe('the words of servers', () => {
  test.each([
    ['HASH', 'CRC32', '213 CRC32 0-9 12ab34cd /in/a b', '12ab34cd'],
    ['XCRC', 'CRC32', '250-Computing CRC32 digest\r\n250 AB12', '0000ab12'],
    ['XSHA256', 'SHA-256', `250 ${sha256.toUpperCase()}`, sha256],
    ['XMD5', 'MD5', '250 none', undefined],
  ] as const)('%s %s: %j', (command, kind, message, digest) => {
    expect(digestIn(message, { command, kind })).toBe(digest);
  });

  test('only a CRC-32 can go on from the middle', () => {
    const features = new Map([
      ['HASH', 'SHA-256*;SHA-512'],
      ['XCRC', ''],
    ]);
    expect(bestMethod(features, false)).toMatchObject({ kind: 'SHA-256', command: 'HASH' });
    expect(bestMethod(features, true)).toMatchObject({ kind: 'CRC32', command: 'XCRC' });
    expect(bestMethod(new Map(), false)).toBeUndefined();
  });

  test('addresses of data connections', () => {
    expect(epsvPort('229 Extended (|||6446|)')).toBe(6446);
    expect(epsvPort('229 Extended (!!!6446!)')).toBe(6446);
    expect(epsvPort('229 Extended (|||0|)')).toBeUndefined();
    expect(pasvAddress('227 Passive (10,0,0,7,4,1).')).toEqual({ host: '10.0.0.7', port: 1025 });
    expect(pasvAddress('227 Passive (10,0,0,7,400,1).')).toBeUndefined();
  });
});

describe('passive mode', () => {
  const listening = async (host: string, port: number, onData: (bytes: Buffer) => void) => {
    const server = createServer((socket) => socket.on('data', onData).on('error', () => {}));
    closers.push(() => server.close());
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  /** Uploads to a server whose PASV names another machine; tells who got the bytes. */
  async function throughNat(changes: Partial<Destination>): Promise<string[]> {
    const reached: string[] = [];
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const reach = (who: string) => () => {
      reached.push(who);
      resolve();
    };
    const port = await listening('127.0.0.1', 0, reach('control host'));
    await listening('127.0.0.2', port, reach('named by PASV'));
    const { session } = await start(
      {
        answer(command) {
          if (command === 'EPSV') return '500 Unknown.';
          if (command === 'PASV') return `227 (127,0,0,2,${port >> 8},${port & 255})`;
          return command === 'STOR' ? '150 Go ahead.' : undefined;
        },
      },
      changes,
    );
    const over = new AbortController();
    const stored = session.store(PATH, bytes(), content.length, () => {}, over.signal);
    stored.catch(() => {});
    await arrived;
    over.abort();
    await expect(stored).rejects.toMatchObject({ name: 'FerryError' });
    return [...new Set(reached)];
  }

  test('goes to the control host, whatever address PASV names', async () => {
    expect(await throughNat({})).toEqual(['control host']);
    expect(await throughNat({ trustPasvAddress: false })).toEqual(['control host']);
  });

  test('goes to the address that PASV names where the destination allows it', async () => {
    expect(await throughNat({ trustPasvAddress: true })).toEqual(['named by PASV']);
  });

  test('a server that only knows active mode is refused with advice', async () => {
    const { session } = await start({
      answer: (command) => (/^(EPSV|PASV)$/.test(command) ? '502 No.' : undefined),
    });
    const stored = session.store(PATH, bytes(), content.length, () => {}, never);
    await expect(stored).rejects.toMatchObject({ code: 'target_refused', retryable: false });
    await expect(stored).rejects.toThrow(/active mode only/);
  });

  test('EPSV and SIZE go out together when an upload follows, and the port is used', async () => {
    const { session, server } = await start(offering(['REST STREAM']));
    await session.store(PATH, bytes(), content.length, () => {}, never);
    await session.size('/in/b', 'store');
    await session.store('/in/b', bytes(), content.length, () => {}, never);
    expect(server.files.get('/in/b')?.equals(content)).toBe(true);
    expect(server.commands.filter((line) => line === 'EPSV')).toHaveLength(2);
  });

  test('a rename asks for what the next upload begins with, which then asks nothing more', async () => {
    const { session, server } = await start(offering(['REST STREAM']));
    await session.store(PATH, bytes(), content.length, () => {}, never);
    expect(await session.rename(PATH, '/in/a', '/in/b')).toBe(content.length);
    const asked = server.commands.length;
    expect(await session.size('/in/b', 'store')).toBeUndefined();
    expect(server.commands.length).toBe(asked);
    await session.store('/in/.b.part', bytes(), content.length, () => {}, never);
    expect(server.commands.slice(asked)[0]).toBe('STOR /in/.b.part');
    expect(server.files.get('/in/.b.part')?.equals(content)).toBe(true);
  });

  test('what was asked ahead is not believed once anything else was asked', async () => {
    const { session, server } = await start(offering(['REST STREAM']));
    await session.store(PATH, bytes(), content.length, () => {}, never);
    await session.rename(PATH, '/in/a', '/in/b');
    server.files.set('/in/b', Buffer.from('of somebody else'));
    await session.size('/in/c');
    expect(await session.size('/in/b', 'store')).toBe(16);
  });

  test('a small file that is refused after its bytes have left is a refusal, and the session goes on', async () => {
    const { session, server } = await start(offering(['REST STREAM']));
    const small = content.subarray(0, 1_000);
    async function* few(): AsyncGenerator<Buffer> {
      yield small;
    }
    const store = (path: string) => session.store(path, few(), small.length, () => {}, never);
    await store('/in/1');
    server.script = { ...server.script, store: (upload) => upload.reply('553 Not there.') };
    await expect(store('/in/2')).rejects.toMatchObject({ code: 'target_refused' });
    server.script = { ...offering(['REST STREAM']) };
    await store('/in/3');
    expect(server.files.get('/in/3')?.equals(small)).toBe(true);
    expect(server.files.has('/in/2')).toBe(false);
  });
});
