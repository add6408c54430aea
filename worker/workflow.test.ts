import { describe, expect, it } from 'vitest';
import { FerryError } from '../core/errors.ts';
import { STEP_NAMES, type Transfer } from '../core/transfer.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { contentOf, createGate } from '../test/support/memory-ends.ts';
import { bob, plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type WorkerRig } from '../test/support/worker-rig.ts';

const db = useDynamoDb();

const file = (index: number, size: number) => plannedObject(index, { size });

async function statesOf(rig: WorkerRig, transfer: Transfer) {
  const states: string[] = [];
  for await (const { progress } of rig.objects.read(transfer)) states.push(progress.state);
  return states;
}

const cancelBy = (rig: WorkerRig, transferId: string) =>
  rig.store.change(transferId, (current) => ({
    next: { ...current, cancelRequested: { by: bob, at: Date.now() } },
    result: undefined,
  }));

describe('a run', () => {
  it('brings every file to its final name and tells everybody', async () => {
    const rig = createWorkerRig(db);
    const objects = [file(0, 10_500), file(1, 0), file(2, 999)];
    const transfer = await rig.queued(objects);
    expect(await rig.run(transfer)).toBe('completed');

    for (const { key, size, targetPath } of objects) {
      expect(rig.target.files.get(targetPath)?.equals(contentOf(key, size))).toBe(true);
    }
    expect(rig.target.files.size).toBe(3);
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({
      status: 'completed',
      verified: 'size',
      learned: true,
      progress: { objectsDone: 3, objectsFailed: 0, bytesDone: 11_499 },
      tickets: { user: { closed: true }, audit: { closed: true } },
    });
    for (const name of STEP_NAMES) {
      const { startedAt, endedAt, attempts } = ended.steps[name];
      expect(attempts, name).toBe(1);
      expect(endedAt, name).toBeGreaterThanOrEqual(startedAt ?? Number.POSITIVE_INFINITY);
    }
    expect(ended.messages.map(({ role }) => role)).toEqual(['approval', 'progress', 'outcome']);
    expect(await statesOf(rig, transfer)).toEqual(['done', 'done', 'done']);
    expect(await rig.leases().take(transfer.transferId, 1)).toEqual({ outcome: 'ended' });
  });

  it('can be cancelled while opening its tickets takes for ever', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 1_000)]);
    const waits = Promise.withResolvers<void>();
    let calls = 0;
    const settle = (transferId: string) => {
      calls += 1;
      // The first call only tells of the start, and nobody waits for it; the last tells of the end.
      if (calls !== 2) return calls === 1 ? Promise.resolve() : rig.settle(transferId);
      waits.resolve();
      return new Promise<void>(() => {});
    };
    const run = rig.run(transfer, { changes: { settle } });
    await waits.promise;
    await cancelBy(rig, transfer.transferId);
    expect(await run).toBe('cancelled');
  });

  it('holds to the connections that the destination allows, over all transfers', async () => {
    const rig = createWorkerRig(db);
    const many = (name: string) =>
      Array.from({ length: 6 }, (_none, index) =>
        plannedObject(index, { size: 3_000, targetPath: `/incoming/${name}/${index}` }),
      );
    const transfers = await Promise.all(['a', 'b', 'c'].map((name) => rig.queued(many(name))));
    rig.target.before = () => new Promise((resolve) => setImmediate(resolve));
    const outcomes = await Promise.all(transfers.map((transfer) => rig.run(transfer)));
    expect(outcomes).toEqual(['completed', 'completed', 'completed']);
    expect(rig.target.mostOpen).toBe(4);
    expect(rig.target.open).toBe(0);
    expect(rig.target.files.size).toBe(18);
  });

  it.each([
    ['overwrite', '/incoming/file-0.csv', 1],
    ['rename', '/incoming/file-0 (2).csv', 3],
  ] as const)('does as the destination says when the name is taken: %s', async (existing, path, count) => {
    const rig = createWorkerRig(db);
    rig.target.files.set('/incoming/file-0.csv', Buffer.from('old'));
    if (existing === 'rename') rig.target.files.set('/incoming/file-0 (1).csv', Buffer.from('older'));
    const transfer = await rig.queued([file(0, 2_000)], { existing });
    expect(await rig.run(transfer)).toBe('completed');
    expect(rig.target.files.get(path)?.length).toBe(2_000);
    expect(rig.target.files.size).toBe(count);
  });

  it('refuses a taken name before any byte is sent', async () => {
    const rig = createWorkerRig(db);
    rig.target.files.set('/incoming/file-0.csv', Buffer.from('old'));
    const transfer = await rig.queued([file(0, 2_000)]);
    expect(await rig.run(transfer)).toBe('failed');
    expect(await rig.get(transfer.transferId)).toMatchObject({
      failure: { code: 'target_exists', step: 'stream', message: expect.stringContaining('already exists') },
    });
    expect(rig.target.files.get('/incoming/file-0.csv')?.toString()).toBe('old');
    expect(rig.target.commands.some((command) => command.startsWith('STOR'))).toBe(false);
  });

  it('replaces a file also where the server refuses to rename over it', async () => {
    const rig = createWorkerRig(db);
    rig.target.files.set('/incoming/file-0.csv', Buffer.from('old'));
    rig.target.before = (command) => {
      const over = command.startsWith('RNTO') && command.endsWith(' /incoming/file-0.csv');
      if (over && rig.target.files.has('/incoming/file-0.csv')) {
        throw new FerryError('target_refused', { userMessage: '550 File exists' });
      }
    };
    const transfer = await rig.queued([file(0, 2_000)], { existing: 'overwrite' });
    expect(await rig.run(transfer)).toBe('completed');
    expect(rig.target.files.get('/incoming/file-0.csv')?.length).toBe(2_000);
  });

  it('tries again on a new connection what may work the next time', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 5_000)]);
    const cut = () => new FerryError('source_unreadable', { retryable: true, userMessage: 'cut' });
    rig.source.faults.set(file(0, 0).key, [cut(), cut()]);
    expect(await rig.run(transfer)).toBe('completed');
    expect(rig.source.reads).toHaveLength(3);
    expect(rig.target.commands.filter((command) => command === 'USER')).toHaveLength(3);
    expect(rig.target.files.get('/incoming/file-0.csv')?.equals(contentOf(file(0, 0).key, 5_000))).toBe(true);
  });
});

