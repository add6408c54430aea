/** Compares the tables that are there with the schema. */
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { type KeyAttribute, TABLES, type TableDefinition } from '../../schema/tables.ts';
import { compare, type Finding, look, ok, unknown, wrong } from './finding.ts';

const AREA = 'tables';
const DEPLOY = 'Deploy FileFerry-Data again; keys cannot be changed afterwards, so restore into a new table.';

interface Keys {
  readonly partitionKey: KeyAttribute;
  readonly sortKey?: KeyAttribute;
}

const wantedKeys = ({ partitionKey, sortKey }: Keys) =>
  [partitionKey, ...(sortKey ? [sortKey] : [])].map(({ name, type }) => `${name} ${type}`).join(' + ');

function foundKeys(schema: readonly KeySchemaElement[] = [], table: TableDescription): string {
  const types = new Map(
    table.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  );
  const order = [...schema].sort((a, b) => (a.KeyType ?? '').localeCompare(b.KeyType ?? ''));
  return order.map(({ AttributeName }) => `${AttributeName} ${types.get(AttributeName)}`).join(' + ');
}

/** An emulator that does not know a call says nothing about the account. */
const isUnknownHere = (error: unknown, emulated: boolean) =>
  emulated && error instanceof Error && /UnknownOperation|NotImplemented/.test(error.name);

async function lookAtTable(
  client: DynamoDBClient,
  TableName: string,
  definition: TableDefinition,
  emulated: boolean,
): Promise<Finding[]> {
  let table: TableDescription | undefined;
  const there = await look(AREA, TableName, 'Deploy FileFerry-Data.', async () => {
    table = (await client.send(new DescribeTableCommand({ TableName }))).Table;
    const keys = table ? foundKeys(table.KeySchema, table) : '';
    if (table?.TableStatus !== 'ACTIVE') return wrong(`${table?.TableStatus}`, 'Wait until it is ACTIVE.');
    return compare(keys, wantedKeys(definition), DEPLOY);
  });
  const described = table;
  if (!described) return [there];

  const findings: Promise<Finding>[] = [
    look(AREA, `${TableName} billing`, 'Deploy FileFerry-Data again.', async () => {
      const mode = described.BillingModeSummary?.BillingMode;
      if (mode === undefined && emulated) return unknown('this emulator does not tell');
      return compare(mode ?? 'PROVISIONED', definition.billing, 'Deploy FileFerry-Data again.');
    }),
    ...definition.indexes.map((index) =>
      look(AREA, `${TableName} ${index.name}`, DEPLOY, async () => {
        const found = described.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === index.name);
        if (!found) return wrong('there is no such index', 'Deploy FileFerry-Data again.');
        if (found.IndexStatus !== 'ACTIVE') return wrong(`${found.IndexStatus}`, 'Wait until it is ACTIVE.');
        return compare(
          `${foundKeys(found.KeySchema, described)}, ${found.Projection?.ProjectionType}`,
          `${wantedKeys(index)}, ${index.projection}`,
          DEPLOY,
        );
      }),
    ),
    look(AREA, `${TableName} TTL`, 'Deploy FileFerry-Data again.', async () => {
      try {
        const { TimeToLiveDescription: ttl } = await client.send(
          new DescribeTimeToLiveCommand({ TableName }),
        );
        const isOn = /^ENABL/.test(ttl?.TimeToLiveStatus ?? '');
        const noTtl = 'this emulator keeps no TTL; expiry is checked on read';
        if (!isOn && definition.ttl && emulated) return unknown(noTtl);
        const todo = 'Deploy FileFerry-Data again; changing a TTL takes up to an hour.';
        return compare(isOn ? `${ttl?.AttributeName}` : 'off', definition.ttl?.attribute ?? 'off', todo);
      } catch (error) {
        if (isUnknownHere(error, emulated)) return unknown('this emulator has no TTL');
        throw error;
      }
    }),
    look(AREA, `${TableName} PITR`, 'Deploy FileFerry-Data again.', async () => {
      try {
        const { ContinuousBackupsDescription: backups } = await client.send(
          new DescribeContinuousBackupsCommand({ TableName }),
        );
        const status = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus ?? 'DISABLED';
        return compare(status, 'ENABLED', 'Deploy FileFerry-Data again.');
      } catch (error) {
        if (isUnknownHere(error, emulated)) return unknown('this emulator has no backups');
        throw error;
      }
    }),
    look(AREA, `${TableName} deletion protection`, 'Deploy FileFerry-Data again.', async () => {
      if (described.DeletionProtectionEnabled) return ok('on');
      return emulated ? unknown('this emulator does not tell') : wrong('off', 'Deploy FileFerry-Data again.');
    }),
  ];
  return [there, ...(await Promise.all(findings))];
}

/** @param emulated whether the client speaks to something else than AWS */
export async function lookAtTables(
  client: DynamoDBClient,
  prefix: string,
  emulated: boolean,
): Promise<Finding[]> {
  const looks = Object.entries(TABLES).map(([name, definition]) =>
    lookAtTable(client, `${prefix}${name}`, definition, emulated),
  );
  return (await Promise.all(looks)).flat();
}
