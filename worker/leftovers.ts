/** Removes the temporary files that a run which did not end well left at the destination, and says what stands there. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import { destinationOf } from '../core/policy.ts';
import type { Destination, PolicyConfig } from '../core/policy-config.ts';
import type { ObjectStore } from '../core/stores/object-store.ts';
import type { Checkpoint, ObjectState, Transfer, TransferObject } from '../core/transfer.ts';
import { atNothing, checkpointOf } from './cargo.ts';
import { NO_REMAINS, type Remains } from './endings.ts';
import type { Lease } from './lease.ts';
import { endSwap, placesOf } from './replace.ts';
import { RunStop } from './run-stop.ts';
import type { FailedObject } from './steps/stream.ts';
import { leftoverPaths, removeAll } from './takeover.ts';
import type { Target, TargetSession } from './target.ts';
import { TEMP_SUFFIX } from './target-name.ts';

/** How often one file is tried; each time over a new connection. */
const TRIES = 4;
const PAUSE_MS = 250;
/** How long this may hold up the end of a run, in milliseconds. */
const PATIENCE_MS = 8_000;

export interface LeftoversDeps {
  readonly objects: Pick<ObjectStore, 'read' | 'setProgress'>;
  readonly policy: PolicyConfig;
  readonly openTarget: (name: string, destination: Destination) => Target;
  readonly log: Logger;
}

export interface EndedRun {
  readonly transfer: Transfer;
  readonly lease: Lease;
  /** The objects that did not arrive; their states say so afterwards. */
  readonly failed?: ReadonlyMap<number, FailedObject> | undefined;
}

/** Tries for a bounded time, and throws nothing: how the run ended is told to people either way. */
export async function removeLeftovers(deps: LeftoversDeps, run: EndedRun): Promise<Remains> {
  const { transfer, lease, failed } = run;
  const { transferId, plan } = transfer;
  // Without a stream there never were any.
  if (transfer.steps.stream.attempts === 0) return NO_REMAINS;
  const log = deps.log.child({ transferId });
  const destination = destinationOf(deps.policy, plan.destination);
  const suffix = destination?.tempSuffix ?? TEMP_SUFFIX;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  let session: TargetSession | undefined;
  signal.addEventListener('abort', () => session?.close(), { once: true });
  const temporary: string[] = [];
  const aside: string[] = [];
  const arrived: { objects: number; bytes: number; first?: string } = { objects: 0, bytes: 0 };
  let unsure = false;

  function openTarget(): Target | undefined {
    try {
      return destination && deps.openTarget(plan.destination, destination);
    } catch (error) {
      log.error({ err: error }, 'temporary files are not removed');
      return undefined;
    }
  }

  const write = (index: number, state: ObjectState) =>
    deps.objects.setProgress(transfer, index, state, lease.token);

  function requireLease(): void {
    if (!lease.isFresh()) throw new RunStop('lease lost');
  }

  /** What became of it; `arrived`: it has its final name. */
  async function remove(
    object: TransferObject,
    checkpoint: Checkpoint,
  ): Promise<'removed' | 'arrived' | 'left'> {
    const { progress, index, size } = object;
    const path = checkpoint.tempPath;
    let renaming = progress.state === 'renaming' ? progress : undefined;
    const places = renaming && placesOf(transferId, object, suffix, path, renaming.finalPath);
    let replaced = plan.existing === 'overwrite' ? places : undefined;
    let held = checkpoint.left ?? [];

    async function tryOnce(to: TargetSession): Promise<'removed' | 'arrived'> {
      if (replaced) {
        await endSwap(to, replaced, size, requireLease);
        if ((await to.size(replaced.aside)) === undefined) replaced = undefined;
      }
      if (renaming) {
        const { finalPath } = renaming;
        if ((await to.size(path)) === undefined && (await to.size(finalPath)) === size) {
          held = await removeAll(to, held);
          return 'arrived';
        }
        // Before the file goes: without it, an old one of the same size under the final name would pass for it.
        await write(index, { state: 'uploading', checkpoint: atNothing(checkpoint) });
        renaming = undefined;
      }
      for (const name of leftoverPaths(checkpoint)) await to.remove(name);
      held = await removeAll(to, held);
      return 'removed';
    }

    try {
      for (let tries = 1; target && !signal.aborted; tries += 1) {
        try {
          session ??= await target.connect(signal);
          return await tryOnce(session);
        } catch (error) {
          session?.close();
          session = undefined;
          const again = error instanceof FerryError && error.retryable && tries < TRIES;
          const words = again
            ? 'a temporary file was not removed; trying again'
            : 'a temporary file was not removed';
          log.warn({ path, err: error }, words);
          if (!again) return 'left';
          await delay(PAUSE_MS * tries, undefined, { signal }).catch(() => {});
        }
      }
      return 'left';
    } finally {
      if (replaced) aside.push(replaced.aside);
      temporary.push(...held);
    }
  }

  function count({ size }: TransferObject, finalPath: string): void {
    arrived.objects += 1;
    arrived.bytes += size;
    arrived.first ??= finalPath;
  }

  /** @returns the state to write, where it is another one now */
  async function tidy(object: TransferObject): Promise<ObjectState | undefined> {
    const { progress } = object;
    if (progress.state === 'done') count(object, progress.finalPath);
    const checkpoint = checkpointOf(progress);
    const outcome = checkpoint ? await remove(object, checkpoint) : 'removed';
    if (checkpoint && outcome === 'left') temporary.push(checkpoint.tempPath);
    if (progress.state === 'renaming' && outcome === 'arrived') {
      const { finalPath, verified = 'size' } = progress;
      count(object, finalPath);
      return { state: 'done', finalPath, crc32: progress.checkpoint.crc32, verified };
    }
    const failure = failed?.get(object.index);
    if (outcome !== 'removed' || (!checkpoint && !failure)) return undefined;
    return failure ? { state: 'failed', code: failure.code, message: failure.message } : { state: 'pending' };
  }

  const target = openTarget();
  try {
    for await (const object of deps.objects.read(transfer)) {
      const state = await tidy(object);
      if (!state) continue;
      try {
        await write(object.index, state);
      } catch (error) {
        // The next attempt finds it out.
        log.warn({ index: object.index, err: error }, 'what became of a file was not written');
      }
    }
  } catch (error) {
    unsure = true;
    log.error({ err: error }, 'temporary files were not looked for');
  } finally {
    session?.close();
  }
  return { temporary, aside, arrived, unsure };
}