describe('a run that fails', () => {
  it('says what happened, removes its temporary file, and keeps what had arrived', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000), file(1, 4_000)]);
    const full = () => new FerryError('target_full', { userMessage: 'The disk of acme-ftp is full.' });
    rig.source.faults.set(file(1, 0).key, [full()]);
    rig.source.gates.set(file(1, 0).key, gateOnceDone(rig, transfer, 0));
    expect(await rig.run(transfer)).toBe('failed');
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({
      status: 'failed',
      learned: true,
      failure: {
        code: 'target_full',
        step: 'stream',
        message: 'The disk of acme-ftp is full. 1 of 2 files had arrived before and stay there.',
      },
      progress: { objectsDone: 1, objectsFailed: 1 },
    });
    expect(ended.failure?.reference).toBeUndefined();
    expect([...rig.target.files.keys()]).toEqual(['/incoming/file-0.csv']);
    expect(await statesOf(rig, transfer)).toEqual(['done', 'failed']);
  });

  it('carries on from there when a person retries it', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000), file(1, 4_000)]);
    rig.source.faults.set(file(1, 0).key, [new FerryError('target_full', { userMessage: 'full' })]);
    rig.source.gates.set(file(1, 0).key, gateOnceDone(rig, transfer, 0));
    await rig.run(transfer);
    const again = await rig.queuedAgain(transfer);
    rig.source.reads.length = 0;
    expect(await rig.run(again)).toBe('completed');
    expect(rig.source.reads).toEqual([file(1, 0).key]);
    expect(await rig.get(transfer.transferId)).toMatchObject({ learned: true, progress: { objectsDone: 2 } });
  });

  it('removes the temporary file over a new connection when the first one breaks', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    rig.source.faults.set(file(0, 0).key, [new FerryError('not_allowed', { userMessage: 'No.' })]);
    let breaks = 1;
    rig.target.before = (command) => {
      if (!command.startsWith('DELE') || breaks === 0) return;
      breaks -= 1;
      throw new FerryError('target_unreachable', { retryable: true, userMessage: 'It broke.' });
    };
    expect(await rig.run(transfer)).toBe('failed');
    expect((await rig.get(transfer.transferId)).failure?.message).toBe('No.');
    expect(rig.temporaryFiles()).toEqual([]);
  });

  it('names the temporary file that it could not remove', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    rig.source.faults.set(file(0, 0).key, [new FerryError('not_allowed', { userMessage: 'No.' })]);
    rig.target.before = (command) => {
      if (command.startsWith('DELE')) throw new FerryError('target_refused', { userMessage: '550' });
    };
    expect(await rig.run(transfer)).toBe('failed');
    const { failure } = await rig.get(transfer.transferId);
    const path = `/incoming/.fileferry-${transfer.transferId}-0-1.part`;
    expect(failure?.message).toBe(`No. A temporary file could not be removed: ${path}.`);
    expect(await statesOf(rig, transfer)).toEqual(['uploading']);
  });

  it('gives an unexpected error a reference that the log has too', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    const openTarget = () => {
      throw new TypeError('a defect');
    };
    expect(await rig.run(transfer, { changes: { openTarget } })).toBe('failed');
    const { failure } = await rig.get(transfer.transferId);
    expect(failure).toMatchObject({ code: 'internal', reference: expect.stringMatching(/^REF-/) });
    expect(failure?.message).toContain(failure?.reference);
    expect(rig.lines.some((line) => line.reference === failure?.reference)).toBe(true);
  });
});

