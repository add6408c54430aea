/** A real DynamoDB protocol server for a test suite, with tables of the suite's own. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { createTables } from '../../core/stores/create-tables.ts';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import type { LocalServer } from '../../infra/local/listen.ts';

export interface TestDynamoDb {
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly documents: DynamoDBDocumentClient;
  /** Stands before the names of this suite's tables; another suite has another. */
  readonly prefix: string;
}

let server: Promise<LocalServer> | undefined;
let users = 0;
let suites = 0;

/**
 * Call it at the top of a file or a `describe`. The server starts before the first test and is shared by all
 * suites of the file; each call gets fresh tables. Read the properties inside tests and hooks only:
 * destructuring at the top is too early.
 */
export function useDynamoDb(): TestDynamoDb {
  suites += 1;
  const prefix = `Test${suites}-`;
  let ready: { endpoint: string; client: DynamoDBClient; documents: DynamoDBDocumentClient } | undefined;

  beforeAll(async () => {
    users += 1;
    server ??= startDynamoDb();
    const { endpoint } = await server;
    const client = new DynamoDBClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const documents = DynamoDBDocumentClient.from(client, {
      marshallOptions: { removeUndefinedValues: true },
    });
    await createTables(client, prefix);
    ready = { endpoint, client, documents };
  });

  afterAll(async () => {
    ready?.client.destroy();
    users -= 1;
    if (users > 0) return;
    const last = server;
    server = undefined;
    await (await last)?.stop();
  });

  const started = () => {
    if (!ready) throw new Error('useDynamoDb: the server starts before the first test; read this inside one');
    return ready;
  };
  return {
    prefix,
    get endpoint() {
      return started().endpoint;
    },
    get client() {
      return started().client;
    },
    get documents() {
      return started().documents;
    },
  };
}

/** Leaves a record as a release that knows more than this one, or somebody's hand, may: it cannot be read. */
export async function damage(db: TestDynamoDb, transferId: string): Promise<void> {
  await db.documents.send(
    new UpdateCommand({
      TableName: `${db.prefix}TransferRequests`,
      Key: { transfer_id: transferId },
      UpdateExpression: 'SET surprise = :yes',
      ExpressionAttributeValues: { ':yes': true },
    }),
  );
}
