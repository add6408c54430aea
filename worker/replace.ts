/** Gives a new file an old one's name where the server refuses to rename over it: the old one is moved aside first. */
import { FerryError } from '../core/errors.ts';
import type { TransferObject } from '../core/transfer.ts';
import type { TargetSession } from './target.ts';
import { asidePath } from './target-name.ts';

/** The names that a replacement goes through. */
export interface Places {
  /** The new file's until it is in place. */
  readonly temporary: string;
  readonly final: string;
  /** The old file's until it is removed. */
  readonly aside: string;
}

/** @param suffix what temporary names end in */
export const placesOf = (
  transferId: string,
  { index }: Pick<TransferObject, 'index'>,
  suffix: string,
  temporary: string,
  final: string,
): Places => ({ temporary, final, aside: asidePath(final, transferId, index, suffix) });

/** The server said no: the same again would end the same way. */
export const isRefusal = (error: unknown): error is FerryError =>
  error instanceof FerryError && !error.retryable && error.code.startsWith('target_');

/** Gives the old file its name back, unless a file has it. */
async function putBack(session: TargetSession, { final, aside }: Places): Promise<void> {
  if ((await session.size(final)) !== undefined) return;
  try {
    await session.rename(aside, final);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new FerryError('target_refused', {
      userMessage: `${final} could not be replaced, and the server refused to give the old file its name back. The old file is whole and now called ${aside}; please have it renamed, or press Retry.`,
      cause: error,
    });
  }
}

/**
 * The old file stays aside until `dropOld`; if the new one does not get the name, the old one has it back.
 *
 * @param refusal the server's answer to renaming over the old file; thrown when nothing could be changed
 * @param requireLease throws when this run may not touch the destination any more
 * @returns the size under the final name
 */
export async function swap(
  session: TargetSession,
  places: Places,
  refusal: FerryError,
  requireLease: () => void,
): Promise<number | undefined> {
  requireLease();
  try {
    await session.rename(places.final, places.aside);
  } catch (error) {
    throw isRefusal(error) ? refusal : error;
  }
  try {
    requireLease();
    return await session.rename(places.temporary, places.final);
  } catch (error) {
    requireLease();
    await putBack(session, places);
    throw error;
  }
}

/** Removes the old file; gives words to be told where the server does not let it go. */
export async function dropOld(session: TargetSession, aside: string): Promise<string> {
  try {
    await session.remove(aside);
    return '';
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return `; the old file could not be removed and is now called ${aside}`;
  }
}

/**
 * Ends what a crash or a lost answer left of a `swap`: the final name is the new file's or the old one's again.
 *
 * @param size of the new file
 * @returns words as `dropOld` gives them
 */
export async function endSwap(
  session: TargetSession,
  places: Places,
  size: number,
  requireLease: () => void,
): Promise<string> {
  if ((await session.size(places.aside)) === undefined) return '';
  const found = await session.size(places.final);
  requireLease();
  if (found === undefined) await putBack(session, places);
  const isNew = found === size && (await session.size(places.temporary)) === undefined;
  return isNew ? dropOld(session, places.aside) : '';
}
