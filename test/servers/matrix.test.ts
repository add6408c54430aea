/** Every FTP server that people really have, plain and over TLS, against everything that goes right and wrong there. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Destination } from '../../core/policy-config.ts';
import type { ExistingPolicy, PlannedObject, Transfer } from '../../core/transfer.ts';
import { createFtpTarget } from '../../worker/ftp-target.ts';
import type { Source } from '../../worker/source.ts';
import { type Network, type NetworkOptions, portsOf, startNetwork } from '../chaos/network.ts';
import { useDynamoDb } from '../support/dynamodb.ts';
import { requireAll } from '../support/require.ts';
import { plannedObject, policy } from '../support/transfers.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';
import { canMount, FULL_FOLDER, FULL_FOLDER_BYTES, READ_ONLY_FOLDER, type RunningServer } from './daemon.ts';
import { type Cell, SERVERS } from './servers.ts';

const MIB = 2 ** 20;
const LARGE = 16 * MIB;
/** Has several places at which an upload can go on, and far more behind the cut than buffers on the way can hold. */
const CUT_SIZE = 32 * MIB;
const CUT_AT = 14 * MIB;
const content = randomBytes(CUT_SIZE);

/** Objects whose bytes are the beginning of `content`, by size alone. */
const source: Source = {
  check: async ({ object }) => ({ size: object.size }),
  async *read({ object }, start, signal, end = object.size) {
    for (let at = start; at < end; at += 64 * 1024) {
      signal.throwIfAborted();
      yield content.subarray(at, Math.min(end, at + 64 * 1024));
    }
  },
};

const TIMES = { connectMs: 5_000, replyMs: 5_000, stall: 5_000, finalReply: 5_000, reason: 1_000 };
/** Names that bite: quotes, signs of shells and URLs, other scripts, blanks at the ends, a leading dash. */
const AWKWARD = [
  `it's "quoted".csv`,
  'back\\slash.csv',
  'blank after ',
  'per%20cent & semi;colon.csv',
  'Übersicht 第三季度 Ω 🚢.csv',
  '-rf [x] {y} *?.csv',
  '  blanks before.csv',
  '#hash ~tilde $dollar `tick`.csv',
];

const db = useDynamoDb();

