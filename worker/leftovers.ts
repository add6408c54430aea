/** Removes the temporary files that a run which did not end well left at the destination. */
import type { Logger } from 'pino';
import type { ObjectStore } from '../core/stores/object-store.ts';
import type { ObjectState, Transfer, TransferObject } from '../core/transfer.ts';
import { checkpointOf } from './carry.ts';
import type { Lease } from './lease.ts';
import type { FailedObject } from './steps/stream.ts';
import type { Target, TargetSession } from './target.ts';

/**
 * Tries once, for a bounded time: the outcome is told to people either way.
 *
 * @param target undefined when the destination is not registered any more
 * @param failed the object that ended the run; its state says so afterwards
 * @param patienceMs after which the rest is left
 * @returns the temporary files that may still be there
 */
export async function removeLeftovers(deps: {
  transfer: Transfer;
  lease: Lease;
  objects: Pick<ObjectStore, 'read' | 'setProgress'>;
  target: Target | undefined;
  failed?: FailedObject | undefined;
  patienceMs: number;
  log: Logger;
}): Promise<string[]> {
  const { transfer, lease, failed } = deps;
  const signal = AbortSignal.timeout(deps.patienceMs);
  let session: TargetSession | undefined;
  signal.addEventListener('abort', () => session?.close(), { once: true });
  const left: string[] = [];

  /** What became of it; `renamed`: it has its final name, which the next attempt will recognise. */
  async function remove({ progress }: TransferObject, path: string): Promise<'removed' | 'renamed' | 'left'> {
    if (!deps.target || signal.aborted) return 'left';
    try {
      session ??= await deps.target.connect(signal);
      if (progress.state === 'renaming' && (await session.size(path)) === undefined) return 'renamed';
      await session.remove(path);
      return 'removed';
    } catch (error) {
      deps.log.warn(
        { transferId: transfer.transferId, path, err: error },
        'a temporary file was not removed',
      );
      return 'left';
    }
  }

  try {
    for await (const object of deps.objects.read(transfer)) {
      const tempPath = checkpointOf(object.progress)?.tempPath;
      const isFailed = failed?.index === object.index;
      const outcome = tempPath ? await remove(object, tempPath) : 'removed';
      if (tempPath && outcome === 'left') left.push(tempPath);
      if (outcome !== 'removed' || (!tempPath && !isFailed)) continue;
      const state: ObjectState = isFailed
        ? { state: 'failed', code: failed.code, message: failed.message }
        : { state: 'pending' };
      await deps.objects.setProgress(transfer, object.index, state, lease.token);
    }
  } finally {
    session?.close();
  }
  return left;
}
