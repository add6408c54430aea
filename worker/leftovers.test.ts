import { expect, it } from 'vitest';
import { FerryError } from '../core/errors.ts';
import type { Transfer } from '../core/transfer.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { contentOf } from '../test/support/memory-ends.ts';
import { bob, plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type RigOptions, type WorkerRig } from '../test/support/worker-rig.ts';

const db = useDynamoDb();
const file = (index: number, size: number) => plannedObject(index, { size });
const away = () => new FerryError('unavailable', { retryable: true, userMessage: 'away' });

/** So many files whose uploads stopped in the middle, in a transfer that waits. */
async function stopped(rig: WorkerRig, count: number): Promise<Transfer> {
  const objects = Array.from({ length: count }, (_none, index) => file(index, 5_000));
  const transfer = await rig.queued(objects);
  for (const { key } of objects) rig.source.faults.set(key, [away(), away(), away()]);
  expect(await rig.run(transfer)).toBe('deferred');
  expect(rig.temporaryFiles()).toHaveLength(count);
  return transfer;
}

const cancelBy = (rig: WorkerRig, { transferId }: Transfer) =>
  rig.store.change(transferId, (current) => ({
    next: { ...current, cancelRequested: { by: bob, at: Date.now() } },
    result: undefined,
  }));

async function cancelled(rig: WorkerRig, transfer: Transfer, options?: RigOptions): Promise<string> {
  await cancelBy(rig, transfer);
  expect(await rig.run(transfer, options)).toBe('cancelled');
  return (await rig.get(transfer.transferId)).history.at(-1)?.text ?? '';
}

it('goes on with the other files when one cannot be written down', async () => {
  const rig = createWorkerRig(db);
  const transfer = await stopped(rig, 3);
  const objects: typeof rig.objects = {
    ...rig.objects,
    async setProgress(which, index, progress, token) {
      if (index === 0) throw away();
      await rig.objects.setProgress(which, index, progress, token);
    },
  };
  expect(await cancelled(rig, transfer, { changes: { objects } })).toBe('Cancelled by Bob.');
  expect(rig.temporaryFiles()).toEqual([]);
});

it('says so when it cannot look for temporary files', async () => {
  const rig = createWorkerRig(db);
  const transfer = await stopped(rig, 2);
  const objects: typeof rig.objects = {
    ...rig.objects,
    // biome-ignore lint/correctness/useYield: it fails before the first.
    async *read() {
      throw away();
    },
  };
  expect(await cancelled(rig, transfer, { changes: { objects } })).toContain(
    'There may be temporary files left',
  );
});

it.each([
  ['removes what the server did not let go before', true],
  ['names what the server never lets go', false],
])('%s', async (_name, letsGo) => {
  const rig = createWorkerRig(db);
  rig.target.resumes = false;
  rig.target.before = (command) => {
    if (command.startsWith('DELE')) throw new FerryError('target_refused', { userMessage: '550 in use' });
  };
  const object = file(0, 5_000);
  const transfer = await rig.queued([object]);
  rig.source.faults.set(object.key, [away(), away(), away()]);
  expect(await rig.run(transfer)).toBe('deferred');
  // Each try under a name of its own.
  const tried = rig.temporaryFiles();
  expect(tried).toHaveLength(3);
  if (letsGo) rig.target.before = () => {};
  const text = await cancelled(rig, transfer);
  expect(rig.temporaryFiles()).toEqual(letsGo ? [] : tried);
  if (letsGo) expect(text).toBe('Cancelled by Bob.');
  else for (const path of tried) expect(text).toContain(path);
});

it('names them when the destination is not registered any more', async () => {
  const rig = createWorkerRig(db);
  const transfer = await stopped(rig, 2);
  const policy = { ...rig.deps().policy, destinations: {} };
  expect(await cancelled(rig, transfer, { changes: { policy } })).toContain(
    `2 temporary files could not be removed: ${rig.temporaryFiles().join(', ')}.`,
  );
});

it('takes no old file of the same size for its own when it could not finish writing down a clean-up', async () => {
  const rig = createWorkerRig(db);
  const old = Buffer.alloc(3_000, 'o');
  rig.target.files.set('/incoming/file-0.csv', old);
  rig.target.before = (command) => {
    if (!command.startsWith('RNTO') && command !== 'DELE /incoming/file-0.csv') return;
    throw new FerryError('target_refused', { userMessage: '550 denied' });
  };
  const transfer = await rig.queued([file(0, 3_000)], { existing: 'overwrite' });
  const objects: typeof rig.objects = {
    ...rig.objects,
    async setProgress(which, index, progress, token) {
      if (progress.state === 'failed') throw away();
      await rig.objects.setProgress(which, index, progress, token);
    },
  };
  expect(await rig.run(transfer, { changes: { objects } })).toBe('failed');
  expect(rig.temporaryFiles()).toEqual([]);
  rig.target.before = () => {};
  const again = await rig.queuedAgain(transfer);
  expect(await rig.run(again)).toBe('completed');
  const delivered = rig.target.files.get('/incoming/file-0.csv');
  expect(delivered?.equals(contentOf(file(0, 0).key, 3_000))).toBe(true);
});

it('tells who cancels between the rename and the note of it that the file is there', async () => {
  const rig = createWorkerRig(db);
  const transfer = await rig.queued([file(0, 2_000)]);
  rig.target.before = async (command) => {
    if (!command.startsWith('RNTO')) return;
    await cancelBy(rig, transfer);
    // The run hangs up when it has noticed.
    await expect.poll(() => rig.target.open, { timeout: 10_000 }).toBe(0);
  };
  expect(await rig.run(transfer)).toBe('cancelled');
  expect([...rig.target.files.keys()]).toEqual(['/incoming/file-0.csv']);
  const { history, progress } = await rig.get(transfer.transferId);
  expect(history.at(-1)?.text).toBe(
    'Cancelled by Bob. The file had arrived before and stays there: /incoming/file-0.csv.',
  );
  expect(progress).toMatchObject({ objectsDone: 1, bytesDone: 2_000 });
});
it('asks for few names however often the transfer was put off', async () => {
  const rig = createWorkerRig(db);
  const transfer = await stopped(rig, 2);
  // A night of waiting, with a new lease every twenty seconds.
  await rig.store.change(transfer.transferId, ({ lease, ...current }) => ({
    next: { ...current, lease: lease && { ...lease, token: 2_000 } },
    result: undefined,
  }));
  const before = rig.target.commands.length;
  expect(await cancelled(rig, transfer)).toBe('Cancelled by Bob.');
  expect(rig.temporaryFiles()).toEqual([]);
  expect(rig.target.commands.length - before).toBeLessThan(10);
});
