/** GET and HEAD of the local S3: ranges, preconditions, archived objects, and faults that tests ask for. */
import { createReadStream } from 'node:fs';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './s3-objects.ts';

/** What goes wrong with the bodies of GET until it is switched off. */
export interface ReadFault {
  /** The connection is cut after so many bytes of a body. */
  readonly cutAfterBytes?: number;
  /** Bodies trickle. */
  readonly bytesPerSecond?: number;
  /** For how many responses; for all without it. */
  readonly times?: number;
}

const ARCHIVED = new Set(['GLACIER', 'DEEP_ARCHIVE']);

interface Range {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** One range of RFC 9110 section 14; a header that S3 does not understand is ignored, as S3 does. */
function rangeOf(header: string | undefined, size: number): Range | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start > end) throw new S3Error('InvalidRange', { ActualObjectSize: String(size) });
  return { start, end };
}

function lists(header: string | undefined, etag: string): boolean | undefined {
  if (header === undefined) return undefined;
  const bare = (tag: string) => tag.trim().replace(/^"|"$/g, '');
  return header.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(etag));
}

async function* trickle(source: AsyncIterable<Buffer>, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const pieceSize = Math.max(1, Math.min(64 * 1024, Math.ceil(bytesPerSecond / 20)));
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += pieceSize) {
      const piece = chunk.subarray(at, at + pieceSize);
      yield piece;
      await sleep((piece.length / bytesPerSecond) * 1000);
    }
  }
}

/** Ends with an error after so many bytes, upon which the connection is destroyed. */
async function* cutShort(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of source) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      // What was written has to reach the socket first: destroying it throws away what is still buffered.
      await sleep(20);
      throw new Error('cut by a test');
    }
    left -= chunk.length;
    yield chunk;
  }
}

function setHeaders(response: ServerResponse, object: StoredObject, contentLength: number): void {
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('content-length', contentLength);
  response.setHeader('content-type', object.contentType);
  response.setHeader('etag', object.etag);
  response.setHeader('last-modified', object.lastModified.toUTCString());
  if (object.storageClass !== 'STANDARD') response.setHeader('x-amz-storage-class', object.storageClass);
  for (const [name, value] of Object.entries(object.metadata)) response.setHeader(name, value);
}

/**
 * Answers GET and HEAD of an object.
 *
 * @param takeFault asked once for each body that is about to be sent
 */
export async function readObject(
  object: StoredObject,
  request: { readonly method: 'GET' | 'HEAD'; readonly headers: IncomingHttpHeaders },
  response: ServerResponse,
  takeFault: () => ReadFault | undefined,
): Promise<void> {
  const { method, headers } = request;
  if (lists(headers['if-match'], object.etag) === false) {
    throw new S3Error('PreconditionFailed', { Condition: 'If-Match' });
  }
  if (lists(headers['if-none-match'], object.etag) === true) {
    response.statusCode = 304;
    response.setHeader('etag', object.etag);
    response.end();
    return;
  }
  if (method === 'GET' && ARCHIVED.has(object.storageClass)) {
    throw new S3Error('InvalidObjectState', { StorageClass: object.storageClass });
  }
  const range = rangeOf(headers.range, object.size);
  const length = range ? range.end - range.start + 1 : object.size;
  setHeaders(response, object, length);
  if (range) {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${range.start}-${range.end}/${object.size}`);
  } else if (object.checksum && headers['x-amz-checksum-mode']?.toString().toUpperCase() === 'ENABLED') {
    response.setHeader('x-amz-checksum-crc32', object.checksum.crc32);
    response.setHeader('x-amz-checksum-type', object.checksum.type);
  }
  if (method === 'HEAD' || length === 0) {
    response.end();
    return;
  }
  const fault = takeFault();
  let body: AsyncIterable<Buffer> = createReadStream(object.path, { ...range, highWaterMark: 256 * 1024 });
  if (fault?.bytesPerSecond !== undefined) body = trickle(body, fault.bytesPerSecond);
  if (fault?.cutAfterBytes !== undefined) body = cutShort(body, fault.cutAfterBytes);
  // A reader who goes away, and a cut that a test asked for, both end here; the socket is destroyed by then.
  await pipeline(body, response).catch(() => undefined);
}
