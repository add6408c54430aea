/** Which name a file gets: the planned one or, where the destination wants it so, a numbered one that is free. */
import { FerryError } from '../core/errors.ts';
import type { TransferPlan } from '../core/transfer.ts';
import { numberedPath } from './target-name.ts';

/** Highest number that is tried when names are taken. */
const MAX_NUMBER = 99;

/** What the objects of one run know of each other's names. */
export interface Names {
  readonly existing: TransferPlan['existing'];
  /** Final names that objects of this run have taken: two never take the same. */
  readonly chosen: Set<string>;
  /** Names that the plan gives to objects: no other one is numbered into them. */
  readonly planned: ReadonlySet<string>;
}

/** @returns bytes; undefined if there is no such file */
type SizeOf = (path: string) => Promise<number | undefined>;

async function firstFree(names: Names, path: string, isFree: (name: string) => Promise<boolean>) {
  if (await isFree(path)) return path;
  for (let number = 1; names.existing === 'rename' && number <= MAX_NUMBER; number += 1) {
    const name = numberedPath(path, number);
    if (!names.planned.has(name) && (await isFree(name))) return name;
  }
  throw new FerryError('target_exists', {
    userMessage: `${path} already exists at the destination, which does not allow replacing it. Nothing was overwritten. Ask for another name, or have the old file moved away and press Retry.`,
  });
}

/**
 * Whether there is a name at all, before bytes are sent in vain; takes none.
 *
 * @throws FerryError `target_exists`
 */
export async function requireName(names: Names, path: string, sizeOf: SizeOf): Promise<void> {
  const { chosen, existing } = names;
  await firstFree(
    names,
    path,
    async (name) => !chosen.has(name) && (existing === 'overwrite' || (await sizeOf(name)) === undefined),
  );
}

/**
 * Takes the name that the file gets; it stands in `chosen` then, where it stood already while the server was asked.
 *
 * @throws FerryError `target_exists`
 */
export function takeName(names: Names, path: string, sizeOf: SizeOf): Promise<string> {
  const { chosen, existing } = names;
  return firstFree(names, path, async (name) => {
    if (chosen.has(name)) return false;
    chosen.add(name);
    let free = false;
    try {
      free = existing === 'overwrite' || (await sizeOf(name)) === undefined;
    } finally {
      if (!free) chosen.delete(name);
    }
    return free;
  });
}
