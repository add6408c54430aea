/** Creates the five tables from the schema, where the CDK has not: locally, in tests and for a first try. */
import {
  type AttributeDefinition,
  CreateTableCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { type KeyAttribute, TABLES, type TableDefinition } from '../../infra/schema/tables.ts';

function keySchema(partitionKey: KeyAttribute, sortKey?: KeyAttribute): KeySchemaElement[] {
  const schema: KeySchemaElement[] = [{ AttributeName: partitionKey.name, KeyType: 'HASH' }];
  if (sortKey) schema.push({ AttributeName: sortKey.name, KeyType: 'RANGE' });
  return schema;
}

function attributesOf(table: TableDefinition): AttributeDefinition[] {
  const keys = [table, ...table.indexes].flatMap(({ partitionKey, sortKey }) => [
    partitionKey,
    ...(sortKey ? [sortKey] : []),
  ]);
  const types = new Map(keys.map(({ name, type }) => [name, type]));
  return [...types].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
}

/** Whether the server answered that it does not know the call, as emulators without the TTL API do. */
const isUnknownOperation = (thrown: unknown) =>
  thrown instanceof Error && thrown.name === 'UnknownOperationException';

/** AWS refuses to enable what is enabled, so a second run has to tolerate it. */
const isAlreadyEnabled = (thrown: unknown) =>
  thrown instanceof Error &&
  thrown.name === 'ValidationException' &&
  thrown.message.includes('already enabled');

async function createTable(client: DynamoDBClient, TableName: string, table: TableDefinition): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: table.billing,
        AttributeDefinitions: attributesOf(table),
        KeySchema: keySchema(table.partitionKey, table.sortKey),
        ...(table.indexes.length > 0 && {
          GlobalSecondaryIndexes: table.indexes.map((index) => ({
            IndexName: index.name,
            KeySchema: keySchema(index.partitionKey, index.sortKey),
            Projection: { ProjectionType: index.projection },
          })),
        }),
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilTableExists({ client, maxWaitTime: 120, minDelay: 1, maxDelay: 5 }, { TableName });
  if (!table.ttl) return;
  try {
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: table.ttl.attribute, Enabled: true },
      }),
    );
  } catch (error) {
    if (!isUnknownOperation(error) && !isAlreadyEnabled(error)) throw error;
  }
}

/**
 * Creates what is missing of the five tables, waits until they can be used and enables their TTL. Running it
 * again changes nothing.
 *
 * @param prefix put before each table's name, such as `FileFerry-`
 */
export async function createTables(client: DynamoDBClient, prefix: string): Promise<void> {
  await Promise.all(
    Object.entries(TABLES).map(([name, table]) => createTable(client, `${prefix}${name}`, table)),
  );
}
