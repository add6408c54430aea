/**
 * Claims of chat events. A claim keeps the event until its turn is done, so that a crash between the
 * acknowledgement and the reply loses nothing; it stands in TransferRequests because the due index is there.
 */
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { expiresAt, isAlive, LIFETIME, lostCondition, storeFault } from './items.ts';

const DUE_BUCKET = 'turn';
const keyOf = (eventKey: string) => `turn#${eventKey}`;

export interface TurnStore<E> {
  /**
   * Claims an event for this process for a while. `duplicate`: it was claimed before, done or under way.
   *
   * @param holdMs how long the claim is ours before anybody may recover it
   */
  claim(eventKey: string, event: E, holdMs: number): Promise<'claimed' | 'duplicate'>;
  /** Keeps the claim ours for longer, while the turn is waiting or under way. */
  extend(eventKey: string, holdMs: number): Promise<void>;
  /** The turn is done: keeps the claim for a day against late redelivery, forgets the event. */
  finish(eventKey: string): Promise<void>;
  /** The turn failed before any effect: the claim goes, so that a redelivery or the person's retry counts. */
  release(eventKey: string): Promise<void>;
  /** Keys of claims whose holder did not finish in time. */
  listAbandoned(limit: number): Promise<string[]>;
  /**
   * Takes over an abandoned claim; undefined if another process was faster or it is done.
   * `deliveries` counts claims and takeovers, so that an event that always fails can be given up; `event` is
   * undefined when this release cannot read it.
   */
  takeOver(
    eventKey: string,
    holdMs: number,
  ): Promise<{ event: E | undefined; deliveries: number } | undefined>;
}

export function createTurnStore<E>(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
  /** Undefined for what cannot be read. */
  parse: (stored: unknown) => E | undefined;
}): TurnStore<E> {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}TransferRequests`;
  const fail = (error: unknown): never => {
    throw storeFault(error);
  };

  return {
    async claim(eventKey, event, holdMs) {
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: {
              transfer_id: keyOf(eventKey),
              event,
              deliveries: 1,
              due_bucket: DUE_BUCKET,
              due_at: now() + holdMs,
              expires_at: expiresAt(now(), LIFETIME.turn),
            },
            ConditionExpression: 'attribute_not_exists(transfer_id) OR expires_at <= :seconds',
            ExpressionAttributeValues: { ':seconds': Math.floor(now() / 1000) },
          }),
        );
        return 'claimed';
      } catch (error) {
        lostCondition(error);
        return 'duplicate';
      }
    },

    async extend(eventKey, holdMs) {
      await client
        .send(
          new UpdateCommand({
            TableName,
            Key: { transfer_id: keyOf(eventKey) },
            UpdateExpression: 'SET due_at = :due',
            ConditionExpression: 'attribute_exists(due_at)',
            ExpressionAttributeValues: { ':due': now() + holdMs },
          }),
        )
        .catch(lostCondition);
    },

    async finish(eventKey) {
      await client
        .send(
          new UpdateCommand({
            TableName,
            Key: { transfer_id: keyOf(eventKey) },
            UpdateExpression: 'REMOVE due_bucket, due_at, event',
            ConditionExpression: 'attribute_exists(transfer_id)',
          }),
        )
        .catch(lostCondition);
    },

    async release(eventKey) {
      await client.send(new DeleteCommand({ TableName, Key: { transfer_id: keyOf(eventKey) } })).catch(fail);
    },

    async listAbandoned(limit) {
      const { Items = [] } = await client
        .send(
          new QueryCommand({
            TableName,
            IndexName: 'DueIndex',
            KeyConditionExpression: 'due_bucket = :bucket AND due_at <= :now',
            ExpressionAttributeValues: { ':bucket': DUE_BUCKET, ':now': now() },
            Limit: limit,
          }),
        )
        .catch(fail);
      return Items.map((item) => String(item.transfer_id).slice('turn#'.length));
    },

    async takeOver(eventKey, holdMs) {
      const Key = { transfer_id: keyOf(eventKey) };
      const { Item } = await client
        .send(new GetCommand({ TableName, Key, ConsistentRead: true }))
        .catch(fail);
      if (!Item || typeof Item.due_at !== 'number' || Item.due_at > now()) return undefined;
      if (!isAlive(Item, now())) {
        // DynamoDB deletes late, and until then it would stand before all others that are due.
        await client
          .send(
            new DeleteCommand({
              TableName,
              Key,
              ConditionExpression: 'due_at = :seen',
              ExpressionAttributeValues: { ':seen': Item.due_at },
            }),
          )
          .catch(lostCondition);
        return undefined;
      }
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key,
            UpdateExpression: 'SET due_at = :due ADD deliveries :one',
            ConditionExpression: 'due_at = :seen',
            ExpressionAttributeValues: { ':due': now() + holdMs, ':seen': Item.due_at, ':one': 1 },
          }),
        );
      } catch (error) {
        lostCondition(error);
        return undefined;
      }
      return { event: options.parse(Item.event), deliveries: Number(Item.deliveries) + 1 };
    },
  };
}
