/** What an earlier try or an earlier worker left of an upload: taken over where it provably is ours, else removed. */
import { FerryError } from '../core/errors.ts';
import type { Checkpoint, Transfer, TransferObject } from '../core/transfer.ts';
import { markWithin } from './marks.ts';
import type { Source, SourceObject } from './source.ts';
import type { StoreProgress, TargetSession } from './target.ts';
import { temporaryPath } from './target-name.ts';

/** Bytes on each side of the place where an upload goes on that are compared with the source. */
const SEAM = 64 * 1024;

/** A file to write to; with `start` it holds that much already. */
export interface Claim {
  readonly tempPath: string;
  readonly start?: StoreProgress;
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
  readonly source: Source;
  /** Writes down where what was left will be. */
  readonly willMove: (checkpoint: Checkpoint) => Promise<void>;
  /** Throws when this run may not touch the destination any more. */
  readonly requireLease: () => void;
  readonly signal: AbortSignal;
}

/** The names under which an upload may have been left. */
export const leftoverPaths = ({ tempPath, movedTo }: Checkpoint): string[] =>
  movedTo === undefined ? [tempPath] : [tempPath, movedTo];

/** The source's own bytes from `from` to `to`. */
async function sourceBytes(
  source: Source,
  what: SourceObject,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of source.read(what, from, signal, to)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/**
 * Whether the stored file has the source's bytes around an offset; undefined where the server does not hand it out.
 *
 * @param stored bytes that the file has
 */
export async function seamHolds(
  order: Pick<TakeoverOrder, 'transfer' | 'object' | 'source' | 'signal'>,
  session: TargetSession,
  path: string,
  at: number,
  stored: number,
): Promise<boolean | undefined> {
  const { transfer, object, source, signal } = order;
  const from = Math.max(0, at - SEAM);
  const to = Math.min(stored, at + SEAM);
  const theirs = await session.readBack(path, from, to - from, signal);
  if (theirs === undefined) return undefined;
  const ours = await sourceBytes(source, { bucket: transfer.plan.bucket, object }, from, to, signal);
  return theirs.equals(ours);
}

/**
 * Prepares the file that the upload will write to. Renaming what was left to this lease's own name takes it away from
 * a worker that still believes in an older lease: whatever that one does by name no longer meets this file, and what
 * it still writes over an open connection are the same bytes at the same places.
 */
export async function takeOver(order: TakeoverOrder, session: TargetSession): Promise<Claim> {
  const { transfer, object, token, suffix, checkpoint, requireLease } = order;
  const own = temporaryPath(object.targetPath, transfer.transferId, object.index, token, suffix);
  if (!checkpoint) return { tempPath: own };
  for (const path of leftoverPaths(checkpoint)) {
    const size = await session.size(path);
    if (size === undefined) continue;
    requireLease();
    const start = order.mustRestart || size > object.size ? undefined : markWithin(checkpoint, size);
    if (start && session.canResume() && (await holds(path, start))) {
      if (path === own) return { tempPath: own, start };
      // So that a crash in between leaves it where whoever comes next looks for it.
      await order.willMove({ ...checkpoint, tempPath: path, movedTo: own });
      requireLease();
      if (await renamed(path, own)) return { tempPath: own, start };
    }
    requireLease();
    await session.remove(path);
    break;
  }
  return { tempPath: own };

  async function holds(path: string, { bytes }: StoreProgress): Promise<boolean> {
    return (await seamHolds(order, session, path, bytes, bytes)) ?? session.canCompare();
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
