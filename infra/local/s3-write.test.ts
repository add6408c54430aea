import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { useS3 } from '../../test/support/s3.ts';
import { crc32Text } from './s3-body.ts';

const Bucket = 'finance-exports';
const s3 = useS3(Bucket);

const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  s3.admin.send(new GetObjectCommand({ Bucket, Key, ...more }));
const text = async (answer: Awaited<ReturnType<typeof get>>) => answer.Body?.transformToString();

describe('checksums', () => {
  it('keeps the CRC-32 of a streamed upload and gives it back when asked', async () => {
    const body = Buffer.alloc(200_000, 'stream');
    await s3.admin.send(
      new PutObjectCommand({
        Bucket,
        Key: 'streamed',
        Body: Readable.from([body]),
        ContentLength: body.length,
      }),
    );
    const expected = crc32Text(crc32(body));
    const asked = await s3.admin.send(
      new HeadObjectCommand({ Bucket, Key: 'streamed', ChecksumMode: 'ENABLED' }),
    );
    expect(asked).toMatchObject({
      ChecksumCRC32: expected,
      ChecksumType: 'FULL_OBJECT',
      ContentLength: 200_000,
    });
    const notAsked = await s3.admin.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }));
    expect(notAsked.ChecksumCRC32).toBeUndefined();
    expect(await text(await get('streamed', { ChecksumMode: 'ENABLED' }))).toBe(body.toString());
  });

  it('refuses a body that is not what its checksum says', async () => {
    await expect(
      s3.admin.send(new PutObjectCommand({ Bucket, Key: 'bad', Body: 'x', ChecksumCRC32: 'AAAAAA==' })),
    ).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(get('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it.each(['FULL_OBJECT', 'COMPOSITE'] as const)(
    'joins a multipart upload with a %s CRC-32',
    async (type) => {
      const client = s3.admin;
      const Key = `parts-${type}`;
      const parts = [Buffer.alloc(5 * 2 ** 20, 'p'), Buffer.from('the end')];
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ChecksumType: type }),
      );
      const Parts = await Promise.all(
        parts.map(async (Body, index) => {
          const PartNumber = index + 1;
          const { ETag } = await client.send(
            new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' }),
          );
          return { PartNumber, ETag };
        }),
      );
      const done = await client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      );
      expect(done.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
      const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      expect(head).toMatchObject({ ETag: done.ETag, ContentLength: 5 * 2 ** 20 + 7, ChecksumType: type });
      if (type === 'FULL_OBJECT') expect(head.ChecksumCRC32).toBe(crc32Text(crc32(Buffer.concat(parts))));
      else expect(head.ChecksumCRC32).toMatch(/-2$/);
      expect(await text(await get(Key, { Range: 'bytes=-9' }))).toBe('ppthe end');
    },
  );

  it('refuses a part that was not uploaded', async () => {
    const client = s3.admin;
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'lost' }));
    await expect(
      client.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key: 'lost',
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"00"' }] },
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidPart' });
  });
});
