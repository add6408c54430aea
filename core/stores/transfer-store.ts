/** TransferRequests: the records of transfers, changed only by writes conditional on status and version. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { type AuditWriter, withAudit } from '../audit.ts';
import { dueAt, dueToHold } from '../due-work.ts';
import { FerryError } from '../errors.ts';
import { type PostedMessage, type Transfer, transferSchema } from '../transfer.ts';
import { expiresAt, fromItem, isAlive, LIFETIME, lostCondition, storeFault, toItem } from './items.ts';
import { createOwnTurn } from './own-turn.ts';
import { pack, unpack } from './packed.ts';

/** A pure answer to the record as it stands: the next record, if it should change, and what to tell the caller. */
export interface Change<R> {
  readonly next?: Transfer;
  readonly result: R;
}

/** What the programs alone read; the rest can be read in a console: `npm run audit` tells the story. */
const PACKED = new Set(['history', 'steps', 'sessions', 'forecast', 'audit']);

/** The sparse index's partition for transfers. */
const DUE_BUCKET = 'transfer';
const MAX_TRIES = 20;
/** How long a change waits for this process's own change before it, in milliseconds: nobody is to be held up. */
const PATIENCE_MS = 1_000;

export interface TransferStore {
  /** Stores a new record. `exists`: this id was proposed before, by an earlier delivery of the same turn. */
  create(transfer: Transfer): Promise<'created' | 'exists'>;
  /**
   * The record, read consistently; undefined when there is none or its 90 days are over.
   *
   * @throws FerryError `unreadable` when a newer release or somebody's hand wrote it; `unavailable`
   */
  get(transferId: string): Promise<Transfer | undefined>;
  /**
   * Reads the record, asks `decide` for the next one and writes it if nobody wrote in between; else asks again
   * with the newer record. `decide` must be pure: it may run several times.
   *
   * @throws FerryError `not_found`, `conflict` when the record never held still, `unreadable`, `unavailable`
   */
  change<R>(
    transferId: string,
    decide: (current: Transfer) => Change<R>,
  ): Promise<{ transfer: Transfer; result: R }>;
  /** A person's transfers, newest first, without those that cannot be read: the others are not to be lost with them. */
  listByUser(userId: string, limit: number): Promise<Transfer[]>;
  /** Ids of transfers that are due for a look, longest overdue first. */
  listDue(limit: number): Promise<string[]>;
  /**
   * Takes a transfer out of the due ones until `until` (epoch ms) or its next change, without reading it.
   * `not due`: it was not due any more, as somebody else has changed it or put it off.
   */
  putOff(transferId: string, until: number): Promise<'put off' | 'not due'>;
}

/** A message in the transfer's own thread does not repeat it: small records cost less at every change. */
function withoutThread({ ref, ...message }: PostedMessage, thread: Transfer['thread']): object {
  const { thread: where, ...rest } = ref;
  return { ...message, ref: isDeepStrictEqual(where, thread) ? rest : ref };
}

function withThread(messages: unknown, thread: unknown): unknown {
  if (!Array.isArray(messages)) return messages;
  return messages.map((message) => ({ ...message, ref: { thread, ...message.ref } }));
}

/**
 * Tells a write from all others. The SDK sends again what was not answered; when only the answer was lost, the second
 * write loses its condition to the first, and without a mark that would look like somebody else's.
 */
const newMark = () => randomBytes(6).toString('base64url');

