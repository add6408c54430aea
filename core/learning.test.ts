import { beforeAll, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { NOON, plannedObject, proposal } from '../test/support/transfers.ts';
import { createLearning, type Learning } from './learning.ts';
import { createLearningStore, type LearningStore, periodOf } from './stores/learning-store.ts';
import { createTransferStore, type TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';

const dynamo = useDynamoDb();
let transfers: TransferStore;
let store: LearningStore;
let learning: Learning;

beforeAll(() => {
  const options = { client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => NOON };
  transfers = createTransferStore(options);
  store = createLearningStore(options);
  learning = createLearning({ transfers, store, now: () => NOON });
});

/** Stores a transfer of 2 MB to a destination of the test's own that took 4 s. */
async function ended(destination: string, changes: Partial<Transfer>): Promise<string> {
  const transfer = proposal({ startedAt: NOON, endedAt: NOON + 4_000, ...changes }, [
    plannedObject(0, { size: 2e6 }),
  ]);
  await transfers.create({ ...transfer, plan: { ...transfer.plan, destination } });
  return transfer.transferId;
}

describe('learning from a transfer', () => {
  it('counts it once, however often and by how many it is asked', async () => {
    const id = await ended('one-ftp', { status: 'completed' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => learning.learn(id)));
    expect(answers.filter((answer) => answer === 'learned')).toHaveLength(1);
    expect(await store.get('ftp#one-ftp', 'medium')).toEqual({
      count: 1,
      successes: 1,
      failures: 0,
      seconds: 4,
      bytes: 2e6,
      throughputs: 1,
      lnThroughput: expect.closeTo(Math.log(5e5), 5),
      lnThroughputSquares: expect.closeTo(Math.log(5e5) ** 2, 5),
      lnThroughputCubes: expect.closeTo(Math.log(5e5) ** 3, 5),
      recent: [
        {
          period: periodOf(NOON),
          count: 1,
          ln: expect.closeTo(Math.log(5e5), 5),
          lnSquares: expect.closeTo(Math.log(5e5) ** 2, 5),
        },
      ],
    });
    expect((await transfers.get(id))?.learned).toBe(true);
  });

  it('counts a failure without its time', async () => {
    await learning.learn(await ended('two-ftp', { status: 'failed' }));
    expect(await store.get('ftp#two-ftp', 'medium')).toMatchObject({
      count: 1,
      successes: 0,
      failures: 1,
      seconds: 0,
      throughputs: 0,
    });
  });

  it('learns nothing from one that did not run to its end', async () => {
    for (const status of ['running', 'cancelled', 'rejected', 'expired'] as const) {
      const id = await ended('three-ftp', { status });
      expect(await learning.learn(id)).toBe('nothing to learn');
      expect((await transfers.get(id))?.learned).toBe(false);
    }
    expect(await store.get('ftp#three-ftp', 'medium')).toBeUndefined();
  });

  it('lets a destination without history profit from the others', async () => {
    expect(await learning.forecast('new-ftp', 500)).toBeUndefined();
    await learning.learn(await ended('old-ftp', { status: 'completed' }));
    const seen = await learning.forecast('new-ftp', 2e6);
    expect(seen?.seconds).toBeCloseTo(4, 3);
  });
});
