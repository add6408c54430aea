import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { useS3 } from '../../test/support/s3.ts';
import type { AccessKey } from './key-ring.ts';

const Bucket = 'finance-exports';
const s3 = useS3(Bucket);

const put = (Key: string, Body: string | Buffer = 'x', more: { StorageClass?: 'GLACIER' } = {}) =>
  s3.admin.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key: string, more: Partial<GetObjectCommandInput> = {}, key?: AccessKey) =>
  (key ? s3.clientFor(key) : s3.admin).send(new GetObjectCommand({ Bucket, Key, ...more }));
const text = async (answer: Awaited<ReturnType<typeof get>>) => answer.Body?.transformToString();

/** A reader whose session policy names one prefix, and wants to write. */
const reader = () =>
  s3.assumedRole({
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
  });

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
    await s3.admin.send(
      new PutObjectCommand({
        Bucket,
        Key: 'empty',
        Body: Buffer.alloc(0),
        ContentType: 'text/csv',
        Metadata: { owner: 'ana' },
      }),
    );
    const head = await s3.admin.send(new HeadObjectCommand({ Bucket, Key: 'empty' }));
    expect(head).toMatchObject({ ContentLength: 0, ContentType: 'text/csv', Metadata: { owner: 'ana' } });
    expect(await text(await get('empty'))).toBe('');
  });

  it('tells what does not exist', async () => {
    await expect(get('nowhere')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(get('x', { Bucket: 'no-such-bucket' })).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(s3.admin.send(new HeadObjectCommand({ Bucket, Key: 'nowhere' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it('shows an archived object to HEAD and keeps it from GET', async () => {
    await put('archived', 'cold', { StorageClass: 'GLACIER' });
    const head = await s3.admin.send(new HeadObjectCommand({ Bucket, Key: 'archived' }));
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
  it('cut a body short for an assumed role, once, and for nobody else', async () => {
    await put('long', Buffer.alloc(300_000, 'a'));
    s3.server.setReadFault({ cutAfterBytes: 100_000, times: 1 });
    expect(await text(await get('long'))).toHaveLength(300_000);
    let seen = 0;
    await expect(
      (async () => {
        const { Body } = await get('long', {}, s3.assumedRole());
        for await (const chunk of Body as Readable) seen += (chunk as Buffer).length;
      })(),
    ).rejects.toThrow();
    expect(seen).toBe(100_000);
    expect(await text(await get('long', {}, s3.assumedRole()))).toHaveLength(300_000);
  });

  it('let a body trickle that is whole in the end', async () => {
    await put('slow', Buffer.alloc(50_000, 'b'));
    s3.server.setReadFault({ bytesPerSecond: 500_000, times: 1 });
    const sizes: number[] = [];
    for await (const chunk of (await get('slow', {}, s3.assumedRole())).Body as Readable)
      sizes.push((chunk as Buffer).length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(50_000);
  });
});

describe('rights', () => {
  beforeAll(async () => {
    await put('mine/report.pdf', 'mine');
    await put('yours/report.pdf', 'yours');
  });

  it('lets an assumed role read what the session policy names', async () => {
    expect(await text(await get('mine/report.pdf', {}, reader()))).toBe('mine');
    const { Contents } = await s3
      .clientFor(reader())
      .send(new ListObjectsV2Command({ Bucket, Prefix: 'mine/' }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['mine/report.pdf']);
  });

  it('keeps everything else from it', async () => {
    const denied = { name: 'AccessDenied' };
    await expect(get('yours/report.pdf', {}, reader())).rejects.toMatchObject(denied);
    await expect(
      s3.clientFor(reader()).send(new ListObjectsV2Command({ Bucket, Prefix: 'yours/' })),
    ).rejects.toMatchObject(denied);
    await expect(s3.clientFor(reader()).send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(
      denied,
    );
  });

  it('does not let it write, even where a session policy would', async () => {
    const client = s3.clientFor(reader());
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
    const plain = await fetch(`${s3.server.endpoint}/${Bucket}/mine/report.pdf`);
    expect([plain.status, await plain.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied</Code>'),
    ]);
    s3.advance(900);
    await refused(key).toMatchObject({ name: 'ExpiredToken' });
  });
});
