import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import type { ObjectState, PlannedObject, TransferObject } from '../transfer.ts';
import { loadScope } from '../transfer-scope.ts';
import { createObjectStore, type ObjectStore, type ObjectsOf, PAGE_SIZE } from './object-store.ts';

const DAY = 86_400_000;
const dynamo = useDynamoDb();
let clock = NOON;
let store: ObjectStore;

beforeAll(() => {
  store = createObjectStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
});
beforeEach(() => {
  clock = NOON;
});

const planned = (count: number) => Array.from({ length: count }, (_, index) => plannedObject(index));

async function written(objects: PlannedObject[]) {
  const made = proposal({}, objects);
  const summary = await store.write(made.transferId, objects);
  const transfer = { ...made, plan: { ...made.plan, pages: summary.pages } };
  return { transfer, summary };
}

async function all(transfer: ObjectsOf): Promise<TransferObject[]> {
  const objects: TransferObject[] = [];
  for await (const object of store.read(transfer)) objects.push(object);
  return objects;
}
const uploading: ObjectState = {
  state: 'uploading',
  checkpoint: { tempPath: '/incoming/.tmp', bytes: 10, crc32: 7 },
};
const done: ObjectState = { state: 'done', finalPath: '/incoming/a', crc32: 7, verified: 'size' };

describe('the objects of a plan', () => {
  it.each([1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 200, 1_000])(
    'come back in order: %i',
    async (count) => {
      const objects = planned(count);
      const { transfer, summary } = await written(objects);
      expect(await all(transfer)).toEqual(
        objects.map((object) => ({ ...object, progress: { state: 'pending' } })),
      );
      expect(summary).toEqual({
        objectCount: count,
        totalBytes: objects.reduce((sum, { size }) => sum + size, 0),
        objectsDigest: transfer.plan.objectsDigest,
        pages: expect.stringMatching(/^[0-9a-f]{24}$/),
        preview: objects.slice(0, 5),
      });
    },
  );

  it('are written as they come, and no list of them is kept', async () => {
    let pulled = 0;
    let alreadyWritten = -1;
    const made = proposal({}, planned(130));
    const pages = 'a'.repeat(24);
    const transfer = { ...made, plan: { ...made.plan, pages } };
    async function* listing() {
      for (const object of planned(130)) {
        pulled += 1;
        if (pulled === 2 * PAGE_SIZE + 1) {
          const firstTwo = { ...transfer, plan: { ...transfer.plan, objectCount: 2 * PAGE_SIZE } };
          alreadyWritten = (await all(firstTwo)).length;
        }
        yield object;
      }
    }
    expect(await store.write(transfer.transferId, listing(), pages)).toMatchObject({ objectCount: 130 });
    expect(alreadyWritten).toBe(2 * PAGE_SIZE);
    expect(await all(transfer)).toHaveLength(130);
  });

  it('leave nothing behind when the listing ends in a refusal', async () => {
    const made = proposal({}, planned(PAGE_SIZE));
    const transfer = { ...made, plan: { ...made.plan, pages: 'b'.repeat(24) } };
    async function* refused() {
      yield* planned(PAGE_SIZE + 1);
      throw new Error('not this one');
    }
    const writing = store.write(transfer.transferId, refused(), transfer.plan.pages);
    await expect(writing).rejects.toThrow('not this one');
    await expect(all(transfer)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of a record from before pages had names are found by the digest', async () => {
    const transfer = proposal({}, planned(3));
    await store.write(transfer.transferId, planned(3), transfer.plan.objectsDigest.slice(0, 24));
    expect(await all(transfer)).toHaveLength(3);
  });

  it('fit their pages with the longest names, at every state', async () => {
    const long = (char: string) => char.repeat(1_000);
    const objects = planned(PAGE_SIZE).map((object) => ({
      ...object,
      key: `${long('k')}${object.index}`,
      targetPath: `/${long('t')}${object.index}`,
      versionId: 'v'.repeat(1_024),
    }));
    const { transfer } = await written(objects);
    const checkpoint = { tempPath: `/${long('p')}`, bytes: 2 ** 42, crc32: 2 ** 32 - 1 };
    const renaming: ObjectState = { state: 'renaming', checkpoint, finalPath: `/${long('f')}` };
    for (const { index } of objects) await store.setProgress(transfer, index, renaming, 1);
    expect((await all(transfer)).every((object) => object.progress.state === 'renaming')).toBe(true);
  });

  it('are never fewer than the plan says', async () => {
    const { transfer } = await written(planned(PAGE_SIZE));
    const short = { ...transfer, plan: { ...transfer.plan, objectCount: PAGE_SIZE + 1 } };
    await expect(all(short)).rejects.toMatchObject({ code: 'not_found' });
    await expect(all(proposal({}, planned(3)))).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are gone after 90 days', async () => {
    const { transfer } = await written(planned(2));
    clock += 90 * DAY;
    await expect(all(transfer)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of two runs of one turn that saw different listings stay apart', async () => {
    const first = planned(130);
    const { transfer } = await written(first);
    const second = first.slice(0, 70).map((object) => ({ ...object, etag: '"newer"' }));
    const { pages } = await store.write(transfer.transferId, second);
    expect((await all(transfer)).map(({ etag }) => etag)).toEqual(first.map(({ etag }) => etag));
    const other = proposal({ transferId: transfer.transferId }, second);
    expect(await all({ ...other, plan: { ...other.plan, pages } })).toHaveLength(70);
  });
});

describe('progress', () => {
  it('is written to its object alone', async () => {
    const { transfer } = await written(planned(PAGE_SIZE + 5));
    await store.setProgress(transfer, PAGE_SIZE + 2, uploading, 1);
    await store.setProgress(transfer, 0, done, 1);
    const after = await all(transfer);
    expect(
      after.flatMap(({ index, progress }) => (progress.state === 'pending' ? [] : [[index, progress]])),
    ).toEqual([
      [0, done],
      [PAGE_SIZE + 2, uploading],
    ]);
  });

  it('is fenced: after a newer lease has written, an older one may not', async () => {
    const { transfer } = await written(planned(3));
    await store.setProgress(transfer, 0, uploading, 1);
    await store.setProgress(transfer, 1, done, 2);
    await expect(store.setProgress(transfer, 0, done, 1)).rejects.toMatchObject({ code: 'lease_lost' });
    expect((await all(transfer)).map(({ progress }) => progress.state)).toEqual([
      'uploading',
      'done',
      'pending',
    ]);
  });

  it('survives that the turn which proposed it runs again', async () => {
    const objects = planned(3);
    const { transfer } = await written(objects);
    await store.setProgress(transfer, 1, done, 1);
    const again = await store.write(transfer.transferId, objects, transfer.plan.pages);
    expect(again).toMatchObject({ objectCount: 3 });
    expect((await all(transfer))[1]?.progress).toEqual(done);
  });

  it('of an object that the plan does not have is refused', async () => {
    const { transfer } = await written(planned(2));
    await expect(store.setProgress(transfer, 2, done, 1)).rejects.toThrow();
    await expect(store.setProgress(transfer, PAGE_SIZE, done, 1)).rejects.toThrow();
  });
});

describe('the scope for the policy', () => {
  it('of up to five objects needs no read', async () => {
    const transfer = proposal({}, planned(5));
    const reads = {
      read: () => {
        throw new Error('read');
      },
    };
    expect((await loadScope(reads, transfer)).keys).toHaveLength(5);
  });

  it('of more holds every key', async () => {
    const objects = planned(200);
    const { transfer } = await written(objects);
    expect((await loadScope(store, transfer)).keys).toEqual(objects.map(({ key }) => key));
  });
});
