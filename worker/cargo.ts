/** An object on its way, and what is written down of it: how far it provably got, and what it left behind. */
import type { Logger } from 'pino';
import type { ObjectStore } from '../core/stores/object-store.ts';
import type { Checkpoint, ObjectState, Transfer, TransferObject } from '../core/transfer.ts';
import type { Names } from './final-name.ts';
import type { Lease } from './lease.ts';
import type { Marks } from './marks.ts';
import { RunStop } from './run-stop.ts';
import type { Source, SourceFacts } from './source.ts';
import type { StoreProgress } from './target.ts';

/** What all objects of one run share. */
export interface Carrying {
  readonly transfer: Transfer;
  readonly lease: Lease;
  readonly objects: Pick<ObjectStore, 'setProgress'>;
  readonly source: Source;
  readonly signal: AbortSignal;
  readonly names: Names;
  readonly onProgress: (index: number, progress: StoreProgress) => void;
  /** What the source said of an object when it was checked. */
  readonly factsOf: (index: number) => SourceFacts | undefined;
  /** What temporary names end in. */
  readonly tempSuffix: string;
  readonly preserveTime: boolean;
  readonly now: () => number;
  readonly log: Logger;
}

/** An object on its way. */
export interface Cargo {
  readonly object: TransferObject;
  /** What stands in the store. */
  state: ObjectState;
  /** Ends with the last write begun: each waits for the one before, so that none overtakes another. */
  writes: Promise<unknown>;
  /** How far the upload under way has come. */
  marks: Marks | undefined;
  /** Whether a checkpoint is being written. */
  saving: boolean;
  /** What the server has is of no use. */
  mustRestart: boolean;
  /** Temporary names that this run has used. */
  readonly given: Set<string>;
  /** Files of earlier tries that the server did not let go. */
  left: readonly string[];
}

export const cargoOf = (object: TransferObject): Cargo => ({
  object,
  state: object.progress,
  writes: Promise.resolve(),
  marks: undefined,
  saving: false,
  mustRestart: false,
  given: new Set(),
  left: checkpointOf(object.progress)?.left ?? [],
});

/** How far this object got before, where that left a file behind. */
export const checkpointOf = (state: ObjectState): Checkpoint | undefined =>
  state.state === 'uploading' || state.state === 'renaming' ? state.checkpoint : undefined;

/** A state that tells also what else is still there. */
function withLeft(state: ObjectState | undefined, left: readonly string[]): ObjectState | undefined {
  if (left.length === 0 || (state?.state !== 'uploading' && state?.state !== 'renaming')) return state;
  return { ...state, checkpoint: { ...state.checkpoint, left: [...left] } };
}

/** @param next the state to write, asked for once it is this write's turn; undefined for none */
function write(run: Carrying, cargo: Cargo, next: () => ObjectState | undefined): Promise<void> {
  const written = cargo.writes.then(async () => {
    const state = withLeft(next(), cargo.left);
    if (!state) return;
    await run.objects.setProgress(run.transfer, cargo.object.index, state, run.lease.token);
    cargo.state = state;
  });
  cargo.writes = written.catch(() => {});
  return written;
}

/** Asked right before anything at the destination is changed that another worker may be at. */
export function requireLease(run: Carrying): void {
  run.signal.throwIfAborted();
  if (!run.lease.isFresh()) throw new RunStop('lease lost');
}

export function record(run: Carrying, cargo: Cargo, state: ObjectState): Promise<void> {
  return write(run, cargo, () => {
    requireLease(run);
    return state;
  });
}

/** Where an upload was left, and that nothing of it is of use. */
export const atNothing = ({ tempPath, movedTo, left }: Checkpoint): Checkpoint => ({
  tempPath,
  ...(movedTo === undefined ? {} : { movedTo }),
  ...(left === undefined ? {} : { left }),
  bytes: 0,
  crc32: 0,
});

/** How far an upload provably got; undefined when it is past that or has nothing to show. */
export function uploaded(cargo: Cargo): ObjectState | undefined {
  const known = checkpointOf(cargo.state);
  if (known && cargo.mustRestart) return { state: 'uploading', checkpoint: atNothing(known) };
  if (cargo.state.state !== 'uploading') return undefined;
  const checkpoint = cargo.marks?.take(cargo.state.checkpoint.tempPath) ?? cargo.state.checkpoint;
  return checkpoint.bytes > 0 ? { state: 'uploading', checkpoint } : undefined;
}

/** Writes how far an upload provably got. */
export function saveCheckpoint(run: Carrying, cargo: Cargo): Promise<void> {
  return write(run, cargo, () => uploaded(cargo));
}

/** The same while bytes move: one write at a time, and what fails is made good by the next. */
export function saveOnTheWay(run: Carrying, cargo: Cargo): void {
  if (cargo.saving || run.signal.aborted || !run.lease.isFresh()) return;
  cargo.saving = true;
  saveCheckpoint(run, cargo)
    .catch((error: unknown) => {
      run.log.warn({ index: cargo.object.index, err: error }, 'a checkpoint was not written');
    })
    .finally(() => {
      cargo.saving = false;
    });
}

/**
 * Takes back what the record says of a file that is of no use: whoever comes next would go on with it. Also when the
 * run was stopped, and behind a checkpoint that is still being written.
 */
export async function forget(run: Carrying, cargo: Cargo): Promise<void> {
  await saveCheckpoint(run, cargo).catch((error: unknown) => {
    run.log.error({ index: cargo.object.index, err: error }, 'a spoiled file was not written down as such');
  });
}
