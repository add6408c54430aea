/** The local S3's buckets and objects: bodies as files on disk, everything else in memory. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Error } from './s3-error.ts';

export interface ObjectHeaders {
  readonly contentType: string;
  /** `x-amz-meta-…` headers by full name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
}

export interface StoredObject extends ObjectHeaders {
  readonly key: string;
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModified: Date;
  /** CRC-32 as the uploader sent it, base64; of the parts' CRCs (with `-N`) when composite. */
  readonly checksum?: { readonly crc32: string; readonly type: 'FULL_OBJECT' | 'COMPOSITE' };
  /** The body's file; never written again, so that a reader of a replaced object reads on undisturbed. */
  readonly path: string;
}

export interface Bucket {
  readonly name: string;
  get(key: string): StoredObject | undefined;
  put(object: StoredObject): Promise<void>;
  delete(key: string): Promise<void>;
  /** All objects, in the order of their keys' UTF-8 bytes. */
  sorted(): readonly StoredObject[];
}

function createBucket(name: string): Bucket {
  const objects = new Map<string, StoredObject>();
  let sorted: StoredObject[] | undefined;
  const drop = async (key: string) => {
    const old = objects.get(key);
    objects.delete(key);
    sorted = undefined;
    if (old) await rm(old.path, { force: true });
  };
  return {
    name,
    get: (key) => objects.get(key),
    async put(object) {
      const removed = drop(object.key);
      objects.set(object.key, object);
      await removed;
    },
    delete: drop,
    sorted() {
      sorted ??= [...objects.values()]
        .map((object) => ({ object, bytes: Buffer.from(object.key) }))
        .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
        .map(({ object }) => object);
      return sorted;
    },
  };
}

export interface ObjectStore {
  /** A path for a body that nobody else will write. */
  newPath(): string;
  createBucket(name: string): void;
  /** Throws S3Error `NoSuchBucket`. */
  bucket(name: string): Bucket;
  bucketNames(): string[];
}

/** @param folder an existing folder, for the bodies; the index begins empty */
export function createObjectStore(folder: string): ObjectStore {
  const buckets = new Map<string, Bucket>();
  return {
    newPath: () => join(folder, randomUUID()),
    createBucket(name) {
      if (buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou', { BucketName: name });
      buckets.set(name, createBucket(name));
    },
    bucket(name) {
      const bucket = buckets.get(name);
      if (!bucket) throw new S3Error('NoSuchBucket', { BucketName: name });
      return bucket;
    },
    bucketNames: () => [...buckets.keys()].sort(),
  };
}
