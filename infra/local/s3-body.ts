/** Takes a request's body to disk: plain or aws-chunked, hashed on the way. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { S3Error } from './s3-error.ts';

export interface ReceivedBody {
  readonly size: number;
  readonly md5: Buffer;
  readonly crc32: number;
  /** `x-amz-checksum-crc32` as it was sent, in the header or the trailer; it has been compared with the bytes. */
  readonly sentCrc32: string | undefined;
}

/** A CRC-32 as S3 writes it: base64 of four bytes, big-endian. */
export function crc32Text(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}

/**
 * The data of an aws-chunked body; chunk signatures are not checked.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * @param trailers filled with the trailing headers at the end
 */
async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  let buffered: Buffer = Buffer.alloc(0);
  const input = source[Symbol.asyncIterator]();
  const more = async () => {
    const { value, done } = await input.next();
    if (done) throw new S3Error('IncompleteBody');
    buffered = buffered.length > 0 ? Buffer.concat([buffered, value]) : value;
  };
  const line = async () => {
    for (;;) {
      const end = buffered.indexOf('\r\n');
      if (end >= 0) {
        const text = buffered.toString('latin1', 0, end);
        buffered = buffered.subarray(end + 2);
        return text;
      }
      await more();
    }
  };
  for (;;) {
    let left = Number.parseInt(await line(), 16);
    if (!(left >= 0)) throw new S3Error('IncompleteBody');
    if (left === 0) break;
    while (left > 0) {
      if (buffered.length === 0) await more();
      const piece = buffered.subarray(0, left);
      buffered = buffered.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
    await line();
  }
  for (let trailer = await line(); trailer !== ''; trailer = await line()) {
    const colon = trailer.indexOf(':');
    trailers.set(trailer.slice(0, colon).toLowerCase(), trailer.slice(colon + 1).trim());
  }
}

const isAwsChunked = (headers: IncomingHttpHeaders) =>
  headers['x-amz-content-sha256']?.toString().startsWith('STREAMING-') ?? false;

/** Writes the body to a new file. Throws S3Error `BadDigest` or `IncompleteBody` when it is not what was announced. */
export async function receiveBody(request: IncomingMessage, path: string): Promise<ReceivedBody> {
  const trailers = new Map<string, string>();
  const data = isAwsChunked(request.headers) ? decodeAwsChunked(request, trailers) : request;
  const md5 = createHash('md5');
  let crc = 0;
  let size = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of data as AsyncIterable<Buffer>) {
      md5.update(chunk);
      crc = crc32(chunk, crc);
      size += chunk.length;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  const announced = request.headers['x-amz-decoded-content-length'];
  if (announced !== undefined && Number(announced) !== size) throw new S3Error('IncompleteBody');
  const digest = md5.digest();
  const sentCrc32 =
    request.headers['x-amz-checksum-crc32']?.toString() ?? trailers.get('x-amz-checksum-crc32');
  const sentMd5 = request.headers['content-md5'];
  if (sentCrc32 !== undefined && sentCrc32 !== crc32Text(crc)) throw new S3Error('BadDigest');
  if (sentMd5 !== undefined && sentMd5 !== digest.toString('base64')) throw new S3Error('BadDigest');
  return { size, md5: digest, crc32: crc, sentCrc32 };
}