/** Lets a file on only when another one is in place. */
function gateOnceDone(rig: WorkerRig, transfer: Transfer, index: number) {
  const gate = createGate();
  void (async () => {
    await gate.reached;
    while ((await statesOf(rig, transfer))[index] !== 'done') await new Promise(setImmediate);
    gate.open();
  })();
  return gate;
}

describe('one file of many', () => {
  const refusing = (rig: WorkerRig, indices: number[]) => {
    rig.target.before = (command) => {
      if (indices.some((index) => command.startsWith('STOR') && command.includes(`-${index}-`))) {
        throw new FerryError('target_refused', { userMessage: 'acme-ftp answered 553 "No such name".' });
      }
    };
  };

  it('fails alone, is named, and is all that a retry sends', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued(Array.from({ length: 70 }, (_none, index) => file(index, 100)));
    refusing(rig, [3, 66]);
    expect(await rig.run(transfer)).toBe('failed');
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({
      failure: { code: 'target_refused' },
      progress: { objectsDone: 68, objectsFailed: 2, bytesDone: 6_800 },
    });
    expect(ended.failure?.message).toMatch(/^2 of 70 files did not arrive: .*file-3\.csv, .*file-66\.csv\./);
    expect(rig.temporaryFiles()).toEqual([]);
    const states = await statesOf(rig, transfer);
    expect(states.flatMap((state, index) => (state === 'failed' ? [index] : []))).toEqual([3, 66]);

    rig.target.before = () => {};
    rig.source.reads.length = 0;
    const again = await rig.queuedAgain(transfer);
    expect(await rig.run(again)).toBe('completed');
    expect(rig.source.reads.toSorted()).toEqual([file(3, 0).key, file(66, 0).key]);
  });

  it('is not believed to fail alone when every one does', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued(Array.from({ length: 60 }, (_none, index) => file(index, 100)));
    refusing(rig, [...Array(60).keys()]);
    expect(await rig.run(transfer)).toBe('failed');
    const { progress } = await rig.get(transfer.transferId);
    expect(progress?.objectsFailed).toBeLessThan(20);
  });

  it('reads the list page by page, and keeps no more than it is at', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued(Array.from({ length: 130 }, (_none, index) => file(index, 10)));
    let ahead = 0;
    let most = 0;
    const objects: typeof rig.objects = {
      ...rig.objects,
      async *read(which) {
        for await (const object of rig.objects.read(which)) {
          if (object.progress.state !== 'done') ahead += 1;
          most = Math.max(most, ahead);
          yield object;
        }
      },
      async setProgress(which, index, state, token) {
        if (state.state === 'done') ahead -= 1;
        await rig.objects.setProgress(which, index, state, token);
      },
    };
    let streaming = false;
    rig.target.before = (command) => {
      // Validation and the look at what is done have read all; from here on it counts.
      if (!streaming && command === 'USER') ahead = most = 0;
      streaming = true;
    };
    expect(await rig.run(transfer, { changes: { objects } })).toBe('completed');
    expect(most).toBeLessThan(10);
    expect(rig.target.files.size).toBe(130);
  });
});

