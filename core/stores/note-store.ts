/**
 * Notes: small facts that one process learns and all need, such as which message a key became on a platform that
 * cannot be searched. They stand in TransferRequests, beside what they are about, and live as long.
 */
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expiresAt, isAlive, LIFETIME, lostCondition, storeFault } from './items.ts';

/** Every method throws FerryError `unavailable` when the table cannot be reached. */
export interface NoteStore {
  /** The note, read consistently; undefined when there is none or its 90 days are over. */
  get(key: string): Promise<string | undefined>;
  /** Writes the note over what was there. */
  put(key: string, text: string): Promise<void>;
  /** Writes the note unless there is one; tells whether it was written. */
  putFirst(key: string, text: string): Promise<boolean>;
}

export function createNoteStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
}): NoteStore {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}TransferRequests`;
  const keyOf = (key: string) => ({ transfer_id: `note#${key}` });
  const itemOf = (key: string, text: string) => ({
    ...keyOf(key),
    text,
    expires_at: expiresAt(now(), LIFETIME.note),
  });
  const fail = (error: unknown): never => {
    throw storeFault(error);
  };

  return {
    async get(key) {
      const { Item } = await client
        .send(new GetCommand({ TableName, Key: keyOf(key), ConsistentRead: true }))
        .catch(fail);
      return Item && isAlive(Item, now()) && typeof Item.text === 'string' ? Item.text : undefined;
    },
    async put(key, text) {
      await client.send(new PutCommand({ TableName, Item: itemOf(key, text) })).catch(fail);
    },
    async putFirst(key, text) {
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: itemOf(key, text),
            ConditionExpression: 'attribute_not_exists(transfer_id) OR expires_at <= :seconds',
            ExpressionAttributeValues: { ':seconds': Math.floor(now() / 1000) },
          }),
        );
        return true;
      } catch (error) {
        lostCondition(error);
        return false;
      }
    },
  };
}
