import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Destination } from '../core/policy-config.ts';
import type { Transfer } from '../core/transfer.ts';
import { type Fault, type Network, portsOf, startNetwork } from '../test/chaos/network.ts';
import { type FaultScript, type FaultServer, startFaultServer } from '../test/fakes/ftp-fault-server.ts';
import type { RunningServer } from '../test/servers/daemon.ts';
import { startProftpd } from '../test/servers/proftpd.ts';
import { findProgram } from '../test/servers/program.ts';
import { startVsftpd } from '../test/servers/vsftpd.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { requireOrSkip } from '../test/support/require.ts';
import { plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type RigOptions, type WorkerRig } from '../test/support/worker-rig.ts';
import { patienceFor } from './ftp-read-back.ts';
import { createFtpTarget } from './ftp-target.ts';
import type { Source } from './source.ts';

const db = useDynamoDb();
const vsftpd = requireOrSkip('vsftpd');
const proftpd = requireOrSkip('proftpd') ? findProgram('proftpd') : undefined;
const MIB = 2 ** 20;
/** Far more behind the fault than buffers on the way can hold. */
const SIZE = 32 * MIB;
const content = randomBytes(SIZE);
const TIMES = { stall: 500, reason: 200 };

const source: Source = {
  check: async () => ({ size: SIZE, crc32: crc32(content) }),
  async *read(_what, start, signal, end = SIZE) {
    for (let at = start; at < end; at += 64 * 1024) {
      signal.throwIfAborted();
      yield content.subarray(at, Math.min(end, at + 64 * 1024));
    }
  },
};

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** One run may try twice, and no run follows it. */
function optionsFor(
  rig: WorkerRig,
  at: Pick<Destination, 'host' | 'port' | 'user' | 'folder'>,
  password = 'pw',
): RigOptions {
  const destination: Destination = {
    ...{ aliases: [], tls: 'none', password: 'env:UNUSED', existing: 'overwrite', maxConnections: 1 },
    ...at,
  };
  const { policy } = rig.deps();
  return {
    changes: {
      policy: { ...policy, destinations: { 'acme-ftp': destination } },
      openSource: async () => ({ source, openedAt: [], close: async () => {} }),
      openTarget: () =>
        createFtpTarget(destination, async () => password, rig.log, { name: 'acme-ftp', times: TIMES }),
      retry: { tries: 2, pauseMs: () => 1 },
    },
  };
}

const gaveUp = (rig: WorkerRig) =>
  rig.lines.filter(({ msg }) => msg === 'what was left cannot be read: beginning anew').length;

describe('an upload that broke off, on a real server', () => {
  /** The first data connection meets a fault after 5 MiB. */
  async function start(starting: Promise<RunningServer>, fault: Fault) {
    const server = await starting;
    stops.push(() => server.stop());
    let struck = false;
    const network: Network = await startNetwork({
      upstream: server.host,
      ports: portsOf(server),
      onMove(link) {
        if (struck || link.port === server.port || link.up < 5 * MIB) return;
        struck = true;
        link.apply(fault);
      },
    });
    stops.push(() => network.stop());
    const rig = createWorkerRig(db);
    const folder = `${server.ftpRoot}/incoming`;
    const { port, user, password } = server;
    const at = { host: network.host, port, user, folder };
    const transfer = await rig.queued([plannedObject(0, { size: SIZE, targetPath: `${folder}/big.bin` })], {
      existing: 'overwrite',
    });
    return { server, rig, transfer, options: optionsFor(rig, at, password), wasStruck: () => struck };
  }

  it.runIf(vsftpd)('is sent anew within the run where vsftpd keeps the file locked', async () => {
    const starting = startVsftpd(vsftpd ?? '', { tls: 'none' });
    const { server, rig, transfer, options, wasStruck } = await start(starting, { kind: 'half-open' });
    expect(await rig.run(transfer, options)).toBe('completed');
    expect(wasStruck()).toBe(true);
    expect(gaveUp(rig)).toBe(1);
    expect(readdirSync(`${server.root}/incoming`)).toEqual(['big.bin']);
    expect(readFileSync(`${server.root}/incoming/big.bin`).equals(content)).toBe(true);
    expect((await rig.get(transfer.transferId)).verified).toBe('size + CRC32 by S3');
  });

  it.runIf(proftpd)('goes on where proftpd reckons SHA-256 alone, and is compared whole', async () => {
    if (!proftpd) return;
    const starting = startProftpd(proftpd, { tls: 'none', settings: ['DigestAlgorithms sha256'] });
    const { server, rig, transfer, options, wasStruck } = await start(starting, { kind: 'reset' });
    expect(await rig.run(transfer, options)).toBe('completed');
    expect(wasStruck()).toBe(true);
    expect(rig.lines.some(({ msg }) => msg === 'going on in the middle of the file')).toBe(true);
    expect(readFileSync(`${server.root}/incoming/big.bin`).equals(content)).toBe(true);
    expect((await rig.get(transfer.transferId)).verified).toBe('size + CRC32 by S3 + SHA-256 by server');
  });
});

