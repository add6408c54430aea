import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { NOON } from '../../test/support/transfers.ts';
import { createTurnStore, type TurnStore } from './turn-store.ts';

const HOLD = 15_000;
const eventSchema = z.object({ text: z.string() });
type Event = z.infer<typeof eventSchema>;

const dynamo = useDynamoDb();
let clock = NOON;
let store: TurnStore<Event>;
let made = 0;
let key: string;

beforeAll(() => {
  store = createTurnStore({
    client: dynamo.documents,
    tablePrefix: dynamo.prefix,
    now: () => clock,
    parse: (stored) => eventSchema.safeParse(stored).data,
  });
});
beforeEach(() => {
  clock = NOON;
  made += 1;
  key = `slack:C01OPS:${made}`;
});

const claim = () => store.claim(key, { text: 'send it' }, HOLD);
const isAbandoned = async () => (await store.listAbandoned(1_000)).includes(key);

describe('a claim', () => {
  it('is won by one of 50', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, claim));
    expect(answers.filter((answer) => answer === 'claimed')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'duplicate')).toHaveLength(49);
  });

  it('stays against redelivery after the turn is done, for a day', async () => {
    await claim();
    await store.finish(key);
    clock += 86_399_000;
    expect(await claim()).toBe('duplicate');
    clock += 1_000;
    expect(await claim()).toBe('claimed');
  });

  it('goes when the turn failed, so that a redelivery counts', async () => {
    await claim();
    await store.release(key);
    expect(await isAbandoned()).toBe(false);
    expect(await claim()).toBe('claimed');
  });
});

describe('an abandoned claim', () => {
  it('is listed when its time is over', async () => {
    await claim();
    clock += HOLD - 1;
    expect(await isAbandoned()).toBe(false);
    clock += 1;
    expect(await isAbandoned()).toBe(true);
  });

  it('is not listed while its holder extends it', async () => {
    await claim();
    clock += HOLD - 1;
    await store.extend(key, HOLD);
    clock += HOLD - 1;
    expect(await isAbandoned()).toBe(false);
    expect(await store.takeOver(key, HOLD)).toBeUndefined();
  });

  it('is taken over by one of 50, with its event and how often it was tried', async () => {
    await claim();
    clock += HOLD;
    const taken = await Promise.all(Array.from({ length: 50 }, () => store.takeOver(key, HOLD)));
    expect(taken.filter((it) => it !== undefined)).toEqual([{ event: { text: 'send it' }, deliveries: 2 }]);
    expect(await isAbandoned()).toBe(false);
    clock += HOLD;
    expect(await store.takeOver(key, HOLD)).toMatchObject({ deliveries: 3 });
  });

  it('is not taken over before its time, when it is done, released, or was never there', async () => {
    await claim();
    expect(await store.takeOver(key, HOLD)).toBeUndefined();
    await store.finish(key);
    clock += HOLD;
    expect(await isAbandoned()).toBe(false);
    expect(await store.takeOver(key, HOLD)).toBeUndefined();
    await store.release(key);
    expect(await store.takeOver(key, HOLD)).toBeUndefined();
  });

  it('counts as tried though its event cannot be read', async () => {
    await store.claim(key, { words: 'of another release' } as unknown as Event, HOLD);
    clock += HOLD;
    expect(await store.takeOver(key, HOLD)).toEqual({ event: undefined, deliveries: 2 });
    clock += HOLD;
    expect(await store.takeOver(key, HOLD)).toEqual({ event: undefined, deliveries: 3 });
  });

  it('is not worked off once its day is over, though it is still there', async () => {
    await claim();
    clock += 86_400_000;
    expect(await store.takeOver(key, HOLD)).toBeUndefined();
    expect(await isAbandoned()).toBe(false);
  });

  it('does not come back when it is extended after it was done', async () => {
    await claim();
    await store.finish(key);
    await store.extend(key, HOLD);
    clock += HOLD;
    expect(await isAbandoned()).toBe(false);
  });
});

it('finishing what is not there is no error', async () => {
  await store.finish(key);
  expect(await claim()).toBe('claimed');
});