describe('a destination that is not ready', () => {
  it('takes fewer connections: the others carry all files', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued(Array.from({ length: 12 }, (_none, index) => file(index, 2_000)));
    rig.target.before = (command) => {
      if (command === 'USER' && rig.target.open >= 2) {
        throw new FerryError('throttled', { retryable: true, userMessage: '421 Too many users.' });
      }
    };
    expect(await rig.run(transfer)).toBe('completed');
    expect(rig.target.mostOpen).toBe(2);
    expect(rig.target.files.size).toBe(12);
  });

  it('is tried again in later runs before the transfer fails', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    rig.target.before = () => {
      throw new FerryError('target_unreachable', { retryable: true, userMessage: 'acme-ftp is down.' });
    };
    expect(await rig.run(transfer)).toBe('deferred');
    expect(await rig.get(transfer.transferId)).toMatchObject({
      status: 'running',
      waiting: { reason: 'acme-ftp is down.' },
    });
    expect(await rig.run(transfer)).toBe('deferred');
    expect(await rig.run(transfer)).toBe('failed');
    expect(await rig.get(transfer.transferId)).toMatchObject({ failure: { code: 'target_unreachable' } });
  });

  it('is left alone outside of its hours', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    const { policy } = rig.deps();
    const acme = policy.destinations['acme-ftp'];
    if (!acme) throw new Error('no destination');
    const inAnHour = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    const window = { from: inAnHour(1), to: inAnHour(2), timeZone: 'UTC' };
    const closed = { ...policy, destinations: { 'acme-ftp': { ...acme, window } } };
    expect(await rig.run(transfer, { changes: { policy: closed } })).toBe('deferred');
    expect(rig.target.commands).toEqual([]);
    const { waiting } = await rig.get(transfer.transferId);
    expect(waiting?.reason).toContain(`from ${window.from} to ${window.to}`);
    // When the window opens, whose minute had begun by now.
    expect((waiting?.until ?? 0) - (waiting?.since ?? 0)).toBeGreaterThan(58 * 60_000);
    expect(await rig.run(transfer)).toBe('completed');
  });

  it('finishes the file at hand when the window closes, and keeps the rest for the next one', async () => {
    const rig = createWorkerRig(db);
    const { policy } = rig.deps();
    const acme = policy.destinations['acme-ftp'];
    if (!acme) throw new Error('no destination');
    const inAnHour = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    const closed = { from: inAnHour(1), to: inAnHour(2), timeZone: 'UTC' };
    const destination: typeof acme = { ...acme, maxConnections: 1 };
    const changes = { policy: { ...policy, destinations: { 'acme-ftp': destination } } };

    /** Runs it, and closes the window when half of its first file is there. */
    const runIntoTheNight = async (transfer: Transfer, first: string) => {
      const gate = createGate();
      rig.source.gates.set(first, gate);
      const running = rig.run(transfer, { changes });
      await gate.reached;
      destination.window = closed;
      gate.open();
      return running;
    };
    const files = [file(0, 2_000), file(1, 2_000), file(2, 2_000)];
    const transfer = await rig.queued(files);
    expect(await runIntoTheNight(transfer, files[0]?.key ?? '')).toBe('deferred');
    expect(await statesOf(rig, transfer)).toEqual(['done', 'pending', 'pending']);
    expect((await rig.get(transfer.transferId)).waiting?.reason).toContain(`from ${closed.from}`);
    expect(rig.temporaryFiles()).toEqual([]);
    delete destination.window;
    expect(await rig.run(transfer, { changes })).toBe('completed');

    const last = plannedObject(0, { key: 'reports/last.csv', targetPath: '/incoming/last.csv', size: 2_000 });
    expect(await runIntoTheNight(await rig.queued([last]), last.key)).toBe('completed');
  });

  it('gives the file its time and temporary names as the destination wants them', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    const { policy } = rig.deps();
    const acme = policy.destinations['acme-ftp'];
    if (!acme) throw new Error('no destination');
    rig.source.check = async ({ object }) => ({ size: object.size, modifiedAt: 1_700_000_000_000 });
    const wanting = {
      ...policy,
      destinations: { 'acme-ftp': { ...acme, preserveTime: true, tempSuffix: '.tmp' } },
    };
    expect(await rig.run(transfer, { changes: { policy: wanting } })).toBe('completed');
    const temp = `/incoming/.fileferry-${transfer.transferId}-0-1.tmp`;
    expect(rig.target.commands).toContain(`MFMT 1700000000000 ${temp}`);
  });
});

