/** The source port over S3: objects pinned by ETag, read as parallel ranges, resumed at their offset when cut. */
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
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
import { createPartMemory, type PartMemoryStock } from './part-memory.ts';
import { RangeRefused } from './range-connection.ts';
import { Pace } from './range-pace.ts';
import { createRangePool } from './range-pool.ts';
import { type FetchPart, readRanges } from './ranges.ts';
import { createGetSigner, type SignedGet } from './s3-signed-get.ts';
import type { Source, SourceObject } from './source.ts';

export interface S3SourceOptions {
  /** The client of a valid session; asked for at every call, so that credentials may be renewed between. */
  readonly client: () => Promise<S3Client>;
  readonly log: Logger;
  /** How often in a row a body may be cut with little progress in between. */
  readonly maxResumes?: number;
  /** Longest wait for the next bytes before the body counts as cut, in milliseconds. */
  readonly stallMs?: number;
  /** The process's memory for parts; one of its own unless given. */
  readonly memory?: PartMemoryStock;
}

export interface S3Source extends Source {
  /** Closes its connections. */
  close(): void;
}

/** Bytes after which a cut connection is bad luck again and not a pattern. */
const PROGRESS = 2 ** 20;
/** How long a signature is used, in milliseconds: well below S3's 15 minutes, and credentials are renewed 2 before their end. */
const SIGNATURE_MS = 90_000;

/** Ranges of one object that are read at once from the start where the connection is encrypted. */
const TLS_LANES = 2;

/** Bytes from offset `from` on, to fill `into` with. */
interface Range {
  readonly from: number;
  readonly into: Buffer;
  readonly onBytes: (filled: number) => void;
}

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

export function createS3Source(options: S3SourceOptions): S3Source {
  const { client, log, maxResumes = 5, stallMs = 30_000, memory = createPartMemory() } = options;
  const pool = createRangePool(stallMs);
  const pace = new Pace();
  const sign = createGetSigner(client);
  let sdkOnly = false;

  /** Fills `into` from offset `from` on over the SDK's own GET; may end early or fail anywhere. */
  async function getBySdk(source: SourceObject, { from, into, onBytes }: Range, signal: AbortSignal) {
    const { size, etag } = source.object;
    const to = from + into.length - 1;
    const response = await (await client()).send(
      new GetObjectCommand({ ...pinned(source), Range: `bytes=${from}-${to}` }),
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
      const whole =
        from === 0 && to === size - 1 ? `bytes 0-${Number(response.ContentLength) - 1}/${size}` : '';
      const range = response.ContentRange ?? whole;
      if (range !== `bytes ${from}-${to}/${size}` || (response.ETag ?? etag) !== etag) {
        throw sourceChanged(subjectOf(source), `asked for bytes ${from}-${to} of ${etag}, got ${range}`);
      }
      const chunks = stream[Symbol.asyncIterator]();
      for (let filled = 0; ; ) {
        stall = setTimeout(() => stream.destroy(new Error(`no bytes for ${stallMs} ms`)), stallMs);
        const { value, done } = await chunks.next();
        clearTimeout(stall);
        if (done) return;
        if (filled + value.length > into.length)
          throw sourceChanged(subjectOf(source), 'more bytes than asked');
        value.copy(into, filled);
        filled += value.length;
        onBytes(filled);
      }
    } finally {
      clearTimeout(stall);
      signal.removeEventListener('abort', stop);
      stream.on('error', () => {});
      stream.destroy();
    }
  }

  /** One part, read on after cuts; what S3 refuses is asked once more by the SDK, which knows all its refusals. */
  function partsOf(source: SourceObject): FetchPart {
    const subject = subjectOf(source);
    const { size, etag } = source.object;
    let signed: Promise<SignedGet> | undefined;
    let signedAt = 0;

    const signature = () => {
      if (!signed || performance.now() - signedAt > SIGNATURE_MS) {
        signedAt = performance.now();
        signed = sign(source);
        signed.catch(() => {
          signed = undefined;
        });
      }
      return signed;
    };

    return async (from, into, onBytes, signal) => {
      let filled = 0;
      let cuts = 0;
      let lastCut = 0;
      let bySdk = false;
      while (filled < into.length) {
        const before = filled;
        const range: Range = {
          from: from + before,
          into: into.subarray(before),
          onBytes(more) {
            filled = before + more;
            onBytes(filled);
          },
        };
        let cause: unknown = new Error('the body ended early');
        try {
          if (bySdk || sdkOnly) await getBySdk(source, range, signal);
          else {
            const { server, head } = await signature();
            if (server.secure) pace.atLeast(TLS_LANES);
            await pool.get(server, { ...range, head, etag, size }, signal);
          }
          if (filled === into.length) return;
        } catch (error) {
          if (error instanceof RangeRefused && !signal.aborted) {
            log.info(
              { bucket: source.bucket, status: error.status, cause: error.message },
              'asking by the SDK',
            );
            bySdk = true;
            // No refusal, just not HTTP as we speak it: a proxy or a redirect, which will not go away.
            if (error.status < 400) sdkOnly = true;
            continue;
          }
          const fault = translateS3Error(error, subject, signal);
          // What S3 refuses by name will not be different for asking again; a socket will.
          if (error instanceof FerryError || signal.aborted || !(fault.retryable || isCut(error)))
            throw fault;
          cause = error;
        }
        cuts = filled - lastCut >= PROGRESS ? 1 : cuts + 1;
        lastCut = filled;
        if (cuts > maxResumes) throw sourceInterrupted(subject, cause);
        log.info(
          { bucket: source.bucket, at: from + filled, cuts, cause: String(cause) },
          'reading on after a cut',
        );
        if (filled === before) await pauseBefore(cuts, signal);
      }
    };
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
      const modifiedAt = head.LastModified?.getTime();
      return {
        size: source.object.size,
        ...(crc32 === undefined ? {} : { crc32 }),
        ...(modifiedAt === undefined ? {} : { modifiedAt }),
      };
    },

    read(source, start, signal, end = source.object.size) {
      return readRanges({ start, size: end, fetch: partsOf(source), memory, pace, signal });
    },

    close: () => pool.close(),
  };
}

/** Cut without a byte: some time for the network, different for each connection. */
async function pauseBefore(cut: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(2_000, 25 * 4 ** cut) * (0.5 + Math.random() / 2);
  await delay(ms, undefined, { signal, ref: false }).catch(() => {});
}

/** A body that broke on the way, whatever the stream calls it: the SDK has no part in it any more. */
function isCut(error: unknown): boolean {
  return error instanceof Error && !('$metadata' in error);
}
