import { beforeAll, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { createLearningStore, type LearningStore } from './learning-store.ts';

const dynamo = useDynamoDb();
let store: LearningStore;

beforeAll(() => {
  store = createLearningStore({ client: dynamo.documents, tablePrefix: dynamo.prefix });
});

describe('a row of sums', () => {
  it('loses nothing that is added at once', async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        store.add('ftp#busy', 'small', { succeeded: n % 4 !== 0, seconds: 1.5, bytes: 100, at: 0 }),
      ),
    );
    expect(await store.get('ftp#busy', 'small')).toMatchObject({
      count: 100,
      successes: 75,
      failures: 25,
      seconds: 112.5,
      bytes: 7_500,
      throughputs: 75,
    });
  });

  it('keeps mean and spread of the throughput', async () => {
    for (const seconds of [1, 2, 4]) {
      await store.add('ftp#spread', 'large', { succeeded: true, seconds, bytes: 4e8, at: 0 });
    }
    const row = await store.get('ftp#spread', 'large');
    if (!row) throw new Error('no row');
    const mean = row.lnThroughput / 3;
    expect(Math.exp(mean)).toBeCloseTo(2e8, -3);
    const variance = (row.lnThroughputSquares - 3 * mean * mean) / 2;
    expect(Math.sqrt(variance)).toBeCloseTo(Math.LN2, 3);
  });

  it('counts an empty or timeless success without a throughput', async () => {
    await store.add('ftp#empty', 'small', { succeeded: true, seconds: 0.5, bytes: 0, at: 0 });
    await store.add('ftp#empty', 'small', { succeeded: true, seconds: 0, bytes: 10, at: 0 });
    expect(await store.get('ftp#empty', 'small')).toMatchObject({
      successes: 2,
      throughputs: 0,
      lnThroughput: 0,
    });
  });

  it('is apart for each type and size, and absent before', async () => {
    await store.add('ftp#apart', 'small', { succeeded: true, seconds: 1, bytes: 1, at: 0 });
    expect(await store.get('ftp#apart', 'medium')).toBeUndefined();
    expect(await store.get('ftp', 'small')).toBeUndefined();
  });
});
