import { describe, expect, it } from 'vitest';
import { FerryError } from '../core/errors.ts';
import type { Transfer } from '../core/transfer.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { contentOf } from '../test/support/memory-ends.ts';
import { bob, plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type WorkerRig } from '../test/support/worker-rig.ts';

const db = useDynamoDb();
const FINAL = '/incoming/file-0.csv';
const OBJECT = plannedObject(0, { size: 3_000 });
/** As large as the new file: sizes do not tell them apart. */
const OLD = Buffer.alloc(OBJECT.size, 'o');
const NEW = contentOf(OBJECT.key, OBJECT.size);

const denied = () =>
  new FerryError('target_refused', {
    userMessage: 'acme-ftp answered 550 "Denied". No file under its final name was touched.',
  });

/** A destination with an old file, whose server refuses to rename over a file and what `refuses` says. */
function createStubborn(refuses: (from: string, to: string) => boolean = () => false): WorkerRig {
  const rig = createWorkerRig(db);
  rig.target.files.set(FINAL, OLD);
  rig.target.before = (command) => {
    const [verb, from = '', to = ''] = command.split(' ');
    if (verb === 'RNTO' && (rig.target.files.has(to) || refuses(from, to))) throw denied();
  };
  return rig;
}

const queued = (rig: WorkerRig) => rig.queued([OBJECT], { existing: 'overwrite' });
const names = (rig: WorkerRig) => [...rig.target.files.keys()];
const aside = ({ transferId }: Transfer) => `/incoming/.fileferry-${transferId}-0-old.part`;
const isAside = (path: string) => path.includes('-old.part');

async function retried(rig: WorkerRig, transfer: Transfer) {
  const { transfer: again } = await rig.store.change(transfer.transferId, (current) => ({
    next: { ...current, status: 'queued', attempt: current.attempt + 1 },
    result: undefined,
  }));
  return rig.run(again);
}

it('moves the old file aside, puts the new one in place, and removes the old one last', async () => {
  const rig = createStubborn();
  const transfer = await queued(rig);
  expect(await rig.run(transfer)).toBe('completed');
  expect(names(rig)).toEqual([FINAL]);
  expect(rig.target.files.get(FINAL)?.equals(NEW)).toBe(true);
  const temporary = `/incoming/.fileferry-${transfer.transferId}-0-1.part`;
  expect(rig.target.commands.filter((command) => /^(RNTO|DELE)/.test(command))).toEqual([
    `RNTO ${temporary} ${FINAL}`,
    `RNTO ${FINAL} ${aside(transfer)}`,
    `RNTO ${temporary} ${FINAL}`,
    `DELE ${aside(transfer)}`,
  ]);
});

it('changes nothing where the server refuses every rename', async () => {
  const rig = createStubborn(() => true);
  const transfer = await queued(rig);
  expect(await rig.run(transfer)).toBe('failed');
  expect(names(rig)).toEqual([FINAL]);
  expect(rig.target.files.get(FINAL)?.equals(OLD)).toBe(true);
  expect((await rig.get(transfer.transferId)).failure?.message).toBe(denied().userMessage);
});

it('gives the old file its name back when the new one does not get it', async () => {
  const rig = createStubborn((from, to) => to === FINAL && !isAside(from));
  const transfer = await queued(rig);
  expect(await rig.run(transfer)).toBe('failed');
  expect(names(rig)).toEqual([FINAL]);
  expect(rig.target.files.get(FINAL)?.equals(OLD)).toBe(true);
  expect((await rig.get(transfer.transferId)).failure?.message).toBe(denied().userMessage);
});

it('says where the old file is when it cannot have its name back either; a retry sets it right', async () => {
  let refuses = true;
  const rig = createStubborn((_from, to) => refuses && to === FINAL);
  const transfer = await queued(rig);
  expect(await rig.run(transfer)).toBe('failed');
  expect(rig.target.files.get(aside(transfer))?.equals(OLD)).toBe(true);
  const { failure } = await rig.get(transfer.transferId);
  expect(failure?.message).toContain(`The old file is whole and now called ${aside(transfer)}`);
  expect(failure?.message).not.toContain('No file under its final name was touched');
  refuses = false;
  expect(await retried(rig, transfer)).toBe('completed');
  expect(names(rig)).toEqual([FINAL]);
  expect(rig.target.files.get(FINAL)?.equals(NEW)).toBe(true);
});

