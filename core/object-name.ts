/** Names from people: whether an S3 key or an FTP path may be used, and where each object lands on the server. */
import { createSeenNames } from './seen-names.ts';

/** Longest S3 key in UTF-8 bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1_024;

/** Longest absolute target path in UTF-8 bytes: below PATH_MAX of every server that was tried, with room for a temporary name. */
const MAX_PATH_BYTES = 1_000;

/** Longest segment in UTF-8 bytes: NAME_MAX of the file systems behind FTP servers. */
const MAX_SEGMENT_BYTES = 255;

/** Control characters (CR, LF and NUL among them), line and paragraph separators. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Bidi embeddings, overrides and isolates, with which a name is shown as another. Unicode TR #9, section 2. */
const BIDI = /[\u202A-\u202E\u2066-\u2069]/;

export type NameVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const GOOD: NameVerdict = { ok: true };
const bad = (reason: string) => ({ ok: false, reason }) as const;

/** What is wrong with any name, whichever side it is for. */
function checkText(text: string, what: string): NameVerdict {
  if (!text.isWellFormed()) return bad(`The ${what} is not valid Unicode.`);
  if (CONTROL.test(text)) return bad(`The ${what} holds control characters or line breaks.`);
  if (BIDI.test(text))
    return bad(`The ${what} holds invisible characters that change the order of the text.`);
  if (text.split('/').includes('..')) return bad(`The ${what} has a ".." step, which is not allowed.`);
  return GOOD;
}

/** Whether an S3 key (or a prefix, or a pattern over keys) from a person may be used. */
export function checkKey(key: string): NameVerdict {
  const text = checkText(key, 'S3 key');
  if (!text.ok) return text;
  const bytes = Buffer.byteLength(key);
  return bytes <= MAX_KEY_BYTES
    ? GOOD
    : bad(`The S3 key is ${bytes} bytes long; S3 allows ${MAX_KEY_BYTES}.`);
}

/**
 * Whether a path on the FTP server may be used: as a person typed it, or absolute. White space at the ends of a
 * segment is refused because servers drop or change it silently (pure-ftpd writes `_`), so that the file would not be
 * where the card says.
 */
export function checkTargetPath(path: string): NameVerdict {
  const text = checkText(path, 'target path');
  if (!text.ok) return text;
  if (path.includes('\\')) return bad('The target path holds a backslash; folders are separated by "/".');
  for (const segment of path.split('/')) {
    if (segment === '.') return bad('The target path has a "." step, which is not allowed.');
    if (segment !== segment.trim())
      return bad('A name in the target path begins or ends with a space, which FTP servers do not keep.');
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
      return bad(`A name in the target path is longer than ${MAX_SEGMENT_BYTES} bytes.`);
  }
  const bytes = Buffer.byteLength(path);
  return bytes <= MAX_PATH_BYTES
    ? GOOD
    : bad(`The target path is ${bytes} bytes long; at most ${MAX_PATH_BYTES} are possible.`);
}

/** Where a person wants the files, in their words. */
export interface TargetWish {
  /** Below the destination's folder; an absolute path that already begins with that folder means itself. */
  readonly path: string;
  /** The path is a folder, whatever it ends in (`under …`, `into …`). */
  readonly folder: boolean;
}

export interface TargetNaming {
  /** The destination's folder: absolute, from the policy. */
  readonly folder: string;
  readonly as?: TargetWish;
  /**
   * What the keys of a listing have in common and the target does not repeat: the static prefix of a prefix or glob
   * selection. Absent for keys that were named one by one, of which only the last segment is kept.
   */
  readonly listedUnder?: string;
  /** More than one object is coming, so `as` must be a folder. */
  readonly several: boolean;
}

export type TargetVerdict =
  | { readonly ok: true; readonly targetPath: string }
  | { readonly ok: false; readonly reason: string };

const segmentsOf = (path: string) => path.split('/').filter((segment) => segment !== '');

/** What of a key is kept on the server. */
function relativeName(key: string, listedUnder: string | undefined): string {
  if (listedUnder === undefined) return key.slice(key.lastIndexOf('/') + 1);
  // A prefix may end in mid-name (`logs/2026-`): the name is kept whole.
  return key.slice(listedUnder.lastIndexOf('/') + 1);
}

/**
 * Gives each object of a request its absolute path on the server, always below the destination's folder, and refuses
 * two objects with one path. Fed one by one, so that ten thousand keys need no list.
 */
export function targetNamer(naming: TargetNaming): { next(key: string): TargetVerdict } {
  const base = segmentsOf(naming.folder);
  const wish = naming.as;
  const wished = segmentsOf(wish?.path ?? '');
  const absolute =
    wish?.path.startsWith('/') === true && base.every((segment, index) => wished[index] === segment);
  const below = absolute ? wished.slice(base.length) : wished;
  const isFolder = !wish || wish.folder || naming.several || wish.path.endsWith('/') || below.length === 0;
  const wishCheck = wish ? checkTargetPath(wish.path) : GOOD;
  // Those that were named one by one are few, so both can be told; of a listing no list is kept.
  const taken = naming.listedUnder === undefined ? new Map<string, string>() : undefined;
  const isNew = createSeenNames();

  return {
    next(key) {
      if (!wishCheck.ok) return wishCheck;
      const keyCheck = checkKey(key);
      if (!keyCheck.ok) return keyCheck;
      const own = isFolder ? segmentsOf(relativeName(key, naming.listedUnder)) : [];
      if (isFolder && own.length === 0) return bad(`"${key}" is a folder, not a file.`);
      const targetPath = `/${[...base, ...below, ...own].join('/')}`;
      const pathCheck = checkTargetPath(targetPath);
      if (!pathCheck.ok) return pathCheck;
      if (!isNew(targetPath)) {
        const other = taken?.get(targetPath);
        return bad(
          `${other === undefined ? 'Another file' : `"${other}"`} and "${key}" would both become ${targetPath}.`,
        );
      }
      taken?.set(targetPath, key);
      return { ok: true, targetPath };
    },
  };
}
