/** Removes the temporary files that a run which did not end well left at the destination. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import type { ObjectStore } from '../core/stores/object-store.ts';
import type { Checkpoint, ObjectState, Transfer, TransferObject } from '../core/transfer.ts';
import { checkpointOf } from './carry.ts';
import type { Lease } from './lease.ts';
import type { FailedObject } from './steps/stream.ts';
import { leftoverPaths } from './takeover.ts';
import type { Target, TargetSession } from './target.ts';

/** How often one file is tried; each time over a new connection. */
const TRIES = 4;
const PAUSE_MS = 250;

/**
 * Tries for a bounded time: the outcome is told to people either way.
 *
 * @param target undefined when the destination is not registered any more
 * @param failed the objects that did not arrive; their states say so afterwards
 * @param patienceMs after which the rest is left
 * @returns the temporary files that may still be there
 */
export async function removeLeftovers(deps: {
  transfer: Transfer;
  lease: Lease;
  objects: Pick<ObjectStore, 'read' | 'setProgress'>;
  target: Target | undefined;
  failed?: ReadonlyMap<number, FailedObject> | undefined;
  /** What temporary names end in. */
  suffix: string;
  patienceMs: number;
  log: Logger;
}): Promise<string[]> {
  const { transfer, lease, failed, suffix } = deps;
  const signal = AbortSignal.timeout(deps.patienceMs);
  let session: TargetSession | undefined;
  signal.addEventListener('abort', () => session?.close(), { once: true });
  const left: string[] = [];

  /** What became of it; `renamed`: it has its final name, which the next attempt will recognise. */
  async function remove(
    object: TransferObject,
    checkpoint: Checkpoint,
  ): Promise<'removed' | 'renamed' | 'left'> {
    const { progress } = object;
    const path = checkpoint.tempPath;
    for (let tries = 1; deps.target && !signal.aborted; tries += 1) {
      try {
        session ??= await deps.target.connect(signal);
        if (progress.state === 'renaming' && (await session.size(path)) === undefined) return 'renamed';
        for (const name of leftoverPaths(transfer.transferId, object, checkpoint, lease.token, suffix)) {
          await session.remove(name);
        }
        return 'removed';
      } catch (error) {
        session?.close();
        session = undefined;
        const again = error instanceof FerryError && error.retryable && tries < TRIES;
        const words = again
          ? 'a temporary file was not removed; trying again'
          : 'a temporary file was not removed';
        deps.log.warn({ transferId: transfer.transferId, path, err: error }, words);
        if (!again) return 'left';
        await delay(PAUSE_MS * tries, undefined, { signal }).catch(() => {});
      }
    }
    return 'left';
  }

  try {
    for await (const object of deps.objects.read(transfer)) {
      const checkpoint = checkpointOf(object.progress);
      const failure = failed?.get(object.index);
      const outcome = checkpoint ? await remove(object, checkpoint) : 'removed';
      if (checkpoint && outcome === 'left') left.push(checkpoint.tempPath);
      if (outcome !== 'removed' || (!checkpoint && !failure)) continue;
      const state: ObjectState = failure
        ? { state: 'failed', code: failure.code, message: failure.message }
        : { state: 'pending' };
      await deps.objects.setProgress(transfer, object.index, state, lease.token);
    }
  } finally {
    session?.close();
  }
  return left;
}
