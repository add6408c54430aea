/** The port to where bytes go: one session on an FTP server. */
import { FerryError } from '../core/errors.ts';

export interface StoreProgress {
  /** Bytes handed to the server, from the file's beginning. */
  readonly bytes: number;
  /** CRC-32 of those bytes. */
  readonly crc32: number;
}

export interface StoreResult extends StoreProgress {
  /** What was verified about the stored file, in words: `size`, `size + CRC32 by server`. */
  readonly verified: string;
  /** Whether the content was compared, and not its size alone. */
  readonly contentVerified: boolean;
  /** The size of `alsoSize`; undefined if there is no such file. */
  readonly otherSize?: number | undefined;
}

/** What is known beyond the bytes themselves. */
export interface StoreExtras {
  /** What the file holds already, provably ours; `data` goes on from there. */
  readonly start?: StoreProgress | undefined;
  /** CRC-32 of the whole object as the source keeps it. */
  readonly sourceCrc32?: number | undefined;
  /**
   * Reads the whole object once more, where an upload went on in the middle and only that can tell what its checksum
   * should be.
   */
  readonly readWhole?: ((signal: AbortSignal) => AsyncIterable<Buffer>) | undefined;
  /** Another file whose size is wanted when the upload is over. */
  readonly alsoSize?: string | undefined;
}

/** The server does not go on in the middle of a file: it has to begin anew. */
export class ResumeRefused extends FerryError {
  constructor(userMessage: string) {
    super('target_refused', { retryable: true, userMessage });
    this.name = 'ResumeRefused';
  }
}

/** All errors are FerryErrors (`target_*`, `timeout`, `cancelled`), translated from FTP replies at this edge. */
export interface TargetSession {
  /**
   * Size of a remote file in bytes, or undefined if there is none.
   *
   * @param next `store` when an upload follows: what it begins with is then asked for in the same breath
   */
  size(path: string, next?: 'store'): Promise<number | undefined>;
  /** Makes a directory and its parents where they are missing. */
  ensureDirectory(path: string): Promise<void>;
  /** Whether the server says that it can go on in the middle of a file. */
  canResume(): boolean;
  /** Whether the content of a stored file can be compared by a checksum of the server's. */
  canCompare(): boolean;
  /**
   * Some bytes of a remote file; undefined where the server does not hand them out, `stalled` where it keeps
   * silent for too long.
   *
   * @param from offset of the first one
   * @param atStake bytes that have to be sent again without these: the more, the longer the server is waited for
   */
  readBack(
    path: string,
    from: number,
    bytes: number,
    signal: AbortSignal,
    atStake?: number,
  ): Promise<Buffer | 'stalled' | undefined>;
  /**
   * Stores a file whole: done only when the data connection and the control reply agree, the server's size is
   * `expectedBytes`, and every checksum that can be had is right.
   *
   * @param expectedBytes of the whole file
   * @param onProgress called as bytes leave; must be quick
   * @throws FerryError; ResumeRefused when it would have to begin anew
   */
  store(
    path: string,
    data: AsyncIterable<Buffer>,
    expectedBytes: number,
    onProgress: (progress: StoreProgress) => void,
    signal: AbortSignal,
    extras?: StoreExtras,
  ): Promise<StoreResult>;
  /**
   * @param next where the next upload will go: what it begins with is then asked for in the same breath
   * @returns the size under the new name, undefined if there is no such file
   */
  rename(from: string, to: string, next?: string): Promise<number | undefined>;
  /** Sets the file's time of modification, in epoch milliseconds; false where the server cannot. */
  setModified(path: string, at: number): Promise<boolean>;
  /** Removes a file; no error if it is not there. */
  remove(path: string): Promise<void>;
  close(): void;
}

export interface Target {
  /** Connects and logs in. The password is resolved at this moment and not kept. */
  connect(signal: AbortSignal): Promise<TargetSession>;
}