/** @param options.audit who writes, when audit events are to be kept; a chain that was begun goes on without it */
export function createTransferStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
  audit?: AuditWriter;
}): TransferStore {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}TransferRequests`;

  const audited = (before: Transfer | undefined, after: Transfer): Transfer =>
    options.audit || after.audit
      ? withAudit(before, after, { at: now(), by: options.audit ?? 'bot' })
      : after;

  const inOwnTurn = createOwnTurn(PATIENCE_MS);

  const itemOf = (transfer: Transfer, mark: string, heldDue?: number) => {
    const due = dueToHold(dueAt(transfer, now(), options.audit !== undefined), heldDue, now());
    const item = toItem({
      ...transfer,
      messages: transfer.messages.map((one) => withoutThread(one, transfer.thread)),
    });
    return {
      ...pack(item, PACKED),
      user_id: transfer.requester.userId,
      expires_at: expiresAt(transfer.createdAt, LIFETIME.transfer),
      written_by: mark,
      ...(due === undefined ? {} : { due_bucket: DUE_BUCKET, due_at: due }),
    };
  };

  const transferOf = (item: Record<string, unknown>): Transfer => {
    const { user_id, expires_at, written_by, due_bucket, due_at, ...attributes } = item;
    try {
      const { thread, messages, ...record } = fromItem(unpack(attributes));
      return transferSchema.parse({ ...record, thread, messages: withThread(messages, thread) });
    } catch (cause) {
      throw new FerryError('unreadable', {
        userMessage: `The record of ${String(item.transfer_id)} cannot be read, so nothing is done with it until your FileFerry team has looked at it. Please tell them its number.`,
        cause,
      });
    }
  };

  function ifReadable(item: Record<string, unknown>): Transfer | undefined {
    try {
      return transferOf(item);
    } catch (error) {
      if (error instanceof FerryError && error.code === 'unreadable') return undefined;
      throw error;
    }
  }

  interface Found {
    readonly transfer: Transfer;
    readonly due?: number;
    /** Of the write that left it so. */
    readonly mark: unknown;
  }

  async function read(transferId: string): Promise<Found | undefined> {
    const { Item } = await client
      .send(new GetCommand({ TableName, Key: { transfer_id: transferId }, ConsistentRead: true }))
      .catch((error: unknown) => {
        throw storeFault(error);
      });
    if (!Item || !isAlive(Item, now())) return undefined;
    const { due_at: due, written_by: mark } = Item;
    return { transfer: transferOf(Item), mark, ...(typeof due === 'number' && { due }) };
  }

  return {
    get: async (transferId) => (await read(transferId))?.transfer,

    async create(transfer) {
      const mark = newMark();
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: itemOf(audited(undefined, transfer), mark),
            ConditionExpression: 'attribute_not_exists(transfer_id)',
          }),
        );
        return 'created';
      } catch (error) {
        lostCondition(error);
        return (await read(transfer.transferId))?.mark === mark ? 'created' : 'exists';
      }
    },

    change: (transferId, decide) =>
      inOwnTurn(transferId, async () => {
        let lost:
          | { mark: string; written: Transfer; result: ReturnType<typeof decide>['result'] }
          | undefined;
        for (let tried = 0; tried < MAX_TRIES; tried += 1) {
          const found = await read(transferId);
          if (!found) {
            throw new FerryError('not_found', { userMessage: `There is no transfer ${transferId}.` });
          }
          if (lost && found.mark === lost.mark) return { transfer: lost.written, result: lost.result };
          const { transfer: current } = found;
          const { next, result } = decide(current);
          if (!next) return { transfer: current, result };
          const written = audited(current, { ...next, version: current.version + 1 });
          const mark = newMark();
          try {
            await client.send(
              new PutCommand({
                TableName,
                Item: itemOf(transferSchema.parse(written), mark, found.due),
                ConditionExpression: '#status = :status AND #version = :version',
                ExpressionAttributeNames: { '#status': 'status', '#version': 'version' },
                ExpressionAttributeValues: { ':status': current.status, ':version': current.version },
              }),
            );
            return { transfer: written, result };
          } catch (error) {
            lostCondition(error);
            lost = { mark, written, result };
            await delay(Math.random() * 10 * (tried + 1));
          }
        }
        throw new FerryError('conflict', {
          retryable: true,
          userMessage: `${transferId} is being changed by many at once. Please try again.`,
        });
      }),

    async listByUser(userId, limit) {
      const { Items = [] } = await client
        .send(
          new QueryCommand({
            TableName,
            IndexName: 'UserIdIndex',
            KeyConditionExpression: 'user_id = :user',
            ExpressionAttributeValues: { ':user': userId },
            ScanIndexForward: false,
            Limit: Math.min(limit, 100),
          }),
        )
        .catch((error: unknown) => {
          throw storeFault(error);
        });
      const ids = Items.map((item) => String(item.transfer_id));
      if (ids.length === 0) return [];
      const found = new Map<string, Transfer>();
      let keys: Record<string, unknown>[] | undefined = ids.map((id) => ({ transfer_id: id }));
      while (keys && keys.length > 0) {
        const page: {
          Responses?: Record<string, Record<string, unknown>[]>;
          UnprocessedKeys?: Record<string, { Keys?: Record<string, unknown>[] }>;
        } = await client
          .send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys: keys } } }))
          .catch((error: unknown) => {
            throw storeFault(error);
          });
        for (const item of page.Responses?.[TableName] ?? []) {
          const transfer = isAlive(item, now()) ? ifReadable(item) : undefined;
          if (transfer) found.set(transfer.transferId, transfer);
        }
        keys = page.UnprocessedKeys?.[TableName]?.Keys;
      }
      return ids.flatMap((id) => found.get(id) ?? []);
    },

    async listDue(limit) {
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
        .catch((error: unknown) => {
          throw storeFault(error);
        });
      return Items.map((item) => String(item.transfer_id));
    },

    async putOff(transferId, until) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: { transfer_id: transferId },
            UpdateExpression: 'SET due_at = :until',
            ConditionExpression: 'due_bucket = :bucket AND due_at <= :now',
            ExpressionAttributeValues: { ':until': until, ':bucket': DUE_BUCKET, ':now': now() },
          }),
        );
        return 'put off';
      } catch (error) {
        lostCondition(error);
        return 'not due';
      }
    },
  };
}
