import { DescribeTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { createTables } from './create-tables.ts';

const db = useDynamoDb();

it('creates the five tables under the prefix, and a second run keeps what is in them', async () => {
  const TableName = `${db.prefix}UserContext`;
  await db.documents.send(
    new PutCommand({ TableName, Item: { user_id: 'slack:T01FERRY:U01ANA', turns: 1 } }),
  );

  await createTables(db.client, db.prefix);

  const { TableNames } = await db.client.send(new ListTablesCommand({}));
  expect(TableNames?.sort()).toEqual(
    ['ActiveSessions', 'AgentLearning', 'S3FileCache', 'TransferRequests', 'UserContext'].map(
      (name) => `${db.prefix}${name}`,
    ),
  );
  const { Item } = await db.documents.send(
    new GetCommand({ TableName, Key: { user_id: 'slack:T01FERRY:U01ANA' } }),
  );
  expect(Item).toMatchObject({ turns: 1 });
});

it('gives AgentLearning its two-part key and TransferRequests its two indexes', async () => {
  const learning = await db.client.send(new DescribeTableCommand({ TableName: `${db.prefix}AgentLearning` }));
  expect(learning.Table?.KeySchema).toEqual([
    { AttributeName: 'transfer_type', KeyType: 'HASH' },
    { AttributeName: 'size_category', KeyType: 'RANGE' },
  ]);
  const transfers = await db.client.send(
    new DescribeTableCommand({ TableName: `${db.prefix}TransferRequests` }),
  );
  expect(
    transfers.Table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => [
      IndexName,
      KeySchema?.map(({ AttributeName }) => AttributeName),
      Projection?.ProjectionType,
    ]).sort(),
  ).toEqual([
    ['DueIndex', ['due_bucket', 'due_at'], 'KEYS_ONLY'],
    ['UserIdIndex', ['user_id', 'created_at'], 'KEYS_ONLY'],
  ]);
});

it('leaves items without due work out of DueIndex', async () => {
  const TableName = `${db.prefix}TransferRequests`;
  await db.documents.send(new PutCommand({ TableName, Item: { transfer_id: 'a' } }));
  await db.documents.send(
    new PutCommand({ TableName, Item: { transfer_id: 'b', due_bucket: 'due', due_at: 7 } }),
  );
  const { Items } = await db.documents.send(
    new QueryCommand({
      TableName,
      IndexName: 'DueIndex',
      KeyConditionExpression: 'due_bucket = :bucket AND due_at <= :now',
      ExpressionAttributeValues: { ':bucket': 'due', ':now': 10 },
    }),
  );
  expect(Items).toEqual([{ transfer_id: 'b', due_bucket: 'due', due_at: 7 }]);
});
