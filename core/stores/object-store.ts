/** TransferRequests: the objects of a transfer, in pages beside its record, so that ten thousand fit. */
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { FerryError } from '../errors.ts';
import {
  type ObjectState,
  objectsDigest,
  type PlannedObject,
  type TransferObject,
  transferObjectSchema,
} from '../transfer.ts';
import { expiresAt, isAlive, LIFETIME, lostCondition, storeFault } from './items.ts';

/** Objects in one page: 60 with the longest key, target path and temporary name stay well below 400 KB. */
export const PAGE_SIZE = 60;

export interface ObjectsSummary {
  readonly objectCount: number;
  readonly totalBytes: number;
  readonly objectsDigest: string;
  /** The first five. */
  readonly preview: PlannedObject[];
}

export interface ObjectStore {
  /** Writes the objects of a proposal that has no record yet, page by page, and sums them up. */
  write(
    transferId: string,
    objects: AsyncIterable<PlannedObject> | Iterable<PlannedObject>,
  ): Promise<ObjectsSummary>;
  /** The objects in order, one page in memory at a time. */
  read(transferId: string): AsyncIterable<TransferObject>;
  /**
   * Writes one object's state for the holder of a lease.
   *
   * @param leaseToken fencing token; a page that a newer lease wrote to refuses older ones
   * @throws FerryError `lease_lost`
   */
  setProgress(transferId: string, index: number, progress: ObjectState, leaseToken: number): Promise<void>;
}

const pageKey = (transferId: string, page: number) =>
  `${transferId}/objects/${String(page).padStart(5, '0')}`;

export function createObjectStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
}): ObjectStore {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}TransferRequests`;

  async function putPage(transferId: string, page: number, objects: TransferObject[]): Promise<void> {
    await client
      .send(
        new PutCommand({
          TableName,
          Item: {
            transfer_id: pageKey(transferId, page),
            objects,
            expires_at: expiresAt(now(), LIFETIME.transfer),
          },
          ConditionExpression: 'attribute_not_exists(lease_token)',
        }),
      )
      .catch((error: unknown) => {
        throw storeFault(error);
      });
  }

  return {
    async write(transferId, objects) {
      const digest = objectsDigest();
      const preview: PlannedObject[] = [];
      let objectCount = 0;
      let totalBytes = 0;
      let page: TransferObject[] = [];
      for await (const object of objects) {
        digest.add(object);
        if (preview.length < 5) preview.push(object);
        objectCount += 1;
        totalBytes += object.size;
        page.push({ ...object, progress: { state: 'pending' } });
        if (page.length === PAGE_SIZE) {
          await putPage(transferId, objectCount / PAGE_SIZE - 1, page);
          page = [];
        }
      }
      if (page.length > 0) await putPage(transferId, Math.floor(objectCount / PAGE_SIZE), page);
      return { objectCount, totalBytes, objectsDigest: digest.hex(), preview };
    },

    async *read(transferId) {
      for (let page = 0; ; page += 1) {
        const { Item } = await client
          .send(
            new GetCommand({
              TableName,
              Key: { transfer_id: pageKey(transferId, page) },
              ConsistentRead: true,
            }),
          )
          .catch((error: unknown) => {
            throw storeFault(error);
          });
        if (!Item || !isAlive(Item, now())) return;
        const objects = transferObjectSchema.array().parse(Item.objects);
        yield* objects;
        if (objects.length < PAGE_SIZE) return;
      }
    },

    async setProgress(transferId, index, progress, leaseToken) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: { transfer_id: pageKey(transferId, Math.floor(index / PAGE_SIZE)) },
            UpdateExpression: `SET objects[${index % PAGE_SIZE}].progress = :progress, lease_token = :token`,
            ConditionExpression:
              'attribute_exists(transfer_id) AND (attribute_not_exists(lease_token) OR lease_token <= :token)',
            ExpressionAttributeValues: { ':progress': progress, ':token': leaseToken },
          }),
        );
      } catch (error) {
        lostCondition(error);
        throw new FerryError('lease_lost', {
          userMessage: `Another worker has taken over ${transferId}.`,
          cause: error,
        });
      }
    },
  };
}