describe('a file that a server keeps from us', () => {
  const temporary = ({ transferId }: Transfer, upload = '') =>
    `/incoming/.fileferry-${transferId}-0-1${upload}.part`;
  const sentTo = ({ commands }: FaultServer) =>
    commands.filter((line) => line.startsWith('STOR ')).map((line) => line.slice(5));

  /** The first upload breaks off after 5 MiB, which stay. */
  async function start(answer: NonNullable<FaultScript['answer']>) {
    let uploads = 0;
    const server = await startFaultServer({
      answer: (command, argument) =>
        command === 'FEAT' ? '211-Features:\r\n REST STREAM\r\n211 End' : answer(command, argument),
      async store(upload) {
        uploads += 1;
        upload.reply('150 Go ahead.');
        upload.keep(await upload.receive(uploads === 1 ? 5 * MIB : undefined));
        upload.reply(uploads === 1 ? '426 Broken.' : '226 Done.');
      },
    });
    stops.push(() => server.stop());
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([plannedObject(0, { size: SIZE, targetPath: '/incoming/big.bin' })], {
      existing: 'overwrite',
    });
    const at = { host: '127.0.0.1', port: server.port, user: 'ferry', folder: '/incoming' };
    return { server, rig, transfer, options: optionsFor(rig, at) };
  }

  it('is asked for once, and left alone under its own name', async () => {
    const { server, rig, transfer, options } = await start((command) =>
      command === 'RETR' ? '' : undefined,
    );
    expect(await rig.run(transfer, options)).toBe('completed');
    expect(gaveUp(rig)).toBe(1);
    expect(server.commands.filter((line) => line.startsWith('RETR'))).toHaveLength(1);
    expect(sentTo(server)).toEqual([temporary(transfer), temporary(transfer, '-2')]);
    expect([...server.files.keys()]).toEqual(['/incoming/big.bin']);
    expect(server.files.get('/incoming/big.bin')?.equals(content)).toBe(true);
  });

  it('is not waited for again when the server takes no connection after that', async () => {
    let refusals = 0;
    let silent = false;
    const { server, rig, transfer, options } = await start((command) => {
      if (command === 'RETR') {
        silent = true;
        return '';
      }
      if (command !== 'USER' || !silent || refusals > 0) return undefined;
      refusals += 1;
      return '421 Too many connections.';
    });
    const changes = { ...options.changes, retry: { tries: 3, pauseMs: () => 1 } };
    expect(await rig.run(transfer, { changes })).toBe('completed');
    expect(refusals).toBe(1);
    expect(server.commands.filter((line) => line.startsWith('RETR'))).toHaveLength(1);
    expect(server.files.get('/incoming/big.bin')?.equals(content)).toBe(true);
  });

  it('is removed at the end, when the server does not let it go before', async () => {
    const inPlace = () => server.files.has('/incoming/big.bin');
    const { server, rig, transfer, options } = await start((command) => {
      if (command === 'RETR') return '550 In use.';
      return command === 'DELE' && !inPlace() ? '450 In use.' : undefined;
    });
    expect(await rig.run(transfer, options)).toBe('completed');
    expect(sentTo(server)).toEqual([temporary(transfer), temporary(transfer, '-2')]);
    expect([...server.files.keys()]).toEqual(['/incoming/big.bin']);
    expect(server.files.get('/incoming/big.bin')?.equals(content)).toBe(true);
    expect((await rig.get(transfer.transferId)).verified).toBe('size + CRC32 by S3');
  });

  it('is told of when the server never lets it go', async () => {
    const { server, rig, transfer, options } = await start((command) =>
      command === 'RETR' || command === 'DELE' ? '550 In use.' : undefined,
    );
    expect(await rig.run(transfer, options)).toBe('completed');
    expect(server.files.get('/incoming/big.bin')?.equals(content)).toBe(true);
    expect((await rig.get(transfer.transferId)).verified).toBe(
      `size + CRC32 by S3; a temporary file could not be removed: ${temporary(transfer)}`,
    );
  });
});

it('waits as long as sending anew would take, between a part of the stall timeout and a multiple', () => {
  expect(patienceFor(0, 60_000)).toBe(10_000);
  expect(patienceFor(2 ** 31, 60_000)).toBeCloseTo(214_748, 0);
  // Longer than vsftpd keeps a lock.
  expect(patienceFor(5e12, 60_000)).toBe(360_000);
});