it('tells of the old file that it may not remove', async () => {
  const rig = createStubborn();
  const refuseOver = rig.target.before;
  rig.target.before = (command) => {
    if (command.startsWith('DELE')) throw denied();
    return refuseOver(command);
  };
  const transfer = await queued(rig);
  expect(await rig.run(transfer)).toBe('completed');
  expect(rig.target.files.get(FINAL)?.equals(NEW)).toBe(true);
  expect((await rig.get(transfer.transferId)).verified).toBe(
    `size; the old file could not be removed and is now called ${aside(transfer)}`,
  );
});

/**
 * A run that dies before the step with this number, counted from its note of the rename on: neither commands nor
 * writes of its own have an effect any more.
 */
async function runUntilDeath(rig: WorkerRig, transfer: Transfer, last: number) {
  let steps = 0;
  let counts = false;
  const step = () => {
    if (counts) steps += 1;
    if (steps >= last) throw new FerryError('lease_lost', { userMessage: 'dead' });
  };
  const refuseOver = rig.target.before;
  rig.target.before = (command) => {
    step();
    return refuseOver(command);
  };
  const objects: typeof rig.objects = {
    ...rig.objects,
    async setProgress(which, index, progress, token) {
      step();
      await rig.objects.setProgress(which, index, progress, token);
      if (progress.state === 'renaming') counts = true;
    },
  };
  const outcome = await rig.run(transfer, { owner: 'dying', changes: { objects } });
  rig.target.before = refuseOver;
  if (outcome === 'lease lost') await rig.letLeaseLapse(transfer.transferId);
  return outcome;
}

describe('a worker that dies while it replaces a file', () => {
  // Rename, both sizes, aside, rename, removal, note: a death before each of them.
  const DEATHS = [1, 2, 3, 4, 5, 6, 7];

  it.each(DEATHS)('has an heir that finishes it: before step %i', async (death) => {
    const rig = createStubborn();
    const transfer = await queued(rig);
    expect(await runUntilDeath(rig, transfer, death)).toBe('lease lost');
    expect(await rig.run(transfer, { owner: 'heir' })).toBe('completed');
    expect(names(rig)).toEqual([FINAL]);
    expect(rig.target.files.get(FINAL)?.equals(NEW)).toBe(true);
    expect(rig.source.reads).toHaveLength(1);
  });

  it('has no further steps', async () => {
    const rig = createStubborn();
    expect(await runUntilDeath(rig, await queued(rig), DEATHS.length + 1)).toBe('completed');
  });

  it.each(DEATHS)(
    'leaves one whole file under the name when it is cancelled then: before step %i',
    async (death) => {
      const rig = createStubborn();
      const transfer = await queued(rig);
      await runUntilDeath(rig, transfer, death);
      await rig.store.change(transfer.transferId, (current) => ({
        next: { ...current, cancelRequested: { by: bob, at: Date.now() } },
        result: undefined,
      }));
      expect(await rig.run(transfer, { owner: 'heir' })).toBe('cancelled');
      expect(names(rig)).toEqual([FINAL]);
      const arrived = rig.target.files.get(FINAL)?.equals(NEW) ?? false;
      expect(rig.target.files.get(FINAL)?.equals(arrived ? NEW : OLD)).toBe(true);
      const { history, progress } = await rig.get(transfer.transferId);
      const told = history.at(-1)?.text;
      expect(told).toBe(
        arrived
          ? `Cancelled by Bob. The file had arrived before and stays there: ${FINAL}.`
          : 'Cancelled by Bob.',
      );
      expect(progress?.objectsDone ?? 0).toBe(arrived ? 1 : 0);
    },
  );
});
