import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { NOON } from '../../test/support/transfers.ts';
import { createFileCacheStore, type FileCacheStore } from './file-cache-store.ts';

const FACTS = { size: 12, etag: '"abc"', lastModified: NOON - 1_000, contentType: 'text/csv' };
const dynamo = useDynamoDb();
let clock = NOON;
let store: FileCacheStore;

beforeAll(() => {
  store = createFileCacheStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
});
beforeEach(() => {
  clock = NOON;
});

describe('what S3 said of an object', () => {
  it('is known for 24 hours, whenever DynamoDB deletes it', async () => {
    await store.put('finance-exports', 'a.csv', FACTS);
    clock += 86_399_000;
    expect(await store.get('finance-exports', 'a.csv')).toEqual(FACTS);
    clock += 1_000;
    expect(await store.get('finance-exports', 'a.csv')).toBeUndefined();
  });

  it('is not mixed up between objects', async () => {
    await store.put('finance-exports', 'x#y.csv', FACTS);
    expect(await store.get('finance-exports', 'x')).toBeUndefined();
    expect(await store.get('finance-exports', 'x#y.csv')).toEqual(FACTS);
  });

  it('is replaced and forgotten', async () => {
    await store.put('finance-exports', 'b.csv', FACTS);
    await store.put('finance-exports', 'b.csv', { ...FACTS, etag: '"new"', contentType: undefined });
    expect(await store.get('finance-exports', 'b.csv')).toEqual({
      size: 12,
      etag: '"new"',
      lastModified: NOON - 1_000,
    });
    await store.forget('finance-exports', 'b.csv');
    expect(await store.get('finance-exports', 'b.csv')).toBeUndefined();
  });

  it('of another shape is as good as unknown', async () => {
    await dynamo.documents.send(
      new PutCommand({
        TableName: `${dynamo.prefix}S3FileCache`,
        Item: { cache_key: 'finance-exports#old.csv', facts: { bytes: 1 }, expires_at: NOON },
      }),
    );
    expect(await store.get('finance-exports', 'old.csv')).toBeUndefined();
  });
});
