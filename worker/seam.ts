/** The place where an upload goes on in the middle of a file: what the server has around it against the source. */
import { FerryError } from '../core/errors.ts';
import type { Transfer, TransferObject } from '../core/transfer.ts';
import type { Source, SourceObject } from './source.ts';
import type { TargetSession } from './target.ts';

/** Bytes on each side that are compared. */
const SEAM = 64 * 1024;

export interface SeamOrder {
  readonly transfer: Pick<Transfer, 'plan'>;
  readonly object: TransferObject;
  readonly source: Source;
  readonly signal: AbortSignal;
}

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

/** `refused`: the server does not hand the file out; `stalled`: it kept silent. */
export type Seam = 'holds' | 'differs' | 'refused' | 'stalled';

/**
 * Compares the stored file with the source around an offset.
 *
 * @param stored bytes that the file has
 * @param atStake bytes that have to be sent again if it cannot be compared; the server's usual patience unless given
 */
export async function compareSeam(
  order: SeamOrder,
  session: TargetSession,
  path: string,
  at: number,
  stored: number,
  atStake?: number,
): Promise<Seam> {
  const { transfer, object, source, signal } = order;
  const from = Math.max(0, at - SEAM);
  const to = Math.min(stored, at + SEAM);
  const theirs = await session.readBack(path, from, to - from, signal, atStake);
  if (theirs === undefined) return 'refused';
  if (theirs === 'stalled') return 'stalled';
  const ours = await sourceBytes(source, { bucket: transfer.plan.bucket, object }, from, to, signal);
  return theirs.equals(ours) ? 'holds' : 'differs';
}

/** What is wrong with an upload that went on in the middle, when the place cannot be shown to be right. */
function seamFault(path: string, seam: Exclude<Seam, 'holds'>): FerryError {
  const untouched = 'No file under its final name was touched.';
  if (seam === 'stalled') {
    return new FerryError('timeout', {
      retryable: true,
      userMessage: `The server began to hand ${path} back, to be compared, and then kept silent. ${untouched} We can try again.`,
    });
  }
  const words = {
    differs: 'the server spoiled what was there',
    refused: 'the server neither hands out what is there nor tells its checksum',
  };
  return new FerryError('verification_failed', {
    retryable: true,
    userMessage: `${path} did not go on where it had stopped: ${words[seam]}. ${untouched} We can try again from the beginning.`,
  });
}

/**
 * Asked when a file is there whole that an upload went on with.
 *
 * @throws FerryError
 */
export async function requireSeam(
  order: SeamOrder,
  session: TargetSession,
  path: string,
  at: number,
): Promise<void> {
  const { targetPath, size } = order.object;
  const seam = await compareSeam(order, session, path, at, size);
  if (seam !== 'holds') throw seamFault(targetPath, seam);
}
