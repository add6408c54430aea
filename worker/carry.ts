/** Carries one object to its final name: whole or not at all, and recognised after a crash at any point. */
import { posix } from 'node:path';
import { FerryError } from '../core/errors.ts';
import type { Checkpoint, ObjectState, TransferObject } from '../core/transfer.ts';
import {
  type Cargo,
  type Carrying,
  checkpointOf,
  forget,
  record,
  requireLease,
  saveOnTheWay,
  uploaded,
} from './cargo.ts';
import { requireName, takeName } from './final-name.ts';
import { Marks } from './marks.ts';
import { dropOld, endSwap, isRefusal, type Places, placesOf, swap } from './replace.ts';
import { requireSeam } from './seam.ts';
import { removeAll, takeOver } from './takeover.ts';
import { ResumeRefused, type TargetSession } from './target.ts';

/** Up to so many bytes, round trips are what takes the time. */
const SMALL = 64 * 2 ** 20;

/** Where this connection's next upload will go, as far as that is known; never rejects. */
export type NextTarget = () => Promise<string | undefined>;

type Done = Extract<ObjectState, { state: 'done' }>;

const placesIn = (run: Carrying, { object }: Cargo, { tempPath }: Checkpoint, finalPath: string): Places =>
  placesOf(run.transfer.transferId, object, run.tempSuffix, tempPath, finalPath);

/** Renames, also where the server refuses to rename over the file that is to be replaced. */
async function renameInto(run: Carrying, session: TargetSession, places: Places, next: string | undefined) {
  const { temporary, final } = places;
  try {
    return { size: await session.rename(temporary, final, next), swapped: false };
  } catch (error) {
    requireLease(run);
    const mayReplace = run.transfer.plan.existing === 'overwrite';
    if (!mayReplace || !isRefusal(error)) throw error;
    if ((await session.size(final)) === undefined || (await session.size(temporary)) === undefined)
      throw error;
    return { size: await swap(session, places, error, () => requireLease(run)), swapped: true };
  }
}

/** From a verified temporary file to the final name. */
async function putInPlace(
  run: Carrying,
  session: TargetSession,
  cargo: Cargo,
  checkpoint: Checkpoint,
  verified: string,
  sizeOfPlanned: (path: string) => Promise<number | undefined> = (path) => session.size(path),
  nextTarget: NextTarget = async () => undefined,
): Promise<Done> {
  const { targetPath } = cargo.object;
  const finalPath = await takeName(run.names, targetPath, (path) =>
    path === targetPath ? sizeOfPlanned(path) : session.size(path),
  );
  const places = placesIn(run, cargo, checkpoint, finalPath);
  let renamed: Awaited<ReturnType<typeof renameInto>>;
  try {
    const renaming = record(run, cargo, { state: 'renaming', checkpoint, finalPath, verified });
    const [next] = await Promise.all([nextTarget(), renaming]);
    requireLease(run);
    renamed = await renameInto(run, session, places, next);
  } catch (error) {
    run.names.chosen.delete(finalPath);
    throw error;
  }
  const { size, swapped } = renamed;
  if (size !== cargo.object.size) {
    const old = swapped ? `the old file is now called ${places.aside}` : 'nothing else was changed';
    throw new FerryError('verification_failed', {
      userMessage: `The server took ${finalPath} but now says that it has ${size ?? 'no'} bytes instead of ${cargo.object.size}. Please have a look at the folder; ${old}.`,
    });
  }
  const more = swapped ? await dropOld(session, places.aside) : '';
  return { state: 'done', finalPath, crc32: checkpoint.crc32, verified: verified + more };
}

/** What a crash or a lost answer left of a rename: finished, to be repeated, or nothing. */
async function finishRename(run: Carrying, session: TargetSession, cargo: Cargo): Promise<Done | undefined> {
  if (cargo.state.state !== 'renaming') return undefined;
  const { checkpoint, finalPath, verified = 'size' } = cargo.state;
  const places = placesIn(run, cargo, checkpoint, finalPath);
  const replaces = run.transfer.plan.existing === 'overwrite';
  const more = replaces ? await endSwap(session, places, cargo.object.size, () => requireLease(run)) : '';
  const left = await session.size(checkpoint.tempPath);
  if (left === cargo.object.size) return putInPlace(run, session, cargo, checkpoint, verified);
  if (left !== undefined || (await session.size(finalPath)) !== cargo.object.size) return undefined;
  run.names.chosen.add(finalPath);
  return { state: 'done', finalPath, crc32: checkpoint.crc32, verified: verified + more };
}

