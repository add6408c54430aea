import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError } from '../core/errors.ts';
import type { Destination } from '../core/policy-config.ts';
import { startFtpSrv } from '../test/servers/ftp-srv.ts';
import { startVsftpd } from '../test/servers/vsftpd.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { requireOrSkip } from '../test/support/require.ts';
import { plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type RigOptions, type WorkerRig } from '../test/support/worker-rig.ts';
import { createFtpTarget } from './ftp-target.ts';
import { MARK_BYTES } from './marks.ts';
import type { Source } from './source.ts';
import type { Target, TargetSession } from './target.ts';

const db = useDynamoDb();
const vsftpd = requireOrSkip('vsftpd');
const SIZE = 48 * 2 ** 20;
const content = randomBytes(SIZE);
const CHUNK = 2 ** 20;

const source: Source = {
  check: async () => ({ size: SIZE, crc32: crc32(content) }),
  async *read(_what, start, signal, end = SIZE) {
    for (let at = start; at < end; at += CHUNK) {
      signal.throwIfAborted();
      yield content.subarray(at, Math.min(end, at + CHUNK));
    }
  },
};

/** The real target; counts what is handed to it, and tells when so many bytes have gone. */
function counting(
  real: Target,
  sent: { bytes: number; saved?: Promise<unknown> },
  at: number,
  reached: () => void,
  changes: Partial<TargetSession> = {},
): Target {
  return {
    async connect(signal) {
      const session = await real.connect(signal);
      return {
        ...session,
        ...changes,
        store(path, data, expected, onProgress, storeSignal, extras) {
          async function* counted() {
            for await (const chunk of data) {
              if (sent.bytes < at && sent.bytes + chunk.length >= at) reached();
              sent.bytes += chunk.length;
              // The database is as far as the bytes are.
              await sent.saved;
              yield chunk;
            }
          }
          return session.store(path, counted(), expected, onProgress, storeSignal, extras);
        },
      };
    },
  };
}

interface Running {
  readonly port: number;
  readonly root: string;
  stop(): Promise<void>;
}
const SERVERS = [
  {
    name: 'vsftpd',
    missing: vsftpd === undefined,
    resumes: true,
    start: (): Promise<Running> => startVsftpd(vsftpd ?? '', { tls: 'none' }),
    folder: (root: string) => root,
    user: 'anonymous',
  },
  // It fills what was there with zeros.
  {
    name: 'ftp-srv',
    missing: false,
    resumes: false,
    start: (): Promise<Running> => startFtpSrv('ferry', 'pw'),
    folder: () => '',
    user: 'ferry',
  },
];

