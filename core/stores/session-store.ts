/** ActiveSessions: who may obtain S3 credentials for the next seconds; never the credentials, never the token itself. */
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { lostCondition, storeFault } from './items.ts';

const sessionSchema = z.object({
  /** `platform:tenant:user`. */
  userId: z.string().min(1),
  purpose: z.enum(['browse', 'transfer']),
  /** What it is for: a turn's key or a transfer's id. */
  subject: z.string().min(1),
  /** Of a transfer: which run of it. */
  attempt: z.number().int().positive().optional(),
  /** Of a transfer: the ServiceNow ticket under which it runs. */
  ticket: z.string().optional(),
  /** Epoch milliseconds. */
  expiresAt: z.number().int(),
});
export type SessionRecord = z.infer<typeof sessionSchema>;

/** Keys are hashes of tokens, so that nobody who reads the table can use a session. */
export interface SessionStore {
  put(tokenHash: string, session: SessionRecord): Promise<void>;
  /** The session as it is now (a consistent read), lapsed or not; undefined once it is closed. */
  get(tokenHash: string): Promise<SessionRecord | undefined>;
  delete(tokenHash: string): Promise<void>;
  /**
   * Uses the session up: takes it out of the table, in one write that only one caller wins.
   *
   * @param now epoch milliseconds
   * @returns undefined when it lapsed, was used or closed before, or never existed
   */
  use(tokenHash: string, now: number): Promise<SessionRecord | undefined>;
}

const fromRow = (row: Readonly<Record<string, unknown>>): SessionRecord =>
  sessionSchema.parse({
    userId: row.user_id,
    purpose: row.purpose,
    subject: row.subject,
    attempt: row.attempt,
    ticket: row.ticket,
    expiresAt: row.expires_at_ms,
  });

export function createSessionStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
}): SessionStore {
  const { client } = options;
  const TableName = `${options.tablePrefix}ActiveSessions`;
  const fail = (error: unknown): never => {
    throw storeFault(error);
  };

  return {
    async put(tokenHash, { userId, purpose, subject, attempt, ticket, expiresAt }) {
      await client
        .send(
          new PutCommand({
            TableName,
            Item: {
              session_token: tokenHash,
              user_id: userId,
              purpose,
              subject,
              ...(attempt === undefined ? {} : { attempt }),
              ...(ticket === undefined ? {} : { ticket }),
              // TTL counts whole seconds; the right itself ends at the millisecond.
              expires_at: Math.ceil(expiresAt / 1000),
              expires_at_ms: expiresAt,
            },
            ConditionExpression: 'attribute_not_exists(session_token)',
          }),
        )
        .catch(fail);
    },

    async get(tokenHash) {
      const { Item } = await client
        .send(new GetCommand({ TableName, Key: { session_token: tokenHash }, ConsistentRead: true }))
        .catch(fail);
      return Item && fromRow(Item);
    },

    async use(tokenHash, now) {
      try {
        const { Attributes } = await client.send(
          new DeleteCommand({
            TableName,
            Key: { session_token: tokenHash },
            ConditionExpression: 'expires_at_ms > :now',
            ExpressionAttributeValues: { ':now': now },
            ReturnValues: 'ALL_OLD',
          }),
        );
        return Attributes && fromRow(Attributes);
      } catch (error) {
        lostCondition(error);
        return undefined;
      }
    },

    async delete(tokenHash) {
      await client.send(new DeleteCommand({ TableName, Key: { session_token: tokenHash } })).catch(fail);
    },
  };
}
