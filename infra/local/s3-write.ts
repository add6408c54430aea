/** Writing to the local S3, for seeding and tests: PUT, multipart upload, DELETE. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import { crc32Text, type ReceivedBody, receiveBody } from './s3-body.ts';
import { S3Error } from './s3-error.ts';
import { S3_NAMESPACE } from './s3-list.ts';
import type { Bucket, ObjectHeaders, ObjectStore } from './s3-objects.ts';
import { xml, xmlDocument } from './xml.ts';

const SMALLEST_PART = 5 * 2 ** 20;

interface Part extends ReceivedBody {
  readonly path: string;
}

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: ObjectHeaders;
  /** How the uploader wants the whole object's CRC-32 reckoned; none was asked for without it. */
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE' | undefined;
  readonly parts: Map<number, Part>;
}

function objectHeaders(headers: IncomingHttpHeaders): ObjectHeaders {
  return {
    contentType: headers['content-type'] ?? 'binary/octet-stream',
    metadata: Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => name.startsWith('x-amz-meta-'))
        .map(([name, value]) => [name, String(value)]),
    ),
    storageClass: headers['x-amz-storage-class']?.toString() ?? 'STANDARD',
  };
}

const quoted = (md5: Buffer) => `"${md5.toString('hex')}"`;

async function concatenate(parts: readonly Part[], path: string): Promise<{ size: number; crc: number }> {
  let size = 0;
  let crc = 0;
  const file = await open(path, 'wx');
  try {
    for (const part of parts) {
      for await (const chunk of createReadStream(part.path) as AsyncIterable<Buffer>) {
        size += chunk.length;
        crc = crc32(chunk, crc);
        await file.writeFile(chunk);
      }
    }
  } finally {
    await file.close();
  }
  return { size, crc };
}

/** The parts named in a CompleteMultipartUpload document: number and entity tag. */
function namedParts(document: string): { number: number; etag: string }[] {
  const parts = [...document.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>\s*(\d+)\s*<\/PartNumber>/.exec(part)?.[1]),
    etag: (/<ETag>(.*?)<\/ETag>/s.exec(part)?.[1] ?? '').replace(/&quot;|&#34;|"/g, '').trim(),
  }));
  const ascending = parts.every(({ number }, at) => number > (parts[at - 1]?.number ?? 0));
  if (parts.length === 0 || !ascending) throw new S3Error('MalformedXML');
  return parts;
}

export interface ObjectWriter {
  put(bucket: Bucket, key: string, request: IncomingMessage, response: ServerResponse): Promise<void>;
  createUpload(bucket: Bucket, key: string, headers: IncomingHttpHeaders): string;
  uploadPart(
    where: { bucket: Bucket; key: string; uploadId: string; partNumber: number },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
  completeUpload(bucket: Bucket, key: string, uploadId: string, document: string): Promise<string>;
  abortUpload(bucket: Bucket, key: string, uploadId: string): Promise<void>;
}

export function createObjectWriter(store: ObjectStore, now: () => number): ObjectWriter {
  const uploads = new Map<string, Upload>();

  async function receive(request: IncomingMessage): Promise<Part> {
    const path = store.newPath();
    try {
      return { ...(await receiveBody(request, path)), path };
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  function uploadOf(bucket: Bucket, key: string, uploadId: string): Upload {
    const upload = uploads.get(uploadId);
    if (upload?.bucket !== bucket.name || upload.key !== key) {
      throw new S3Error('NoSuchUpload', { UploadId: uploadId });
    }
    return upload;
  }

  function answerStored(response: ServerResponse, body: Part): void {
    response.setHeader('etag', quoted(body.md5));
    if (body.sentCrc32 !== undefined) response.setHeader('x-amz-checksum-crc32', body.sentCrc32);
    response.end();
  }

  return {
    async put(bucket, key, request, response) {
      const body = await receive(request);
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
      if (request.headers['if-none-match'] === '*' && bucket.get(key)) {
        await rm(body.path, { force: true });
        throw new S3Error('PreconditionFailed');
      }
      await bucket.put({
        ...objectHeaders(request.headers),
        key,
        size: body.size,
        etag: quoted(body.md5),
        lastModified: new Date(now()),
        path: body.path,
        ...(body.sentCrc32 !== undefined && { checksum: { crc32: body.sentCrc32, type: 'FULL_OBJECT' } }),
      });
      answerStored(response, body);
    },

    createUpload(bucket, key, headers) {
      const uploadId = randomUUID();
      uploads.set(uploadId, {
        bucket: bucket.name,
        key,
        headers: objectHeaders(headers),
        checksumType:
          headers['x-amz-checksum-algorithm'] !== 'CRC32'
            ? undefined
            : headers['x-amz-checksum-type'] === 'FULL_OBJECT'
              ? 'FULL_OBJECT'
              : 'COMPOSITE',
        parts: new Map(),
      });
      return xmlDocument('InitiateMultipartUploadResult', S3_NAMESPACE, [
        xml('Bucket', bucket.name),
        xml('Key', key),
        xml('UploadId', uploadId),
      ]);
    },

    async uploadPart({ bucket, key, uploadId, partNumber }, request, response) {
      const upload = uploadOf(bucket, key, uploadId);
      const body = await receive(request);
      const replaced = upload.parts.get(partNumber);
      upload.parts.set(partNumber, body);
      if (replaced) await rm(replaced.path, { force: true });
      answerStored(response, body);
    },

    async completeUpload(bucket, key, uploadId, document) {
      const upload = uploadOf(bucket, key, uploadId);
      const parts = namedParts(document).map(({ number, etag }) => {
        const part = upload.parts.get(number);
        if (part?.md5.toString('hex') !== etag)
          throw new S3Error('InvalidPart', { PartNumber: String(number) });
        return part;
      });
      if (parts.slice(0, -1).some(({ size }) => size < SMALLEST_PART)) throw new S3Error('EntityTooSmall');
      const path = store.newPath();
      const { size, crc } = await concatenate(parts, path);
      const md5 = createHash('md5').update(Buffer.concat(parts.map((part) => part.md5)));
      const etag = `"${md5.digest('hex')}-${parts.length}"`;
      const partCrcs = Buffer.concat(parts.map((part) => Buffer.from(crc32Text(part.crc32), 'base64')));
      const checksum = upload.checksumType && {
        crc32:
          upload.checksumType === 'FULL_OBJECT'
            ? crc32Text(crc)
            : `${crc32Text(crc32(partCrcs))}-${parts.length}`,
        type: upload.checksumType,
      };
      await bucket.put({
        ...upload.headers,
        key,
        size,
        etag,
        lastModified: new Date(now()),
        path,
        ...(checksum && { checksum }),
      });
      uploads.delete(uploadId);
      await Promise.all([...upload.parts.values()].map((part) => rm(part.path, { force: true })));
      return xmlDocument('CompleteMultipartUploadResult', S3_NAMESPACE, [
        xml('Bucket', bucket.name),
        xml('Key', key),
        xml('ETag', etag),
        xml('ChecksumCRC32', checksum?.crc32),
        xml('ChecksumType', checksum?.type),
      ]);
    },

    async abortUpload(bucket, key, uploadId) {
      const upload = uploadOf(bucket, key, uploadId);
      uploads.delete(uploadId);
      await Promise.all([...upload.parts.values()].map((part) => rm(part.path, { force: true })));
    },
  };
}
