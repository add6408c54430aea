/** The source port over S3: objects pinned by ETag, read in order, resumed at their offset when cut. */
import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import {
  type S3Subject,
  sourceArchived,
  sourceChanged,
  sourceInterrupted,
  translateS3Error,
} from '../core/s3-errors.ts';
import { stopReason } from '../core/stop-reason.ts';
import type { Source, SourceObject } from './source.ts';

export interface S3SourceOptions {
  /** The client of a valid session; asked for at every call, so that credentials may be renewed between. */
  readonly client: () => Promise<S3Client>;
  readonly log: Logger;
  /** How often in a row a body may be cut with little progress in between. */
  readonly maxResumes?: number;
  /** Longest wait for the next bytes before the body counts as cut, in milliseconds. */
  readonly stallMs?: number;
}

/** Bytes after which a cut connection is bad luck again and not a pattern. */
const PROGRESS = 8 * 2 ** 20;

const subjectOf = ({ bucket, object }: SourceObject): S3Subject => ({ bucket, key: object.key });

/** The same for HEAD and GET. `If-Match` makes S3 itself refuse a changed object. */
const pinned = ({ bucket, object }: SourceObject) => ({
  Bucket: bucket,
  Key: object.key,
  IfMatch: object.etag,
  ...(object.versionId === undefined ? {} : { VersionId: object.versionId }),
});

/** Whether it lies in an archive and no restored copy can be read. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
function isArchived(head: HeadObjectCommandOutput): boolean {
  const archived =
    head.StorageClass === 'GLACIER' ||
    head.StorageClass === 'DEEP_ARCHIVE' ||
    head.ArchiveStatus !== undefined;
  return archived && !/ongoing-request="false"/.test(head.Restore ?? '');
}

/** CRC-32 of the whole object; S3 also keeps checksums of checksums for multipart objects, which say nothing here. */
function wholeCrc32(head: HeadObjectCommandOutput): number | undefined {
  if (head.ChecksumType !== 'FULL_OBJECT' || head.ChecksumCRC32 === undefined) return undefined;
  const bytes = Buffer.from(head.ChecksumCRC32, 'base64');
  return bytes.length === 4 ? bytes.readUInt32BE() : undefined;
}

export function createS3Source(options: S3SourceOptions): Source {
  const { client, log, maxResumes = 5, stallMs = 30_000 } = options;

  /** The bytes from `start` to the end over one connection; may end early or fail anywhere. */
  async function* body(source: SourceObject, start: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { size, etag } = source.object;
    const response = await (await client()).send(
      new GetObjectCommand({ ...pinned(source), Range: `bytes=${start}-${size - 1}` }),
      { abortSignal: signal },
    );
    const stream = response.Body as Readable | undefined;
    if (!stream) throw new Error('S3 answered without a body');
    const stop = () => stream.destroy(stopReason(signal));
    let stall: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) stop();
      // Servers that ignore Range or If-Match would otherwise put the wrong bytes in the right place.
      const range =
        response.ContentRange ?? (start === 0 ? `bytes 0-${Number(response.ContentLength) - 1}/${size}` : '');
      if (range !== `bytes ${start}-${size - 1}/${size}` || (response.ETag ?? etag) !== etag) {
        throw sourceChanged(
          subjectOf(source),
          `asked for bytes ${start}-${size - 1} of ${etag}, got ${range}`,
        );
      }
      const chunks = stream[Symbol.asyncIterator]();
      for (;;) {
        // Runs only while we wait for S3: a slow target is no fault of the source.
        stall = setTimeout(() => stream.destroy(new Error(`no bytes for ${stallMs} ms`)), stallMs);
        const { value, done } = await chunks.next();
        clearTimeout(stall);
        if (done) return;
        yield value;
      }
    } finally {
      clearTimeout(stall);
      signal.removeEventListener('abort', stop);
      // Also the way out for a reader that stops early.
      stream.on('error', () => {});
      stream.destroy();
    }
  }

  return {
    async check(source, signal) {
      const subject = subjectOf(source);
      let head: HeadObjectCommandOutput;
      try {
        const command = new HeadObjectCommand({ ...pinned(source), ChecksumMode: 'ENABLED' });
        head = await (await client()).send(command, { abortSignal: signal });
      } catch (error) {
        throw translateS3Error(error, subject, signal);
      }
      if (head.ContentLength !== source.object.size || head.ETag !== source.object.etag) {
        throw sourceChanged(subject, `now ${head.ContentLength} bytes, ${head.ETag}`);
      }
      if (isArchived(head)) throw sourceArchived(subject);
      const crc32 = wholeCrc32(head);
      return { size: source.object.size, ...(crc32 === undefined ? {} : { crc32 }) };
    },

    async *read(source, start, signal) {
      const subject = subjectOf(source);
      const { size } = source.object;
      let at = start;
      let cuts = 0;
      let lastCut = start;
      while (at < size) {
        let cause: unknown = new Error(`the body ended at byte ${at} of ${size}`);
        try {
          for await (const chunk of body(source, at, signal)) {
            if (at + chunk.length > size) throw sourceChanged(subject, `more than ${size} bytes`);
            at += chunk.length;
            yield chunk;
          }
        } catch (error) {
          const fault = translateS3Error(error, subject, signal);
          // What S3 refuses by name will not be different for asking again; a socket will.
          if (error instanceof FerryError || !(fault.retryable || isCut(error))) throw fault;
          cause = error;
        }
        if (at >= size) return;
        cuts = at - lastCut >= PROGRESS ? 1 : cuts + 1;
        lastCut = at;
        if (cuts > maxResumes) throw sourceInterrupted(subject, cause);
        log.info({ bucket: source.bucket, at, cuts, cause: String(cause) }, 'reading on after a cut');
      }
    },
  };
}

/** A body that broke on the way, whatever the stream calls it: the SDK has no part in it any more. */
function isCut(error: unknown): boolean {
  return error instanceof Error && !('$metadata' in error);
}
