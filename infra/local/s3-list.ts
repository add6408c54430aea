/** ListObjectsV2 of the local S3. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
import { S3Error } from './s3-error.ts';
import type { Bucket, StoredObject } from './s3-objects.ts';
import { xml, xmlDocument } from './xml.ts';

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const LARGEST_PAGE = 1000;

type Entry = { readonly object: StoredObject } | { readonly prefix: string };

/** Where a page ended: after a key, or after everything under a common prefix. */
const tokenOf = (entry: Entry) =>
  Buffer.from('object' in entry ? `k${entry.object.key}` : `p${entry.prefix}`).toString('base64url');

function isAfter(key: string, bytes: Buffer, token: string): boolean {
  const mark = Buffer.from(token, 'base64url').toString();
  const name = mark.slice(1);
  if (mark.startsWith('p')) return !key.startsWith(name) && Buffer.compare(bytes, Buffer.from(name)) > 0;
  if (mark.startsWith('k')) return Buffer.compare(bytes, Buffer.from(name)) > 0;
  throw new S3Error('InvalidArgument', { ArgumentName: 'continuation-token' });
}

function* entriesOf(bucket: Bucket, query: URLSearchParams): Generator<Entry> {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = token ?? (startAfter && Buffer.from(`k${startAfter}`).toString('base64url'));
  let group: string | undefined;
  for (const object of bucket.sorted()) {
    if (!object.key.startsWith(prefix)) continue;
    if (after && !isAfter(object.key, Buffer.from(object.key), after)) continue;
    const cut = delimiter ? object.key.indexOf(delimiter, prefix.length) : -1;
    if (cut < 0) {
      yield { object };
      continue;
    }
    const found = object.key.slice(0, cut + delimiter.length);
    if (found !== group) yield { prefix: found };
    group = found;
  }
}

/** `encoding-type=url`: a space becomes `+`, a slash stays. */
const urlEncode = (text: string) => encodeURIComponent(text).replace(/%20/g, '+').replace(/%2F/g, '/');

/** The answer to a listing. */
export function listObjects(bucket: Bucket, query: URLSearchParams): string {
  const asked = Number(query.get('max-keys') ?? LARGEST_PAGE);
  if (!Number.isInteger(asked) || asked < 0)
    throw new S3Error('InvalidArgument', { ArgumentName: 'max-keys' });
  const maxKeys = Math.min(asked, LARGEST_PAGE);
  const page: Entry[] = [];
  let truncated = false;
  if (maxKeys > 0) {
    for (const entry of entriesOf(bucket, query)) {
      truncated = page.length === maxKeys;
      if (truncated) break;
      page.push(entry);
    }
  }
  const last = page.at(-1);
  const encoding = query.get('encoding-type') ?? undefined;
  const name = (text: string | null) => (encoding === 'url' ? urlEncode(text ?? '') : (text ?? ''));
  return xmlDocument('ListBucketResult', S3_NAMESPACE, [
    xml('Name', bucket.name),
    xml('Prefix', name(query.get('prefix'))),
    xml('Delimiter', query.has('delimiter') ? name(query.get('delimiter')) : undefined),
    xml('StartAfter', query.has('start-after') ? name(query.get('start-after')) : undefined),
    xml('MaxKeys', maxKeys),
    xml('KeyCount', page.length),
    xml('EncodingType', encoding),
    xml('IsTruncated', truncated),
    xml('ContinuationToken', query.get('continuation-token') ?? undefined),
    xml('NextContinuationToken', truncated && last ? tokenOf(last) : undefined),
    ...page.map((entry) =>
      'prefix' in entry
        ? xml('CommonPrefixes', [xml('Prefix', name(entry.prefix))])
        : xml('Contents', [
            xml('Key', name(entry.object.key)),
            xml('LastModified', entry.object.lastModified.toISOString()),
            xml('ETag', entry.object.etag),
            xml('Size', entry.object.size),
            xml('StorageClass', entry.object.storageClass),
          ]),
    ),
  ]);
}
