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

/**
 * Whose objects: the transfer's, as its plan pins them. Pages are kept under the plan's digest, so that two runs
 * of one turn that saw different listings cannot write into each other's pages: whichever record wins, its
 * pages hold exactly what it says.
 */
export interface ObjectsOf {
  readonly transferId: string;
  readonly plan: { readonly objectsDigest: string; readonly objectCount: number };
}

export interface ObjectStore {
  /**
   * Writes the objects of a proposal that has no record yet and sums them up. Writing the same again changes
   * nothing. All of them are in memory for a moment: the policy's limit bounds them.
   */
  write(
    transferId: string,
    objects: AsyncIterable<PlannedObject> | Iterable<PlannedObject>,
  ): Promise<ObjectsSummary>;
  /**
   * The objects in order, one page in memory at a time.
   *
   * @throws FerryError `not_found` when one is missing: never fewer than the plan says
   */
  read(transfer: ObjectsOf): AsyncIterable<TransferObject>;
  /**
   * Writes one object's state for the holder of a lease.
   *
   * @param leaseToken fencing token; a page that a newer lease wrote to refuses older ones
   * @throws FerryError `lease_lost`
   */
  setProgress(transfer: ObjectsOf, index: number, progress: ObjectState, leaseToken: number): Promise<void>;
}

const pageKey = (transferId: string, digest: string, page: number) =>
  `${transferId}/objects/${digest.slice(0, 24)}/${String(page).padStart(5, '0')}`;

export function createObjectStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
}): ObjectStore {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}TransferRequests`;

  /** A page that a worker has written to stays: it holds the same objects, and how far they got. */
  async function putPage(key: string, objects: readonly PlannedObject[]): Promise<void> {
    await client
      .send(
        new PutCommand({
          TableName,
          Item: {
            transfer_id: key,
            objects: objects.map((object) => ({ ...object, progress: { state: 'pending' } })),
            expires_at: expiresAt(now(), LIFETIME.transfer),
          },
          ConditionExpression: 'attribute_not_exists(lease_token)',
        }),
      )
      .catch(lostCondition);
  }

  async function getPage(key: string): Promise<TransferObject[]> {
    const { Item } = await client
      .send(new GetCommand({ TableName, Key: { transfer_id: key }, ConsistentRead: true }))
      .catch((error: unknown) => {
        throw storeFault(error);
      });
    return Item && isAlive(Item, now()) ? transferObjectSchema.array().parse(Item.objects) : [];
  }

  return {
    async write(transferId, objects) {
      const digest = objectsDigest();
      const all: PlannedObject[] = [];
      let totalBytes = 0;
      for await (const object of objects) {
        digest.add(object);
        totalBytes += object.size;
        all.push(object);
      }
      const hex = digest.hex();
      for (let start = 0; start < all.length; start += PAGE_SIZE) {
        await putPage(pageKey(transferId, hex, start / PAGE_SIZE), all.slice(start, start + PAGE_SIZE));
      }
      return { objectCount: all.length, totalBytes, objectsDigest: hex, preview: all.slice(0, 5) };
    },

    async *read({ transferId, plan }) {
      for (let index = 0; index < plan.objectCount; index += PAGE_SIZE) {
        const objects = await getPage(pageKey(transferId, plan.objectsDigest, index / PAGE_SIZE));
        if (objects.length !== Math.min(PAGE_SIZE, plan.objectCount - index)) {
          throw new FerryError('not_found', {
            userMessage: `The list of files of ${transferId} is not complete any more. Please ask for the transfer again.`,
          });
        }
        yield* objects;
      }
    },

    async setProgress({ transferId, plan }, index, progress, leaseToken) {
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: { transfer_id: pageKey(transferId, plan.objectsDigest, Math.floor(index / PAGE_SIZE)) },
            UpdateExpression: `SET objects[${index % PAGE_SIZE}].progress = :progress, lease_token = :token`,
            ConditionExpression: `attribute_exists(objects[${index % PAGE_SIZE}]) AND (attribute_not_exists(lease_token) OR lease_token <= :token)`,
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
