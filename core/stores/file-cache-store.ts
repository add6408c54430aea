/** S3FileCache: what S3 said of an object, for browsing only; a transfer always asks S3 itself. */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { expiresAt, isAlive, LIFETIME, storeFault } from './items.ts';

const fileFactsSchema = z.strictObject({
  /** Bytes. */
  size: z.number().int().nonnegative(),
  /** As S3 sent it, quotes included. */
  etag: z.string(),
  versionId: z.string().optional(),
  /** Epoch milliseconds. */
  lastModified: z.number().int(),
  storageClass: z.string().optional(),
  contentType: z.string().max(500).optional(),
});
export type FileFacts = z.infer<typeof fileFactsSchema>;

/** The cache knows no rights: the caller asks the policy for the person before it looks here. */
export interface FileCacheStore {
  /** What S3 said within the last 24 hours, or undefined. */
  get(bucket: string, key: string): Promise<FileFacts | undefined>;
  put(bucket: string, key: string, facts: FileFacts): Promise<void>;
  forget(bucket: string, key: string): Promise<void>;
}

export function createFileCacheStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
}): FileCacheStore {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}S3FileCache`;
  // A bucket's name holds no `#`, so the first one ends it, whatever the key holds.
  const keyOf = (bucket: string, key: string) => ({ cache_key: `${bucket}#${key}` });
  const fail = (error: unknown): never => {
    throw storeFault(error);
  };

  return {
    async get(bucket, key) {
      const { Item } = await client.send(new GetCommand({ TableName, Key: keyOf(bucket, key) })).catch(fail);
      if (!Item || !isAlive(Item, now())) return undefined;
      // An item of another release's shape is as good as none.
      return fileFactsSchema.safeParse(Item.facts).data;
    },

    async put(bucket, key, facts) {
      const Item = { ...keyOf(bucket, key), facts, expires_at: expiresAt(now(), LIFETIME.fileCache) };
      await client.send(new PutCommand({ TableName, Item })).catch(fail);
    },

    async forget(bucket, key) {
      await client.send(new DeleteCommand({ TableName, Key: keyOf(bucket, key) })).catch(fail);
    },
  };
}