/** Sets the time of modification where that is wanted; a server that cannot is no reason to fail. */
async function setTime(run: Carrying, session: TargetSession, { index }: TransferObject, path: string) {
  const at = run.factsOf(index)?.modifiedAt;
  if (!run.preserveTime || at === undefined || (await session.setModified(path, at))) return;
  run.log.warn({ index, path }, 'the server does not set the time of modification');
}

async function upload(
  run: Carrying,
  session: TargetSession,
  cargo: Cargo,
  nextTarget: NextTarget,
): Promise<Done> {
  const { object } = cargo;
  const { transfer, lease, source, signal } = run;
  // Asked before the bytes go, too: nobody wants to be told so after 50 GB.
  await requireName(run.names, object.targetPath, (path) =>
    path === object.targetPath ? session.size(path, 'store') : session.size(path),
  );
  const { tempPath, start, left } = await takeOver(
    {
      ...{ transfer, object, source, signal, token: lease.token, suffix: run.tempSuffix },
      checkpoint: checkpointOf(cargo.state),
      mustRestart: cargo.mustRestart,
      given: cargo.given,
      left: cargo.left,
      onUnreadable() {
        run.log.warn({ index: object.index }, 'what was left cannot be read: beginning anew');
        cargo.mustRestart = true;
      },
      willMove: (checkpoint) => record(run, cargo, { state: 'uploading', checkpoint }),
      requireLease: () => requireLease(run),
    },
    session,
  );
  cargo.mustRestart = false;
  cargo.left = left;
  // Only where nothing that takes long comes in between: somebody else may take the name meanwhile.
  const asksEarly =
    transfer.plan.existing !== 'overwrite' && object.size <= SMALL && !start && !run.preserveTime;
  const marks = new Marks(object.size, start, run.now);
  const begun: ObjectState = { state: 'uploading', checkpoint: marks.take(tempPath) };
  await Promise.all([session.ensureDirectory(posix.dirname(tempPath)), record(run, cargo, begun)]);
  cargo.marks = marks;
  if (start) run.log.info({ index: object.index, at: start.bytes }, 'going on in the middle of the file');
  run.onProgress(object.index, start ?? { bytes: 0, crc32: 0 });
  try {
    const what = { bucket: transfer.plan.bucket, object };
    const stored = await session.store(
      tempPath,
      source.read(what, start?.bytes ?? 0, signal),
      object.size,
      (progress) => {
        if (marks.passed(progress)) saveOnTheWay(run, cargo);
        run.onProgress(object.index, progress);
      },
      signal,
      {
        start,
        sourceCrc32: run.factsOf(object.index)?.crc32,
        readWhole: start && ((until) => source.read(what, 0, until)),
        alsoSize: asksEarly ? object.targetPath : undefined,
      },
    );
    let { verified } = stored;
    if (start && !stored.contentVerified) {
      // Servers exist that fill what was there with zeros when an upload goes on.
      await requireSeam({ transfer, object, source, signal }, session, tempPath, start.bytes);
      verified += ' + seam read back';
    }
    await setTime(run, session, object, tempPath);
    const { bytes, crc32 } = stored;
    const compared = stored.contentVerified && bytes > 0;
    const sizeOfPlanned = asksEarly && !compared ? async () => stored.otherSize : undefined;
    const whole = { tempPath, bytes, crc32 };
    return await putInPlace(run, session, cargo, whole, verified, sizeOfPlanned, nextTarget);
  } catch (error) {
    if (error instanceof ResumeRefused) cargo.mustRestart = true;
    if (error instanceof FerryError && error.code === 'verification_failed') cargo.mustRestart = true;
    if (cargo.mustRestart) await forget(run, cargo);
    cargo.state = uploaded(cargo) ?? cargo.state;
    throw error;
  } finally {
    cargo.marks = undefined;
  }
}

/** Removes what the server did not let go before; gives words to be told where it still does not. */
async function dropLeft(run: Carrying, session: TargetSession, cargo: Cargo): Promise<string> {
  if (cargo.left.length === 0) return '';
  requireLease(run);
  const left = await removeAll(session, cargo.left);
  cargo.left = [];
  return left.length === 0 ? '' : `; a temporary file could not be removed: ${left.join(', ')}`;
}

/**
 * Carries one object over a session, going on from what an earlier try or an earlier worker left.
 *
 * @throws FerryError
 */
export async function carry(
  run: Carrying,
  session: TargetSession,
  cargo: Cargo,
  nextTarget: NextTarget,
): Promise<Done> {
  const done = (await finishRename(run, session, cargo)) ?? (await upload(run, session, cargo, nextTarget));
  const whole = { ...done, verified: done.verified + (await dropLeft(run, session, cargo)) };
  await record(run, cargo, whole);
  return whole;
}