describe('a run that is interrupted', () => {
  it('stops when it is cancelled, and leaves nothing behind', async () => {
    const rig = createWorkerRig(db);
    const gate = createGate();
    rig.source.gates.set(file(0, 0).key, gate);
    const transfer = await rig.queued([file(0, 5_000)]);
    const running = rig.run(transfer);
    await gate.reached;
    expect(rig.temporaryFiles()).toHaveLength(1);
    await cancelBy(rig, transfer.transferId);
    expect(await running).toBe('cancelled');
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({ status: 'cancelled', endedAt: expect.any(Number) });
    expect(ended.history.at(-1)?.text).toBe('Cancelled by Bob.');
    expect(ended.tickets.user.closed).toBe(true);
    expect(rig.target.files.size).toBe(0);
    expect(await statesOf(rig, transfer)).toEqual(['pending']);
  });

  it('hands over when its process stops; another worker finishes', async () => {
    const rig = createWorkerRig(db);
    const gate = createGate();
    rig.source.gates.set(file(0, 0).key, gate);
    const transfer = await rig.queued([file(0, 5_000)]);
    const stopping = new AbortController();
    const running = rig.run(transfer, { owner: 'leaving' }, stopping.signal);
    await gate.reached;
    stopping.abort();
    expect(await running).toBe('stopping');
    expect(await rig.get(transfer.transferId)).toMatchObject({ status: 'running' });
    for await (const { progress } of rig.objects.read(transfer)) {
      expect(progress).toMatchObject({ state: 'uploading', checkpoint: { bytes: expect.any(Number) } });
      expect(progress.state === 'uploading' && progress.checkpoint.bytes).toBeGreaterThan(0);
    }
    rig.source.gates.clear();
    expect(await rig.run(transfer, { owner: 'heir' })).toBe('completed');
    const ended = await rig.get(transfer.transferId);
    expect(ended.steps.stream.attempts).toBe(2);
    expect([...rig.target.files.keys()]).toEqual(['/incoming/file-0.csv']);
    expect(rig.target.files.get('/incoming/file-0.csv')?.equals(contentOf(file(0, 0).key, 5_000))).toBe(true);
  });

  it('is not cancelled any more once the file is in place, however long the last edit of the message takes', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    const mayRead = createGate();
    rig.source.gates.set(file(0, 0).key, mayRead);
    const edit = createGate();
    let looks = 0;
    const store: typeof rig.store = {
      ...rig.store,
      get(transferId) {
        looks += 1;
        return rig.store.get(transferId);
      },
    };
    const running = rig.run(transfer, {
      changes: {
        store,
        async showProgress() {
          mayRead.open();
          await edit.pass();
        },
      },
    });
    await edit.reached;
    await expect.poll(() => statesOf(rig, transfer)).toEqual(['done']);
    await cancelBy(rig, transfer.transferId);
    // The second one after it began when the first had come to its end.
    const before = looks;
    await expect.poll(() => looks, { timeout: 5_000 }).toBeGreaterThan(before + 1);
    edit.open();
    expect(await running).toBe('completed');
  });

  it('touches nothing any more once another worker has taken over', async () => {
    const rig = createWorkerRig(db);
    const gate = createGate();
    rig.source.gates.set(file(0, 0).key, gate);
    const transfer = await rig.queued([file(0, 5_000)]);
    // From mid-file on, the zombie cannot see the record, so it does not notice that it was replaced.
    let blind = false;
    const get: typeof rig.store.get = async (transferId) => {
      if (blind) throw new FerryError('unavailable', { retryable: true, userMessage: 'away' });
      return rig.store.get(transferId);
    };
    const zombie = rig.run(transfer, { owner: 'zombie', changes: { store: { ...rig.store, get } } });
    await gate.reached;
    blind = true;
    await rig.letLeaseLapse(transfer.transferId);
    rig.source.gates.clear();
    expect(await rig.run(transfer, { owner: 'heir' })).toBe('completed');
    const commands = rig.target.commands.length;
    gate.open();
    expect(await zombie).toBe('lease lost');
    const late = rig.target.commands.slice(commands);
    expect(late.filter((command) => /^(RNTO|DELE)/.test(command))).toEqual([]);
    expect([...rig.target.files.keys()]).toEqual(['/incoming/file-0.csv']);
    expect(await rig.get(transfer.transferId)).toMatchObject({
      status: 'completed',
      lease: { owner: 'heir' },
    });
  });

  it('recognises its own finished file after a crash between the rename and the note of it', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 3_000)]);
    const objects: typeof rig.objects = {
      ...rig.objects,
      setProgress(which, index, progress, token) {
        if (progress.state === 'done') throw new FerryError('lease_lost', { userMessage: 'crashed' });
        return rig.objects.setProgress(which, index, progress, token);
      },
    };
    expect(await rig.run(transfer, { changes: { objects } })).toBe('lease lost');
    expect([...rig.target.files.keys()]).toEqual(['/incoming/file-0.csv']);
    expect(await statesOf(rig, transfer)).toEqual(['renaming']);
    await rig.letLeaseLapse(transfer.transferId);
    // The destination refuses taken names, so taking its own file for somebody else's would fail the transfer.
    expect(await rig.run(transfer, { owner: 'heir' })).toBe('completed');
    expect(rig.source.reads).toHaveLength(1);
    expect(await rig.get(transfer.transferId)).toMatchObject({
      progress: { objectsDone: 1, bytesDone: 3_000 },
    });
  });

  it('repeats the rename after a crash just before it, without sending the bytes again', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 3_000)]);
    rig.target.before = (command) => {
      if (command.startsWith('RNTO')) throw new FerryError('lease_lost', { userMessage: 'crashed' });
    };
    expect(await rig.run(transfer)).toBe('lease lost');
    rig.target.before = () => {};
    await rig.letLeaseLapse(transfer.transferId);
    expect(await rig.run(transfer, { owner: 'heir' })).toBe('completed');
    expect(rig.source.reads).toHaveLength(1);
    expect([...rig.target.files.keys()]).toEqual(['/incoming/file-0.csv']);
  });

  it('does not take an old file for its own when a refused rename was cleaned up', async () => {
    const rig = createWorkerRig(db);
    rig.target.files.set('/incoming/file-0.csv', Buffer.alloc(3_000, 'o'));
    rig.target.before = (command) => {
      if (command.startsWith('RNTO')) throw new FerryError('target_refused', { userMessage: '550 denied' });
      if (command === 'DELE /incoming/file-0.csv') {
        throw new FerryError('target_refused', { userMessage: '550 denied' });
      }
    };
    const transfer = await rig.queued([file(0, 3_000)], { existing: 'overwrite' });
    expect(await rig.run(transfer)).toBe('failed');
    expect(rig.temporaryFiles()).toEqual([]);
    rig.target.before = () => {};
    const again = await rig.queuedAgain(transfer);
    expect(await rig.run(again)).toBe('completed');
    expect(rig.target.files.get('/incoming/file-0.csv')?.equals(contentOf(file(0, 0).key, 3_000))).toBe(true);
  });
});

