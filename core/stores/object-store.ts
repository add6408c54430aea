/** TransferRequests: the objects of a transfer, in pages beside its record, so that ten thousand fit. */
import { randomBytes } from 'node:crypto';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
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

/** Objects that stand in the record itself. */
const PREVIEW = 5;

export interface ObjectsSummary {
  readonly objectCount: number;
  readonly totalBytes: number;
  readonly objectsDigest: string;
  readonly pages: string;
  /** The first five. */
  readonly preview: PlannedObject[];
}

/**
 * Whose objects: the transfer's, as its plan pins them. Each writing has pages of its own, named in the plan, so that
 * two runs of one turn that saw different listings cannot write into each other's pages: whichever record wins, its
 * pages hold exactly what it says. The digest over all of them is known only at the end, when they are written.
 */
export interface ObjectsOf {
  readonly transferId: string;
  readonly plan: {
    readonly objectsDigest: string;
    readonly objectCount: number;
    readonly pages?: string | undefined;
  };
}

/** Where a plan's objects are. */
export const pagesOf = ({ plan }: ObjectsOf): string => plan.pages ?? plan.objectsDigest.slice(0, 24);

export interface ObjectStore {
  /**
   * Writes the objects of a proposal that has no record yet, as they come and one page in memory at a time, and sums
   * them up. When `objects` throws, what was written is removed again and the error passed on.
   *
   * @param pages what the pages are named by; new ones unless given
   */
  write(
    transferId: string,
    objects: AsyncIterable<PlannedObject> | Iterable<PlannedObject>,
    pages?: string,
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

const pageKey = (transferId: string, pages: string, page: number) =>
  `${transferId}/objects/${pages}/${String(page).padStart(5, '0')}`;

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

  /** One that stays is found by nobody, and goes when its time is over. */
  async function removePage(key: string): Promise<void> {
    await client.send(new DeleteCommand({ TableName, Key: { transfer_id: key } })).catch(() => {});
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
    async write(transferId, objects, pages = randomBytes(12).toString('hex')) {
      const digest = objectsDigest();
      const preview: PlannedObject[] = [];
      let page: PlannedObject[] = [];
      let written = 0;
      let objectCount = 0;
      let totalBytes = 0;
      const flush = async () => {
        if (page.length === 0) return;
        const full = page;
        page = [];
        await putPage(pageKey(transferId, pages, written), full);
        written += 1;
      };
      try {
        for await (const object of objects) {
          digest.add(object);
          objectCount += 1;
          totalBytes += object.size;
          if (preview.length < PREVIEW) preview.push(object);
          page.push(object);
          if (page.length === PAGE_SIZE) await flush();
        }
        await flush();
      } catch (error) {
        for (let index = 0; index < written; index += 1) await removePage(pageKey(transferId, pages, index));
        throw error;
      }
      return { objectCount, totalBytes, objectsDigest: digest.hex(), pages, preview };
    },

    async *read(transfer) {
      const { transferId, plan } = transfer;
      for (let index = 0; index < plan.objectCount; index += PAGE_SIZE) {
        const objects = await getPage(pageKey(transferId, pagesOf(transfer), index / PAGE_SIZE));
        if (objects.length !== Math.min(PAGE_SIZE, plan.objectCount - index)) {
          throw new FerryError('not_found', {
            userMessage: `The list of files of ${transferId} is not complete any more. Please ask for the transfer again.`,
          });
        }
        yield* objects;
      }
    },

    async setProgress(transfer, index, progress, leaseToken) {
      const { transferId } = transfer;
      try {
        await client.send(
          new UpdateCommand({
            TableName,
            Key: { transfer_id: pageKey(transferId, pagesOf(transfer), Math.floor(index / PAGE_SIZE)) },
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
