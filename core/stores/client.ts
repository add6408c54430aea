/** The one DynamoDB client of a process. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export function createDocumentClient(options: { region: string; endpoint?: string }): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    region: options.region,
    maxAttempts: 4,
    // The SDK itself waits for ever: a database that hangs would hold a turn or a lease with it. Milliseconds.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    }),
    ...(options.endpoint ? { endpoint: options.endpoint } : {}),
  });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** Reads an item that does not exist: proves that the tables can be reached and read, at the price of one read. */
export async function pingTables(tables: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
}): Promise<void> {
  await tables.client.send(
    new GetCommand({ TableName: `${tables.tablePrefix}TransferRequests`, Key: { transfer_id: 'ping' } }),
  );
}
