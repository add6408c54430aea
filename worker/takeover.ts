/** What an earlier try or an earlier worker left of an upload: taken over where it provably is ours, else removed. */
import { FerryError } from '../core/errors.ts';
import type { Checkpoint, Transfer, TransferObject } from '../core/transfer.ts';
import { markWithin } from './marks.ts';
import { compareSeam } from './seam.ts';
import type { Source } from './source.ts';
import type { StoreProgress, TargetSession } from './target.ts';
import { temporaryPath } from './target-name.ts';

/** Files that a server does not let go, of one object; with one more the object fails. */
const MOST_LEFT = 4;

/** A file to write to; with `start` it holds that much already. */
export interface Claim {
  readonly tempPath: string;
  readonly start?: StoreProgress;
  /** Files of earlier tries that are still there, as the server did not let them go. */
  readonly left: readonly string[];
}

export interface TakeoverOrder {
  readonly transfer: Pick<Transfer, 'transferId' | 'plan'>;
  readonly object: TransferObject;
  /** The lease that writes now. */
  readonly token: number;
  readonly suffix: string;
  readonly checkpoint: Checkpoint | undefined;
  /** The content that was left is known to be of no use. */
  readonly mustRestart: boolean;
  /** Names that this lease has used for the object; the next one is added. */
  readonly given: Set<string>;
  /** Files of earlier tries that the server did not let go. */
  readonly left: readonly string[];
  readonly source: Source;
  /** Writes down where what was left will be. */
  readonly willMove: (checkpoint: Checkpoint) => Promise<void>;
  /** Told when what was left can be neither read nor waited for any more, whatever happens next. */
  readonly onUnreadable: () => void;
  /** Throws when this run may not touch the destination any more. */
  readonly requireLease: () => void;
  readonly signal: AbortSignal;
}

/** The names under which an upload may have been left. */
export const leftoverPaths = ({ tempPath, movedTo }: Checkpoint): string[] =>
  movedTo === undefined ? [tempPath] : [tempPath, movedTo];

/** Removes files; gives those that the server does not let go. */
export async function removeAll(session: TargetSession, paths: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const path of paths) {
    try {
      await session.remove(path);
    } catch (error) {
      // Also 450, "file busy": some systems keep a file as long as somebody has it open.
      if (!(error instanceof FerryError) || error.code !== 'target_refused') throw error;
      left.push(path);
    }
  }
  return left;
}

/**
 * Prepares the file that the upload will write to. Renaming what was left to this lease's own name takes it away from
 * a worker that still believes in an older lease: whatever that one does by name no longer meets this file, and what
 * it still writes over an open connection are the same bytes at the same places.
 *
 * What cannot be proven to be ours is removed, and the upload begins anew under a name of its own: a server that still
 * believes in the upload before may yet remove or replace a file by that one's name (vsftpd's `delete_failed_uploads`).
 */
export async function takeOver(order: TakeoverOrder, session: TargetSession): Promise<Claim> {
  const { transfer, object, token, suffix, checkpoint, given, requireLease } = order;
  const { transferId } = transfer;
  const movedTo = checkpoint?.movedTo;
  // The same again where an answer was lost: the move may yet happen.
  const own =
    movedTo !== undefined && given.has(movedTo)
      ? movedTo
      : temporaryPath(object.targetPath, transferId, object.index, token, suffix, given.size + 1);
  const left = new Set(order.left);
  for (const path of checkpoint ? leftoverPaths(checkpoint) : []) {
    const size = await session.size(path);
    if (size === undefined) continue;
    requireLease();
    const start =
      order.mustRestart || size > object.size ? undefined : checkpoint && markWithin(checkpoint, size);
    if (checkpoint && start && session.canResume() && (await isOurs(path, start.bytes))) {
      if (given.has(path)) return { tempPath: path, start, left: [...left] };
      // So that a crash in between leaves it where whoever comes next looks for it.
      await order.willMove({ ...checkpoint, tempPath: path, movedTo: own });
      given.add(own);
      requireLease();
      if (await renamed(path, own)) return { tempPath: own, start, left: [...left] };
    }
    requireLease();
    if (left.size >= MOST_LEFT) await session.remove(path);
    else for (const held of await removeAll(session, [path])) left.add(held);
    break;
  }
  given.add(own);
  return { tempPath: own, left: [...left] };

  async function isOurs(path: string, bytes: number): Promise<boolean> {
    const seam = await compareSeam(order, session, path, bytes, bytes, bytes);
    if (seam === 'stalled') order.onUnreadable();
    return seam === 'holds' || (seam === 'refused' && session.canCompare());
  }

  async function renamed(from: string, to: string): Promise<boolean> {
    try {
      await session.rename(from, to);
      return true;
    } catch (error) {
      if (!(error instanceof FerryError) || error.retryable) throw error;
      return false;
    }
  }
}
