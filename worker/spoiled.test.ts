/** A file whose content proved wrong is never gone on with, whatever ends the run after that. */
import { expect, it } from 'vitest';
import { FerryError } from '../core/errors.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { contentOf } from '../test/support/memory-ends.ts';
import { plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig, type WorkerRig } from '../test/support/worker-rig.ts';
import type { Target } from './target.ts';

const db = useDynamoDb();
const OBJECT = plannedObject(0, { size: 500_000 });
const CONTENT = contentOf(OBJECT.key, OBJECT.size);

/**
 * A server that spoils the first upload on its disk, and whose checksums are of whole files only: it tells nothing
 * about an upload that went on in the middle.
 */
function spoilsOnce({ target }: WorkerRig, onMismatch: () => void = () => {}): Target {
  let spoils = true;
  return {
    async connect(signal) {
      const session = await target.connect(signal);
      return {
        ...session,
        async store(path, data, expected, onProgress, storeSignal, extras) {
          const stored = await session.store(path, data, expected, onProgress, storeSignal, extras);
          const file = target.files.get(path);
          if (!spoils || !file) return stored;
          spoils = false;
          // Far from where an upload would go on, so that the seam holds.
          file.writeUInt8(file.readUInt8(5) ^ 1, 5);
          onMismatch();
          throw new FerryError('verification_failed', { retryable: true, userMessage: 'SHA-256 differs' });
        },
      };
    },
  };
}

/** Steps of the clock are what makes a checkpoint of every chunk. */
function restless() {
  let at = Date.now();
  return () => {
    at += 20;
    return at;
  };
}

it('begins anew in the run that follows', async () => {
  const rig = createWorkerRig(db, restless());
  const target = spoilsOnce(rig);
  const transfer = await rig.queued([OBJECT]);
  const changes = { openTarget: () => target, retry: { tries: 1, pauseMs: () => 1 } };
  expect(await rig.run(transfer, { changes })).toBe('deferred');
  expect(await rig.run(transfer, { owner: 'heir', changes })).toBe('completed');
  expect(rig.target.files.get(OBJECT.targetPath)?.equals(CONTENT)).toBe(true);
});

it('begins anew also when the worker is stopped at that very moment', async () => {
  const rig = createWorkerRig(db, restless());
  const stopping = new AbortController();
  const target = spoilsOnce(rig, () => stopping.abort());
  const transfer = await rig.queued([OBJECT]);
  const changes = { openTarget: () => target };
  expect(await rig.run(transfer, { changes }, stopping.signal)).toBe('stopping');
  expect(await rig.run(transfer, { owner: 'heir', changes })).toBe('completed');
  expect(rig.target.files.get(OBJECT.targetPath)?.equals(CONTENT)).toBe(true);
});
