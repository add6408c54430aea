import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import { NOON } from '../../test/support/transfers.ts';
import { createNoteStore, type NoteStore } from './note-store.ts';

const DAYS = 86_400_000;
const dynamo = useDynamoDb();
let clock = NOON;
let notes: NoteStore;
let made = 0;
let key: string;

beforeAll(() => {
  notes = createNoteStore({ client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => clock });
});
beforeEach(() => {
  clock = NOON;
  made += 1;
  key = `test:${made}`;
});

describe('notes', () => {
  it('are written over, and forgotten after 90 days whatever DynamoDB has deleted', async () => {
    expect(await notes.get(key)).toBeUndefined();
    await notes.put(key, 'one');
    await notes.put(key, 'two');
    clock += 89 * DAYS;
    expect(await notes.get(key)).toBe('two');
    clock += 2 * DAYS;
    expect(await notes.get(key)).toBeUndefined();
  });

  it('have one first writer of many', async () => {
    const won = await Promise.all(Array.from({ length: 20 }, (_, i) => notes.putFirst(key, String(i))));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await notes.get(key)).toBe(String(won.indexOf(true)));
    clock += 91 * DAYS;
    expect(await notes.putFirst(key, 'late')).toBe(true);
  });

  it('say when the table cannot be reached', async () => {
    const lost = createNoteStore({ client: dynamo.documents, tablePrefix: 'None-', now: () => clock });
    await expect(lost.get(key)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await expect(lost.put(key, '')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(lost.putFirst(key, '')).rejects.toMatchObject({ code: 'unavailable' });
  });
});