describe.each(SERVERS.filter(({ missing }) => !missing))('an upload that stopped, on $name', (server) => {
  let running: Running;
  let rig: WorkerRig;
  let sent: { bytes: number; saved?: Promise<unknown> };
  let real: Target;

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running.stop());
  beforeEach(() => {
    rig = createWorkerRig(db);
    sent = { bytes: 0 };
    rmSync(`${running.root}/incoming`, { recursive: true, force: true });
    const destination: Destination = {
      ...{ aliases: [], host: '127.0.0.1', port: running.port, tls: 'none', user: server.user },
      ...{ password: 'env:UNUSED', folder: '/', existing: 'overwrite', maxConnections: 4 },
    };
    real = createFtpTarget(destination, async () => 'pw', rig.log, { name: 'acme-ftp' });
  });

  const names = () => readdirSync(`${running.root}/incoming`);
  const stored = () => readFileSync(`${running.root}/incoming/big.bin`);
  const queued = () =>
    rig.queued(
      [plannedObject(0, { size: SIZE, targetPath: `${server.folder(running.root)}/incoming/big.bin` })],
      { existing: 'overwrite' },
    );
  const policyOf = (changes: RigOptions['changes'] = {}): RigOptions['changes'] => {
    const { policy } = rig.deps();
    const destinations = Object.fromEntries(
      Object.entries(policy.destinations).map(([name, one]) => [
        name,
        { ...one, folder: `${server.folder(running.root)}/incoming` },
      ]),
    );
    return {
      policy: { ...policy, destinations },
      openSource: async () => ({ source, openedAt: [], close: async () => {} }),
      openTarget: () => real,
      ...changes,
    };
  };
  const heir = (transfer: Parameters<WorkerRig['run']>[0], session: Partial<TargetSession> = {}) =>
    rig.run(transfer, {
      owner: 'heir',
      changes: policyOf({
        openTarget: () => counting(real, sent, Number.POSITIVE_INFINITY, () => {}, session),
      }),
    });

  /** A worker that is killed when so many bytes have gone: from then on, nothing that it does has an effect. */
  async function runUntilKilled(transfer: Parameters<WorkerRig['run']>[0], at: number) {
    let dead = false;
    const objects: typeof rig.objects = {
      ...rig.objects,
      async setProgress(...args) {
        if (dead) throw new FerryError('lease_lost', { userMessage: 'killed' });
        sent.saved = rig.objects.setProgress(...args);
        await sent.saved;
      },
    };
    const stopping = new AbortController();
    const target = counting(real, sent, at, () => {
      dead = true;
      stopping.abort();
    });
    const changes = policyOf({ objects, openTarget: () => target });
    await rig.run(transfer, { owner: 'killed', changes }, stopping.signal).catch(() => {});
    await rig.letLeaseLapse(transfer.transferId);
  }

  /** What the record says of the upload, and where its file is on disk. */
  async function checkpointOf(transfer: Parameters<WorkerRig['run']>[0]) {
    for await (const { progress } of rig.objects.read(transfer)) {
      if (progress.state !== 'uploading') break;
      const { bytes, tempPath } = progress.checkpoint;
      return { bytes, path: server.folder(running.root) === '' ? `${running.root}${tempPath}` : tempPath };
    }
    throw new Error('no upload is under way');
  }

  /** Half of the file, as a killed server would leave it, once ftp-srv has removed what was cut. */
  async function putBack(path: string): Promise<void> {
    await expect.poll(() => existsSync(path), { timeout: 10_000 }).toBe(false);
    writeFileSync(path, content.subarray(0, SIZE / 2));
  }

  it('goes on after a kill where it provably was, and the file is right', async () => {
    const transfer = await queued();
    await runUntilKilled(transfer, SIZE / 2);
    const { bytes, path } = await checkpointOf(transfer);
    expect(bytes).toBeGreaterThan(SIZE / 4);
    // ftp-srv removes a file whose upload was cut; a server that is killed keeps it.
    if (!server.resumes) await putBack(path);
    expect(await heir(transfer)).toBe('completed');
    expect(stored().equals(content)).toBe(true);
    expect(names()).toEqual(['big.bin']);
    const again = sent.bytes - SIZE;
    if (server.resumes) expect(again).toBeLessThanOrEqual(MARK_BYTES + 2 * CHUNK);
    // It does not say that it can.
    else expect(again).toBe(SIZE / 2);
    const { verified } = await rig.get(transfer.transferId);
    expect(verified).toBe(server.resumes ? 'size + CRC32 by S3 + seam read back' : 'size + CRC32 by S3');
  });

  it.runIf(!server.resumes)('begins anew when the server filled with zeros what was there', async () => {
    const transfer = await queued();
    await runUntilKilled(transfer, SIZE / 2);
    const { path } = await checkpointOf(transfer);
    await putBack(path);
    const before = sent.bytes;
    // What ftp-srv would do if it claimed to know REST.
    expect(await heir(transfer, { canResume: () => true })).toBe('completed');
    expect(stored().equals(content)).toBe(true);
    expect(sent.bytes - before).toBeGreaterThan(SIZE);
    expect(rig.lines.some(({ msg }) => msg === 'going on in the middle of the file')).toBe(true);
  });

  it('goes on within the lease after the connection was cut', async () => {
    const transfer = await queued();
    let cut = false;
    const cutting: Target = {
      async connect(signal) {
        const session = await real.connect(signal);
        return {
          ...session,
          store(path, data, expected, onProgress, storeSignal, extras) {
            async function* once() {
              for await (const chunk of data) {
                yield chunk;
                sent.bytes += chunk.length;
                if (cut || sent.bytes < SIZE / 2) continue;
                cut = true;
                session.close();
              }
            }
            return session.store(path, once(), expected, onProgress, storeSignal, extras);
          },
        };
      },
    };
    expect(await rig.run(transfer, { changes: policyOf({ openTarget: () => cutting }) })).toBe('completed');
    expect(cut).toBe(true);
    expect(stored().equals(content)).toBe(true);
    expect(names()).toEqual(['big.bin']);
    // The buffers on the way, up to 10 MB here, are lost with the connection.
    if (server.resumes) expect(sent.bytes - SIZE).toBeLessThan(SIZE / 2);
  });

  it.runIf(server.resumes)('begins anew when what is there is not what it wrote', async () => {
    const transfer = await queued();
    await runUntilKilled(transfer, SIZE / 2);
    const { path } = await checkpointOf(transfer);
    writeFileSync(path, Buffer.alloc(readFileSync(path).length));
    const before = sent.bytes;
    expect(await heir(transfer)).toBe('completed');
    expect(sent.bytes - before).toBe(SIZE);
    expect(stored().equals(content)).toBe(true);
  });

  it.runIf(server.resumes)('goes back to an earlier place when the server holds less', async () => {
    const transfer = await queued();
    await runUntilKilled(transfer, SIZE - 1);
    const { bytes, path } = await checkpointOf(transfer);
    expect(bytes).toBeGreaterThan(MARK_BYTES);
    writeFileSync(path, content.subarray(0, bytes - 1));
    const before = sent.bytes;
    expect(await heir(transfer)).toBe('completed');
    expect(sent.bytes - before).toBeGreaterThan(SIZE - bytes);
    expect(sent.bytes - before).toBeLessThan(SIZE);
    expect(stored().equals(content)).toBe(true);
  });

  it('finds the file also after a crash between taking it over and writing that down', async () => {
    const transfer = await queued();
    await runUntilKilled(transfer, SIZE / 2);
    const objects: typeof rig.objects = {
      ...rig.objects,
      async setProgress(which, index, progress, token) {
        const isNotice = progress.state === 'uploading' && progress.checkpoint.movedTo !== undefined;
        if (!isNotice) throw new FerryError('lease_lost', { userMessage: 'killed' });
        await rig.objects.setProgress(which, index, progress, token);
      },
    };
    expect(await rig.run(transfer, { owner: 'second', changes: policyOf({ objects }) })).toBe('lease lost');
    await rig.letLeaseLapse(transfer.transferId);
    const before = sent.bytes;
    expect(await heir(transfer)).toBe('completed');
    expect(names()).toEqual(['big.bin']);
    expect(stored().equals(content)).toBe(true);
    if (server.resumes) expect(sent.bytes - before).toBeLessThan(SIZE);
  });
});
