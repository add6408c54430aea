/** The port to where bytes come from. */
import type { PlannedObject } from '../core/transfer.ts';

/** Up to so many bytes an object is read in one piece into memory of its own, so that it may be asked for early. */
export const SMALL_BYTES = 2 ** 20;

export interface SourceObject {
  readonly bucket: string;
  readonly object: PlannedObject;
}

/** What the source says of the pinned object now. */
export interface SourceFacts {
  readonly size: number;
  /** CRC-32 of the whole object where S3 keeps one, unsigned. */
  readonly crc32?: number;
  /** When the object was last modified, in epoch milliseconds. */
  readonly modifiedAt?: number;
}

/** All errors are FerryErrors: `source_changed`, `source_archived`, `not_found`, `not_allowed`, or retryable ones. */
export interface Source {
  /** Checks that the object is still what the plan pinned and can be read now. */
  check(source: SourceObject, signal: AbortSignal): Promise<SourceFacts>;
  /**
   * The object's bytes in order, from `start` to the end; every read is conditional on the pinned ETag. A chunk is
   * valid until the next one is asked for: its memory is used again.
   *
   * @param start offset of the first byte wanted
   * @param end offset after the last byte wanted; the object's size unless given
   */
  read(source: SourceObject, start: number, signal: AbortSignal, end?: number): AsyncIterable<Buffer>;
}

/** A source that was opened with credentials, for one run. */
export interface SourceGrant {
  readonly source: Source;
  /** When each session that it used was opened, in epoch milliseconds; grows with each renewal. */
  readonly openedAt: readonly number[];
  /** Forgets the credentials. */
  close(): Promise<void>;
}
