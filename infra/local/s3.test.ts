import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_POLICY, parseAccessPolicy, READ_ONLY_ROLE_POLICY } from './access-policy.ts';
import { type AccessKey, createKeyRing } from './key-ring.ts';
import { type LocalS3, startS3 } from './s3.ts';
import { crc32Text } from './s3-body.ts';

const Bucket = 'finance-exports';
let clock = Date.now();
const keys = createKeyRing(() => clock);
const admin = keys.addUser('admin', ADMIN_POLICY);
let folder: string;
let s3: LocalS3;

const clientFor = ({ accessKeyId, secretAccessKey, session }: AccessKey) =>
  new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey, ...(session && { sessionToken: session.token }) },
  });

/** A reader as AssumeRole makes one, narrowed to one object and one prefix. */
function reader(): AccessKey {
  const narrowed = parseAccessPolicy(
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/mine/*` },
        {
          Effect: 'Allow',
          Action: 's3:ListBucket',
          Resource: `arn:aws:s3:::${Bucket}`,
          Condition: { StringLike: { 's3:prefix': 'mine/*' } },
        },
        { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' },
      ],
    }),
  );
  if ('fault' in narrowed) throw new Error(narrowed.fault);
  return keys.issue(
    'arn:aws:sts::000000000000:assumed-role/R/s',
    [READ_ONLY_ROLE_POLICY, narrowed.policy],
    900,
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fileferry-s3-'));
  s3 = await startS3({ folder, keys });
  await clientFor(admin).send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await s3.stop();
  await rm(folder, { recursive: true });
});

const put = (Key: string, Body: string | Buffer = 'x', more: { StorageClass?: 'GLACIER' } = {}) =>
  clientFor(admin).send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key: string, more: Partial<GetObjectCommandInput> = {}, key = admin) =>
  clientFor(key).send(new GetObjectCommand({ Bucket, Key, ...more }));
const text = async (answer: Awaited<ReturnType<typeof get>>) => answer.Body?.transformToString();

describe('reading', () => {
  it.each([
    ['the first bytes', 'bytes=0-3', '0123', 'bytes 0-3/10'],
    ['the middle to the end', 'bytes=6-', '6789', 'bytes 6-9/10'],
    ['the last bytes', 'bytes=-3', '789', 'bytes 7-9/10'],
    ['a range that reaches beyond the end', 'bytes=8-99', '89', 'bytes 8-9/10'],
  ])('gives %s', async (_what, Range, expected, contentRange) => {
    await put('digits', '0123456789');
    const answer = await get('digits', { Range });
    expect(await text(answer)).toBe(expected);
    expect(answer).toMatchObject({ ContentRange: contentRange, ContentLength: expected.length });
  });

  it('refuses a range behind the end', async () => {
    await put('digits', '0123456789');
    await expect(get('digits', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('answers If-Match of a replaced object with 412', async () => {
    const { ETag } = await put('pinned', 'first');
    expect(ETag).toBe(`"${createHash('md5').update('first').digest('hex')}"`);
    expect(await text(await get('pinned', { IfMatch: ETag }))).toBe('first');
    await put('pinned', 'second');
    await expect(get('pinned', { IfMatch: ETag, Range: 'bytes=0-1' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
  });

  it('keeps metadata and type, and an empty object is one', async () => {
    await clientFor(admin).send(
      new PutObjectCommand({
        Bucket,
        Key: 'empty',
        Body: Buffer.alloc(0),
        ContentType: 'text/csv',
        Metadata: { owner: 'ana' },
      }),
    );
    const head = await clientFor(admin).send(new HeadObjectCommand({ Bucket, Key: 'empty' }));
    expect(head).toMatchObject({ ContentLength: 0, ContentType: 'text/csv', Metadata: { owner: 'ana' } });
    expect(await text(await get('empty'))).toBe('');
  });

  it('tells what does not exist', async () => {
    await expect(get('nowhere')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(get('x', { Bucket: 'no-such-bucket' })).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(
      clientFor(admin).send(new HeadObjectCommand({ Bucket, Key: 'nowhere' })),
    ).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('shows an archived object to HEAD and keeps it from GET', async () => {
    await put('archived', 'cold', { StorageClass: 'GLACIER' });
    const head = await clientFor(admin).send(new HeadObjectCommand({ Bucket, Key: 'archived' }));
    expect(head.StorageClass).toBe('GLACIER');
    await expect(get('archived')).rejects.toMatchObject({
      name: 'InvalidObjectState',
      StorageClass: 'GLACIER',
    });
  });

  it.each(['a b/ü + %41.txt', 'a//b', '../x', 'emoji 🚢', "quote'(1)!*.txt", 'tab\there'])(
    'finds the key %j again as it was written',
    async (key) => {
      await put(key, key);
      expect(await text(await get(key))).toBe(key);
    },
  );
});

describe('faults', () => {
  it('cuts a body short, once', async () => {
    await put('long', Buffer.alloc(300_000, 'a'));
    s3.setReadFault({ cutAfterBytes: 100_000, times: 1 });
    let seen = 0;
    await expect(
      (async () => {
        const { Body } = await get('long');
        for await (const chunk of Body as Readable) seen += (chunk as Buffer).length;
      })(),
    ).rejects.toThrow();
    expect(seen).toBe(100_000);
    expect(await text(await get('long'))).toHaveLength(300_000);
  });

  it('trickles a body that is whole in the end', async () => {
    await put('slow', Buffer.alloc(50_000, 'b'));
    s3.setReadFault({ bytesPerSecond: 500_000, times: 1 });
    const sizes: number[] = [];
    for await (const chunk of (await get('slow')).Body as Readable) sizes.push((chunk as Buffer).length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(50_000);
  });
});

describe('checksums', () => {
  it('keeps the CRC-32 of a streamed upload and gives it back when asked', async () => {
    const body = Buffer.alloc(200_000, 'stream');
    await clientFor(admin).send(
      new PutObjectCommand({
        Bucket,
        Key: 'streamed',
        Body: Readable.from([body]),
        ContentLength: body.length,
      }),
    );
    const expected = crc32Text(crc32(body));
    const asked = await clientFor(admin).send(
      new HeadObjectCommand({ Bucket, Key: 'streamed', ChecksumMode: 'ENABLED' }),
    );
    expect(asked).toMatchObject({
      ChecksumCRC32: expected,
      ChecksumType: 'FULL_OBJECT',
      ContentLength: 200_000,
    });
    const notAsked = await clientFor(admin).send(new HeadObjectCommand({ Bucket, Key: 'streamed' }));
    expect(notAsked.ChecksumCRC32).toBeUndefined();
    expect(await text(await get('streamed', { ChecksumMode: 'ENABLED' }))).toBe(body.toString());
  });

  it('refuses a body that is not what its checksum says', async () => {
    await expect(
      clientFor(admin).send(
        new PutObjectCommand({ Bucket, Key: 'bad', Body: 'x', ChecksumCRC32: 'AAAAAA==' }),
      ),
    ).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(get('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it.each(['FULL_OBJECT', 'COMPOSITE'] as const)(
    'joins a multipart upload with a %s CRC-32',
    async (type) => {
      const client = clientFor(admin);
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
    const client = clientFor(admin);
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

describe('listing', () => {
  const names = ['a', 'b/1', 'b/2', 'b/3/x', 'c d', 'z', 'é', '\uFFFD', '🚢'].map((name) => `list/${name}`);

  beforeAll(async () => {
    for (const name of [...names].reverse()) await put(name);
  });

  async function pages(input: Partial<ListObjectsV2CommandInput>, key = admin) {
    const found: string[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await clientFor(key).send(
        new ListObjectsV2Command({ Bucket, Prefix: 'list/', ...input, ContinuationToken }),
      );
      const keysOf = page.Contents?.map((object) => object.Key ?? '') ?? [];
      found.push([...keysOf, ...(page.CommonPrefixes?.map(({ Prefix }) => Prefix ?? '') ?? [])]);
      expect(page.KeyCount).toBe(found.at(-1)?.length);
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken);
    return found;
  }

  it.each([1, 2, 3, 1000])('gives every key once in the order of UTF-8 bytes, %i a page', async (MaxKeys) => {
    const found = await pages({ MaxKeys });
    expect(found.every((page) => page.length <= MaxKeys)).toBe(true);
    // In UTF-16 order the ship's surrogates would come before U+FFFD.
    expect(found.flat()).toEqual(names);
  });

  it.each([1, 2, 1000])('folds what lies behind the delimiter, %i a page', async (MaxKeys) => {
    const found = (await pages({ Delimiter: '/', MaxKeys })).flat();
    expect(found.sort()).toEqual(
      ['list/a', 'list/b/', 'list/c d', 'list/z', 'list/é', 'list/\uFFFD', 'list/🚢'].sort(),
    );
  });

  it('begins behind a key', async () => {
    expect((await pages({ StartAfter: 'list/z' })).flat()).toEqual(names.slice(-3));
  });

  it('writes keys URL-encoded when asked, so that any key can stand in XML', async () => {
    await put('list-odd/\u0001 +&/é');
    const { Contents } = await clientFor(admin).send(
      new ListObjectsV2Command({ Bucket, Prefix: 'list-odd/', EncodingType: 'url' }),
    );
    const [key = ''] = Contents?.map((object) => object.Key ?? '') ?? [];
    expect(key).toBe('list-odd/%01+%2B%26/%C3%A9');
    expect(decodeURIComponent(key.replace(/\+/g, ' '))).toBe('list-odd/\u0001 +&/é');
  });
});

describe('rights', () => {
  beforeAll(async () => {
    await put('mine/report.pdf', 'mine');
    await put('yours/report.pdf', 'yours');
  });

  it('lets an assumed role read what the session policy names', async () => {
    expect(await text(await get('mine/report.pdf', {}, reader()))).toBe('mine');
    const { Contents } = await clientFor(reader()).send(
      new ListObjectsV2Command({ Bucket, Prefix: 'mine/' }),
    );
    expect(Contents?.map(({ Key }) => Key)).toEqual(['mine/report.pdf']);
  });

  it('keeps everything else from it', async () => {
    const denied = { name: 'AccessDenied' };
    await expect(get('yours/report.pdf', {}, reader())).rejects.toMatchObject(denied);
    await expect(
      clientFor(reader()).send(new ListObjectsV2Command({ Bucket, Prefix: 'yours/' })),
    ).rejects.toMatchObject(denied);
    await expect(clientFor(reader()).send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(
      denied,
    );
  });

  it('does not let it write, even where a session policy would', async () => {
    const client = clientFor(reader());
    const target = { Bucket, Key: 'mine/report.pdf' };
    await expect(client.send(new PutObjectCommand({ ...target, Body: 'forged' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(client.send(new DeleteObjectCommand(target))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    expect(await text(await get(target.Key))).toBe('mine');
  });

  it('refuses keys that are expired, forged, unknown or none', async () => {
    const key = reader();
    const { session } = key;
    if (!session) throw new Error('a reader has a session');
    const refused = (as: AccessKey) => expect(get('mine/report.pdf', {}, as)).rejects;
    await refused({ ...key, secretAccessKey: 'guessed' }).toMatchObject({ name: 'SignatureDoesNotMatch' });
    await refused({ ...key, session: { ...session, token: 'other' } }).toMatchObject({
      name: 'InvalidToken',
    });
    await refused({ ...key, accessKeyId: 'ASIAUNKNOWN' }).toMatchObject({ name: 'InvalidAccessKeyId' });
    const plain = await fetch(`${s3.endpoint}/${Bucket}/mine/report.pdf`);
    expect([plain.status, await plain.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied</Code>'),
    ]);
    clock += 900_000;
    await refused(key).toMatchObject({ name: 'ExpiredToken' });
  });
});