// Beside each other: proftpd and pure-ftpd let their clients wait for most of the time.
describe.concurrent.each(SERVERS)('$name', (subject) => {
  const { start } = subject;
  const why = typeof start === 'string' ? start : undefined;
  if (why !== undefined || typeof start === 'string') {
    const isMissing = subject.missing === true;
    test.runIf(isMissing && requireAll())('is installed', () => expect.fail(why));
    test.skip(`cannot be asked: ${why}`, () => {});
    return;
  }

  let server: RunningServer;
  let rig: WorkerRig;
  const networks: Network[] = [];
  beforeAll(async () => {
    server = await start();
    rig = createWorkerRig(db);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') {
      for (const line of rig.lines) process.stdout.write(`${JSON.stringify(line).slice(0, 1_000)}\n`);
    }
    await Promise.all(networks.splice(0).map((network) => network.stop()));
    rig.lines.length = 0;
  });
  afterAll(() => server?.stop());

  function cell(name: Cell, run: () => Promise<void>): void {
    const reason =
      subject.cannot?.[name] ??
      ((name === 'disk full' || name === 'permission denied') && !canMount
        ? 'only root can make a folder without room or rights'
        : undefined);
    // One after the other on one server: `server killed mid-file` ends it for all.
    if (reason === undefined) test(name, { concurrent: false }, run);
    else test.skip(`${name}: cannot, because ${reason}`, run);
  }

  interface Sending {
    readonly existing?: ExistingPolicy;
    readonly network?: Network;
    readonly login?: { readonly user?: string; readonly password?: string };
    readonly times?: Partial<typeof TIMES>;
    readonly tries?: number;
  }

  /** Carries objects, named by path and size, through the whole workflow. */
  async function send(files: Readonly<Record<string, number>>, sending: Sending = {}): Promise<Transfer> {
    const { network, login = {} } = sending;
    const destination: Destination = {
      aliases: [],
      host: network?.host ?? server.host,
      port: server.port,
      tls: server.tls,
      user: login.user ?? server.user,
      password: 'env:UNUSED',
      folder: server.ftpRoot || '/',
      existing: 'refuse',
      maxConnections: 2,
    };
    const objects: PlannedObject[] = Object.entries(files).map(([path, size], index) =>
      plannedObject(index, { size, targetPath: `${server.ftpRoot}/${path}` }),
    );
    const transfer = await rig.queued(objects, { existing: sending.existing ?? 'refuse' });
    await rig.run(transfer, {
      changes: {
        policy: { ...policy, destinations: { 'acme-ftp': destination } },
        openSource: async () => ({ source, openedAt: [], close: async () => {} }),
        openTarget: () =>
          createFtpTarget(destination, async () => login.password ?? server.password, rig.log, {
            name: 'acme-ftp',
            ca: async () => server.ca,
            times: { ...TIMES, ...sending.times },
          }),
        retry: { tries: sending.tries ?? 4, pauseMs: () => 150 },
        streamRuns: 1,
      },
    });
    return rig.get(transfer.transferId);
  }

  async function network(options: Pick<NetworkOptions, 'plan' | 'onMove'>): Promise<Network> {
    const made = await startNetwork({ upstream: server.host, ports: portsOf(server), ...options });
    networks.push(made);
    return made;
  }

  const isData = ({ port }: { readonly port: number }) => port !== server.port;
  const stored = (path: string) => readFileSync(server.seen(path));
  const arrived = (path: string, size: number) => stored(path).equals(content.subarray(0, size));
  const temporaryFiles = () =>
    readdirSync(server.seen(''), { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.includes('.fileferry-'),
    );

  /** Fails with the log's own words, which say more than a wrong status. */
  function expectCompleted(transfer: Transfer): void {
    expect(transfer.failure?.message).toBeUndefined();
    expect(transfer.status).toBe('completed');
    expect(temporaryFiles()).toEqual([]);
  }

  function expectFailed(transfer: Transfer, ...codes: string[]): void {
    expect(transfer.status).toBe('failed');
    expect(transfer.failure?.step).toBe('stream');
    expect(codes).toContain(transfer.failure?.code);
    expect(transfer.failure?.message).not.toContain('could not be removed');
    expect(temporaryFiles()).toEqual([]);
  }

  cell('store', async () => {
    const files = { 'none.bin': 0, 'one.bin': 1, 'odd.bin': 1_000_001 };
    const transfer = await send(files);
    expectCompleted(transfer);
    for (const [path, size] of Object.entries(files)) expect(arrived(path, size)).toBe(true);
    expect(transfer.verified).toContain(subject.verifies);
  });

  cell('resume after cut', async () => {
    let cuts = 0;
    const way = await network({
      plan: (link) => {
        if (!isData(link) || cuts > 0) return [];
        cuts += 1;
        return [{ fault: { kind: 'reset' }, after: CUT_AT, counting: 'up' }];
      },
    });
    expectCompleted(await send({ 'cut.bin': CUT_SIZE }, { network: way }));
    expect(cuts).toBe(1);
    expect(arrived('cut.bin', CUT_SIZE)).toBe(true);
    const again = way.upBeside(server.port) - CUT_SIZE;
    // RST takes with it what the server had not read yet; a restart would send all that had arrived twice.
    if (subject.resumes) expect(again).toBeLessThan(12 * MIB);
    else expect(again).toBeGreaterThanOrEqual(CUT_AT);
  });

  cell('rename over existing', async () => {
    const old = Buffer.from('what was there before');
    for (const name of ['refused.bin', 'replaced.bin', 'beside.bin']) {
      writeFileSync(server.seen(name), old, { mode: 0o666 });
    }
    expectFailed(await send({ 'refused.bin': 5_000 }), 'target_exists');
    expect(stored('refused.bin').equals(old)).toBe(true);
    expectCompleted(await send({ 'replaced.bin': 5_000 }, { existing: 'overwrite' }));
    expect(arrived('replaced.bin', 5_000)).toBe(true);
    expectCompleted(await send({ 'beside.bin': 5_000 }, { existing: 'rename' }));
    expect(stored('beside.bin').equals(old)).toBe(true);
    expect(arrived('beside (1).bin', 5_000)).toBe(true);
  });

  cell('awkward names', async () => {
    const names = AWKWARD.filter((name) => !subject.mangles?.test(name));
    const files = Object.fromEntries(names.map((name, index) => [`names/${name}`, 1_000 + index]));
    expectCompleted(await send(files));
    expect(readdirSync(server.seen('names')).sort()).toEqual(names.sort());
    for (const [path, size] of Object.entries(files)) expect(arrived(path, size)).toBe(true);
  });

  cell('nested paths', async () => {
    const files = { 'a/b/c/d/deep.bin': 2_000, 'a/b/other/file.bin': 3_000, 'a/b c/blank.bin': 4_000 };
    expectCompleted(await send(files));
    for (const [path, size] of Object.entries(files)) expect(arrived(path, size)).toBe(true);
  });

  cell('disk full', async () => {
    const path = `${FULL_FOLDER}/large.bin`;
    const transfer = await send({ [path]: 3 * FULL_FOLDER_BYTES });
    expectFailed(transfer, ...(subject.callsFull ?? ['target_full']));
    expect(readdirSync(server.seen(FULL_FOLDER))).toEqual([]);
  });

  cell('permission denied', async () => {
    expectFailed(await send({ [`${READ_ONLY_FOLDER}/file.bin`]: 5_000 }), 'target_refused');
  });

  cell('login refused', async () => {
    // pure-ftpd thinks for three to six seconds before it refuses; giving up on it would only mean asking again.
    const times = { connectMs: 15_000, replyMs: 15_000 };
    const transfer = await send({ 'never.bin': 5_000 }, { login: subject.wrongLogin, times });
    expectFailed(transfer, 'target_login_refused');
    expect(JSON.stringify(transfer)).not.toContain('wrong horse');
  });

  cell('stall', async () => {
    let stalls = 0;
    const way = await network({
      plan: (link) => {
        if (!isData(link) || stalls > 0) return [];
        stalls += 1;
        return [{ fault: { kind: 'stall' }, after: MIB, counting: 'up' }];
      },
    });
    expectCompleted(await send({ 'stall.bin': LARGE }, { network: way, times: { stall: 400 } }));
    expect(arrived('stall.bin', LARGE)).toBe(true);
    expect(rig.lines).toContainEqual(expect.objectContaining({ msg: 'trying again', code: 'timeout' }));
  });

  cell('server killed mid-file', async () => {
    let restarted: Promise<void> | undefined;
    const way = await network({
      onMove: (link) => {
        if (isData(link) && link.up > 4 * MIB) restarted ??= server.kill().then(server.restart);
      },
    });
    // Until it is there again.
    expectCompleted(await send({ 'killed.bin': LARGE }, { network: way, tries: 100 }));
    expect(restarted).toBeDefined();
    await restarted;
    expect(arrived('killed.bin', LARGE)).toBe(true);
  });

  cell('control idle drop', async () => {
    let dropped = 0;
    const way = await network({
      onMove: (link) => {
        if (!isData(link) || link.up < MIB || dropped > 0) return;
        // As a NAT gateway does it: without a word to either side.
        for (const other of way.links) if (!isData(other)) other.apply({ kind: 'half-open' });
        dropped += 1;
      },
    });
    const transfer = await send({ 'nat.bin': LARGE }, { network: way, times: { finalReply: 500 } });
    expectCompleted(transfer);
    expect(dropped).toBe(1);
    expect(arrived('nat.bin', LARGE)).toBe(true);
    // Asking for the size was enough: nothing was sent twice.
    expect(way.upBeside(server.port)).toBeLessThan(LARGE + MIB);
  });
});