describe('tickets', () => {
  it('waits for ServiceNow without losing anything, and says so once', async () => {
    const rig = createWorkerRig(db);
    rig.serviceNow.down = true;
    const transfer = await rig.queued([file(0, 1_000)]);
    expect(await rig.run(transfer)).toBe('deferred');
    expect(await rig.run(transfer)).toBe('deferred');
    const waiting = await rig.get(transfer.transferId);
    expect(waiting).toMatchObject({
      status: 'running',
      waiting: { reason: expect.stringContaining('ServiceNow') },
    });
    expect(waiting.history.filter(({ text }) => text.startsWith('Waiting'))).toHaveLength(1);
    expect(rig.target.commands).toEqual([]);
    rig.serviceNow.down = false;
    expect(await rig.run(transfer)).toBe('completed');
    expect((await rig.get(transfer.transferId)).waiting).toBeUndefined();
  });

  it('counts neither runs that were handed over nor those of an earlier attempt', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 2_000)]);
    for (let deployments = 0; deployments < 3; deployments += 1) {
      const gate = createGate();
      rig.source.gates.set(file(0, 0).key, gate);
      const stopping = new AbortController();
      const running = rig.run(transfer, {}, stopping.signal);
      await gate.reached;
      stopping.abort();
      expect(await running).toBe('stopping');
    }
    rig.source.gates.clear();
    rig.target.before = () => {
      throw new FerryError('target_unreachable', { retryable: true, userMessage: 'It restarts.' });
    };
    for (const outcome of ['deferred', 'deferred', 'failed']) expect(await rig.run(transfer)).toBe(outcome);
    const again = await rig.queuedAgain(transfer);
    expect(await rig.run(again)).toBe('deferred');
  });

  it('completes when ServiceNow goes away after the start; the reconciler closes the tickets', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 1_000)]);
    rig.target.before = () => {
      rig.serviceNow.down = true;
    };
    expect(await rig.run(transfer)).toBe('completed');
    const behind = await rig.get(transfer.transferId);
    expect(behind).toMatchObject({ status: 'completed', tickets: { user: { closed: false } } });
    expect(behind.steps['update tickets'].endedAt).toBeUndefined();
    rig.serviceNow.down = false;
    await rig.followUp(transfer.transferId);
    const settled = await rig.get(transfer.transferId);
    expect(settled.tickets.user.closed).toBe(true);
    expect(settled.steps['update tickets'].endedAt).toBeGreaterThan(0);
  });

  it('is cancelled when a ticket was, in ServiceNow, while the file was read', async () => {
    const rig = createWorkerRig(db);
    const transfer = await rig.queued([file(0, 5_000)]);
    const text = 'Cancelled, as ticket INC0010001 was in ServiceNow.';
    rig.source.faults.set(file(0, 0).key, [new FerryError('cancelled', { userMessage: text })]);
    expect(await rig.run(transfer)).toBe('cancelled');
    const ended = await rig.get(transfer.transferId);
    expect(ended).toMatchObject({ status: 'cancelled', tickets: { user: { closed: true } } });
    expect(ended.history.at(-1)?.text).toBe(text);
    expect(rig.target.files.size).toBe(0);
  });

  it('cancels when a person cancelled a ticket in ServiceNow', async () => {
    const rig = createWorkerRig(db);
    rig.serviceNow.cancelledTicket = 'INC0010001';
    const transfer = await rig.queued([file(0, 1_000)]);
    expect(await rig.run(transfer)).toBe('cancelled');
    const { history } = await rig.get(transfer.transferId);
    expect(history.at(-1)?.text).toContain('INC0010001');
    expect(rig.target.commands).toEqual([]);
  });
});
