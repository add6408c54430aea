/** The port to where bytes go: one session on an FTP server. */

export interface StoreProgress {
  /** Bytes handed to the server, from the file's beginning. */
  readonly bytes: number;
  /** CRC-32 of those bytes. */
  readonly crc32: number;
}

export interface StoreResult extends StoreProgress {
  /** What was verified about the stored file, in words: `size`, `size + CRC32 by server`. */
  readonly verified: string;
}

/** All errors are FerryErrors (`target_*`, `timeout`, `cancelled`), translated from FTP replies at this edge. */
export interface TargetSession {
  /** Size of a remote file in bytes, or undefined if there is none. */
  size(path: string): Promise<number | undefined>;
  /** Makes a directory and its parents where they are missing. */
  ensureDirectory(path: string): Promise<void>;
  /**
   * Stores a file whole: done only when the data connection and the control reply agree and the server's size is
   * `expectedBytes`.
   *
   * @param onProgress called as bytes leave; must be quick
   */
  store(
    path: string,
    data: AsyncIterable<Buffer>,
    expectedBytes: number,
    onProgress: (progress: StoreProgress) => void,
    signal: AbortSignal,
  ): Promise<StoreResult>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; no error if it is not there. */
  remove(path: string): Promise<void>;
  close(): void;
}

export interface Target {
  /** Connects and logs in. The password is resolved at this moment and not kept. */
  connect(signal: AbortSignal): Promise<TargetSession>;
}
