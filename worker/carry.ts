/** Carries one object to its final name: whole or not at all, and recognised after a crash at any point. */
import { posix } from 'node:path';
import { FerryError } from '../core/errors.ts';
import type { ObjectStore } from '../core/stores/object-store.ts';
import type { Checkpoint, ObjectState, Transfer, TransferObject } from '../core/transfer.ts';
import type { Lease } from './lease.ts';
import { RunStop } from './run-stop.ts';
import type { Source } from './source.ts';
import type { StoreProgress, TargetSession } from './target.ts';
import { numberedPath, temporaryPath } from './target-name.ts';

/** Highest number that is tried when names are taken. */
const MAX_NUMBER = 99;

/** What all objects of one run share. */
export interface Carrying {
  readonly transfer: Transfer;
  readonly lease: Lease;
  readonly objects: Pick<ObjectStore, 'setProgress'>;
  readonly source: Source;
  readonly signal: AbortSignal;
  /** Final names that objects of this run have chosen: two never choose the same. */
  readonly chosen: Set<string>;
  readonly onProgress: (index: number, progress: StoreProgress) => void;
}

/** An object on its way. */
export interface Cargo {
  readonly object: TransferObject;
  /** What stands in the store. */
  state: ObjectState;
  /** Ends with the last write begun: each waits for the one before, so that none overtakes another. */
  writes: Promise<unknown>;
}

export const cargoOf = (object: TransferObject): Cargo => ({
  object,
  state: object.progress,
  writes: Promise.resolve(),
});

type Done = Extract<ObjectState, { state: 'done' }>;

/** How far this object got before, where that left a file behind. */
export const checkpointOf = (state: ObjectState): Checkpoint | undefined =>
  state.state === 'uploading' || state.state === 'renaming' ? state.checkpoint : undefined;

/** @param next the state to write, asked for once it is this write's turn; undefined for none */
function write(run: Carrying, cargo: Cargo, next: () => ObjectState | undefined): Promise<void> {
  const written = cargo.writes.then(async () => {
    const state = next();
    if (!state) return;
    await run.objects.setProgress(run.transfer, cargo.object.index, state, run.lease.token);
    cargo.state = state;
  });
  cargo.writes = written.catch(() => {});
  return written;
}

function record(run: Carrying, cargo: Cargo, state: ObjectState): Promise<void> {
  return write(run, cargo, () => {
    run.signal.throwIfAborted();
    if (!run.lease.isFresh()) throw new RunStop('lease lost');
    return state;
  });
}

/** Writes how far an upload provably got; nothing when it is past that or has nothing to show. */
export function saveCheckpoint(run: Carrying, cargo: Cargo, stored: StoreProgress): Promise<void> {
  return write(run, cargo, () => {
    if (cargo.state.state !== 'uploading' || stored.bytes === 0) return undefined;
    return { state: 'uploading', checkpoint: { ...cargo.state.checkpoint, ...stored } };
  });
}

const exists = (path: string) =>
  new FerryError('target_exists', {
    userMessage: `${path} already exists at the destination, which does not allow replacing it. Nothing was overwritten. Ask for another name, or have the old file moved away and press Retry.`,
  });

/** The name that the file gets, as the destination wants it when the planned one is taken. */
async function chooseName(run: Carrying, session: TargetSession, path: string): Promise<string> {
  const { existing } = run.transfer.plan;
  const isFree = async (name: string) =>
    !run.chosen.has(name) && (existing === 'overwrite' || (await session.size(name)) === undefined);
  if (await isFree(path)) return path;
  for (let number = 1; existing === 'rename' && number <= MAX_NUMBER; number += 1) {
    const name = numberedPath(path, number);
    if (await isFree(name)) return name;
  }
  throw exists(path);
}

/** Renames; where the server refuses to replace a file, that file is removed first. */
async function renameInto(run: Carrying, session: TargetSession, from: string, to: string): Promise<void> {
  try {
    await session.rename(from, to);
  } catch (error) {
    run.signal.throwIfAborted();
    const mayReplace = run.transfer.plan.existing === 'overwrite';
    if (!mayReplace || (error instanceof FerryError && error.retryable)) throw error;
    if ((await session.size(to)) === undefined || (await session.size(from)) === undefined) throw error;
    await session.remove(to);
    await session.rename(from, to);
  }
}

/** From a verified temporary file to the final name. */
async function putInPlace(
  run: Carrying,
  session: TargetSession,
  cargo: Cargo,
  checkpoint: Checkpoint,
  verified: string,
): Promise<Done> {
  const finalPath = await chooseName(run, session, cargo.object.targetPath);
  run.chosen.add(finalPath);
  try {
    await record(run, cargo, { state: 'renaming', checkpoint, finalPath });
    run.signal.throwIfAborted();
    await renameInto(run, session, checkpoint.tempPath, finalPath);
  } catch (error) {
    run.chosen.delete(finalPath);
    throw error;
  }
  const size = await session.size(finalPath);
  if (size !== cargo.object.size) {
    throw new FerryError('verification_failed', {
      userMessage: `The server took ${finalPath} but now says that it has ${size ?? 'no'} bytes instead of ${cargo.object.size}. Please have a look at the folder; nothing else was changed.`,
    });
  }
  return { state: 'done', finalPath, crc32: checkpoint.crc32, verified };
}

/** What a crash or a lost answer left of a rename: finished, to be repeated, or nothing. */
async function finishRename(run: Carrying, session: TargetSession, cargo: Cargo): Promise<Done | undefined> {
  if (cargo.state.state !== 'renaming') return undefined;
  const { checkpoint, finalPath } = cargo.state;
  const left = await session.size(checkpoint.tempPath);
  if (left === cargo.object.size) return putInPlace(run, session, cargo, checkpoint, 'size');
  if (left !== undefined || (await session.size(finalPath)) !== cargo.object.size) return undefined;
  run.chosen.add(finalPath);
  return { state: 'done', finalPath, crc32: checkpoint.crc32, verified: 'size' };
}

async function upload(run: Carrying, session: TargetSession, cargo: Cargo): Promise<Done> {
  const { object } = cargo;
  const { transfer, signal } = run;
  const leftover = checkpointOf(cargo.state);
  if (leftover) await session.remove(leftover.tempPath);
  // Asked before the bytes go, too: nobody wants to be told so after 50 GB.
  await chooseName(run, session, object.targetPath);

  const tempPath = temporaryPath(object.targetPath, transfer.transferId, object.index, run.lease.token);
  await Promise.all([
    session.ensureDirectory(posix.dirname(tempPath)),
    record(run, cargo, { state: 'uploading', checkpoint: { tempPath, bytes: 0, crc32: 0 } }),
  ]);
  const data = run.source.read({ bucket: transfer.plan.bucket, object }, 0, signal);
  const stored = await session.store(
    tempPath,
    data,
    object.size,
    (progress) => run.onProgress(object.index, progress),
    signal,
  );
  const { bytes, crc32, verified } = stored;
  return putInPlace(run, session, cargo, { tempPath, bytes, crc32 }, verified);
}

/**
 * Carries one object over a session, going on from what an earlier try or an earlier worker left.
 *
 * @throws FerryError
 */
export async function carry(run: Carrying, session: TargetSession, cargo: Cargo): Promise<Done> {
  const done = (await finishRename(run, session, cargo)) ?? (await upload(run, session, cargo));
  await record(run, cargo, done);
  return done;
}
