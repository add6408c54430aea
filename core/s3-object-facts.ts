/** What browsing knows of an S3 object, read from HEAD, from a listing or from the cache. */
import type { HeadObjectCommandOutput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';

export interface ObjectFacts {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** As S3 sent it, quotes included. */
  readonly etag: string;
  readonly versionId?: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly storageClass: string;
  /** It has to be restored before it can be read. */
  readonly archived: boolean;
}

/** What S3FileCache keeps of an object. */
export interface CachedFacts {
  readonly size: number;
  readonly etag: string;
  readonly versionId?: string;
  readonly lastModified: number;
  readonly storageClass?: string;
}

const ARCHIVE_CLASSES = ['GLACIER', 'DEEP_ARCHIVE'];

/**
 * Whether the object must be restored first. Intelligent-Tiering tells its archive tiers in `ArchiveStatus`, on HEAD
 * only; a finished restore says `ongoing-request="false"`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
function isArchived(storageClass: string, archiveStatus: string | undefined, restore: string | undefined) {
  const inArchive = ARCHIVE_CLASSES.includes(storageClass) || archiveStatus !== undefined;
  return inArchive && !restore?.includes('ongoing-request="false"');
}

export function factsOfHead(key: string, head: HeadObjectCommandOutput): ObjectFacts {
  const storageClass = head.StorageClass ?? 'STANDARD';
  return {
    key,
    size: head.ContentLength ?? 0,
    etag: head.ETag ?? '',
    ...(head.VersionId && head.VersionId !== 'null' ? { versionId: head.VersionId } : {}),
    lastModified: head.LastModified?.getTime() ?? 0,
    storageClass,
    archived: isArchived(storageClass, head.ArchiveStatus, head.Restore),
  };
}

/** Lists are asked for URL-encoded, because XML 1.0 cannot carry every key. */
export const decodeKey = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));

export function factsOfList(page: ListObjectsV2CommandOutput): ObjectFacts[] {
  return (page.Contents ?? []).map((entry) => {
    const storageClass = entry.StorageClass ?? 'STANDARD';
    const restored = entry.RestoreStatus?.RestoreExpiryDate && !entry.RestoreStatus.IsRestoreInProgress;
    return {
      key: decodeKey(entry.Key ?? ''),
      size: entry.Size ?? 0,
      etag: entry.ETag ?? '',
      lastModified: entry.LastModified?.getTime() ?? 0,
      storageClass,
      archived: isArchived(storageClass, undefined, restored ? 'ongoing-request="false"' : undefined),
    };
  });
}

/** What consoles make for an empty folder. */
export const isFolderMark = (object: ObjectFacts) => object.size === 0 && object.key.endsWith('/');

export function factsOfCache(key: string, cached: CachedFacts): ObjectFacts {
  const storageClass = cached.storageClass ?? 'STANDARD';
  return { key, ...cached, storageClass, archived: isArchived(storageClass, undefined, undefined) };
}

/** What may be cached; undefined for an object of which the storage class alone does not tell whether it is archived. */
export function toCache(facts: ObjectFacts): CachedFacts | undefined {
  const { key, archived, ...cached } = facts;
  return archived === isArchived(facts.storageClass, undefined, undefined) ? cached : undefined;
}
