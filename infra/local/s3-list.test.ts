import { ListObjectsV2Command, type ListObjectsV2CommandInput, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { useS3 } from '../../test/support/s3.ts';

const Bucket = 'finance-exports';
const s3 = useS3(Bucket);

const put = (Key: string) => s3.admin.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));

describe('listing', () => {
  const names = ['a', 'b/1', 'b/2', 'b/3/x', 'c d', 'z', 'é', '\uFFFD', '🚢'].map((name) => `list/${name}`);

  beforeAll(async () => {
    for (const name of [...names].reverse()) await put(name);
  });

  async function pages(input: Partial<ListObjectsV2CommandInput>) {
    const found: string[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.admin.send(
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
    const { Contents } = await s3.admin.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'list-odd/', EncodingType: 'url' }),
    );
    const [key = ''] = Contents?.map((object) => object.Key ?? '') ?? [];
    expect(key).toBe('list-odd/%01+%2B%26/%C3%A9');
    expect(decodeURIComponent(key.replace(/\+/g, ' '))).toBe('list-odd/\u0001 +&/é');
  });
});
