/** Names on the FTP server: which ones are acceptable, where a file waits until it is whole, and numbered ones. */
import { posix } from 'node:path';

/** Longest path, in bytes; many servers refuse more. */
const MAX_PATH = 1_024;
/** Longest name of one file, in bytes; the limit of the common file systems. */
const MAX_NAME = 255;

/** Why a target path is not acceptable, in words that end a sentence, or undefined when it is. */
export function pathFault(path: string, folder: string): string | undefined {
  const inside = folder.endsWith('/') ? folder : `${folder}/`;
  // A CR or LF would begin another FTP command. RFC 959, 4.1.
  if (/\p{Cc}/u.test(path)) return 'has control characters';
  if (!path.startsWith(inside)) return `is not in the destination's folder ${folder}`;
  const names = path.slice(1).split('/');
  if (names.some((name) => name === '..' || name === '.')) return 'has "." or ".." in it';
  if (names.some((name) => name === '')) return 'has an empty name in it';
  if (Buffer.byteLength(path) > MAX_PATH) return `is longer than ${MAX_PATH} bytes`;
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME))
    return `has a name longer than ${MAX_NAME} bytes`;
  return undefined;
}

/** What temporary names end in where the destination says nothing else. */
export const TEMP_SUFFIX = '.part';

/**
 * Where a file is written until it is whole: in the directory of its final name, so that the rename stays on one
 * file system. The lease's token keeps two workers from ever writing to the same name.
 *
 * @param upload number of this object's uploads under the lease, from 1: what an earlier one left may still be in the
 *   hands of the server, which closes, completes or removes it by its name when it gives its connection up
 */
export function temporaryPath(
  targetPath: string,
  transferId: string,
  index: number,
  leaseToken: number,
  suffix = TEMP_SUFFIX,
  upload = 1,
): string {
  const by = upload === 1 ? leaseToken : `${leaseToken}-${upload}`;
  return posix.join(posix.dirname(targetPath), `.fileferry-${transferId}-${index}-${by}${suffix}`);
}

/** Where an old file is kept while the new one takes its name. */
export function asidePath(
  targetPath: string,
  transferId: string,
  index: number,
  suffix = TEMP_SUFFIX,
): string {
  return posix.join(posix.dirname(targetPath), `.fileferry-${transferId}-${index}-old${suffix}`);
}

/** `/in/report.csv` as `/in/report (1).csv`. */
export function numberedPath(path: string, number: number): string {
  const { dir, name, ext } = posix.parse(path);
  return posix.join(dir, `${name} (${number})${ext}`);
}
