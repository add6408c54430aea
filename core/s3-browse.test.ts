/** Browsing against an S3 that honours session policies: what is shown, what is not, and to whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ana, type BrowsableS3, cleo, person, policy, startBrowsableS3 } from '../test/support/browsing.ts';
import { createS3Browse, type S3Browse, type Selection } from './s3-browse.ts';
import type { CachedFacts, ObjectFacts } from './s3-object-facts.ts';

const BUCKET = 'finance-exports';
const asker = { person: ana, turnKey: 'turn-1' };
const under = (prefix: string): Selection => ({ kind: 'prefix', prefix });
const like = (pattern: string): Selection => ({ kind: 'glob', pattern });

let s3: BrowsableS3;
let browse: S3Browse;

beforeAll(async () => {
  s3 = await startBrowsableS3();
  browse = createS3Browse({ policy, access: s3.access });
  await s3.put(BUCKET, 'readme.txt', 'hello');
  await s3.put(BUCKET, 'reports/', '');
  await s3.put(BUCKET, 'reports/2026/q3.pdf', 'q3!');
  await s3.put(BUCKET, 'reports/2026/q4.pdf');
  await s3.put(BUCKET, 'reports/2026/raw/q3.csv');
  await s3.put(BUCKET, 'reports/2026/odd + ü & <x>\r\n.csv');
  await s3.put(BUCKET, 'cold/a.bin', 'x', 'GLACIER');
  await s3.put(BUCKET, 'cold/b.bin', 'x', 'GLACIER_IR');
  await s3.put('marketing-assets', 'public/logo.svg');
  await s3.put('marketing-assets', 'secret/plan.pdf');
  await Promise.all(
    Array.from({ length: 1_005 }, (_, index) =>
      s3.put('finance-archive', `day-${String(index).padStart(4, '0')}.csv`),
    ),
  );
}, 60_000);
afterAll(() => s3.stop());

async function keysOf(objects: AsyncIterable<ObjectFacts>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of objects) keys.push(key);
  return keys;
}

describe('listBuckets', () => {
  it('shows what the policy lets a person see, and how much of it', () => {
    expect(browse.listBuckets(ana)).toEqual([
      { name: 'finance-archive' },
      { name: BUCKET, description: 'Reports of the finance team' },
      { name: 'marketing-assets', prefixes: ['public/'] },
    ]);
    expect(browse.listBuckets(ana, 'REPORTS')).toHaveLength(1);
    expect(browse.listBuckets(cleo)).toEqual([]);
    expect(browse.listBuckets(person('Ana', { standing: 'deactivated' }))).toEqual([]);
  });
});

describe('listObjects', () => {
  it('shows one level', async () => {
    expect(await browse.listObjects(asker, BUCKET, under(''), 10)).toMatchObject({
      kind: 'listing',
      folders: ['cold/', 'reports/'],
      objects: [{ key: 'readme.txt', size: 5, archived: false }],
      more: false,
    });
    expect(await browse.listObjects(asker, BUCKET, under('reports/'), 10)).toMatchObject({
      folders: ['reports/2026/'],
      objects: [],
    });
  });

  it('stops at the limit and says so', async () => {
    const listing = await browse.listObjects(asker, 'finance-archive', under(''), 3);
    expect(listing).toMatchObject({
      kind: 'listing',
      objects: [{ key: 'day-0000.csv' }, { key: 'day-0001.csv' }, { key: 'day-0002.csv' }],
      more: true,
    });
    expect(s3.open()).toBe(0);
  });

  it('shows what a pattern matches', async () => {
    const listing = await browse.listObjects(asker, BUCKET, like('reports/**/q3.*'), 10);
    expect(listing).toMatchObject({
      objects: [{ key: 'reports/2026/q3.pdf' }, { key: 'reports/2026/raw/q3.csv' }],
      more: false,
    });
    expect(await browse.listObjects(asker, BUCKET, like('{a,b}'.repeat(9)), 10)).toMatchObject({
      kind: 'bad_pattern',
    });
  });

  it('shows the way down to what a person may see, and nothing beside it', async () => {
    expect(await browse.listObjects(asker, 'marketing-assets', under(''), 10)).toEqual({
      kind: 'listing',
      folders: ['public/'],
      objects: [],
      more: false,
    });
    expect(await browse.listObjects(asker, 'marketing-assets', under('secret/'), 10)).toMatchObject({
      kind: 'not_allowed',
    });
    expect(await browse.listObjects(asker, 'marketing-assets', like('*/*'), 10)).toMatchObject({
      kind: 'not_allowed',
    });
  });
});

describe('objectsUnder', () => {
  it('walks every page, without the marks of empty folders', async () => {
    const all = browse.objectsUnder(asker, 'finance-archive', under('day-'));
    if (all.kind !== 'objects') throw new Error(all.kind);
    const keys = await keysOf(all.objects);
    expect(keys).toHaveLength(1_005);
    expect(keys.at(-1)).toBe('day-1004.csv');

    const reports = browse.objectsUnder(asker, BUCKET, under('reports/'));
    if (reports.kind !== 'objects') throw new Error(reports.kind);
    expect(await keysOf(reports.objects)).toEqual([
      'reports/2026/odd + ü & <x>\r\n.csv',
      'reports/2026/q3.pdf',
      'reports/2026/q4.pdf',
      'reports/2026/raw/q3.csv',
    ]);
  });

  it('gives its session back when the reader stops early', async () => {
    const found = browse.objectsUnder(asker, 'finance-archive', under(''));
    if (found.kind !== 'objects') throw new Error(found.kind);
    for await (const object of found.objects) {
      expect(object.etag).toMatch(/^".+"$/);
      expect(s3.open()).toBe(1);
      break;
    }
    expect(s3.open()).toBe(0);
  });

  it('asks the policy before S3', () => {
    const before = s3.opened.length;
    expect(browse.objectsUnder(asker, 'marketing-assets', under(''))).toMatchObject({ kind: 'not_allowed' });
    expect(browse.objectsUnder({ ...asker, person: cleo }, BUCKET, under(''))).toMatchObject({
      kind: 'not_allowed',
    });
    expect(s3.opened.length).toBe(before);
  });

  it('stops when the turn does', async () => {
    const found = browse.objectsUnder(asker, BUCKET, under(''), AbortSignal.abort());
    if (found.kind !== 'objects') throw new Error(found.kind);
    await expect(keysOf(found.objects)).rejects.toMatchObject({ code: 'cancelled' });
    expect(s3.open()).toBe(0);
  });
});

describe('headObjects', () => {
  const head = async (key: string, bucket = BUCKET, who = asker) => {
    const [outcome] = await browse.headObjects(who, bucket, [key]);
    return outcome;
  };

  it('tells what an object is', async () => {
    expect(await head('reports/2026/q3.pdf')).toEqual({
      kind: 'object',
      key: 'reports/2026/q3.pdf',
      size: 3,
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      lastModified: expect.any(Number),
      storageClass: 'STANDARD',
      archived: false,
    });
    expect(await head('reports/2026/odd + ü & <x>\r\n.csv')).toMatchObject({ kind: 'object', size: 1 });
  });

  it('keeps the order, in one session', async () => {
    const before = s3.opened.length;
    const outcomes = await browse.headObjects(asker, BUCKET, ['no', 'readme.txt', 'nor this', 'cold/a.bin']);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['not_found', 'object', 'not_found', 'object']);
    expect(s3.opened.length).toBe(before + 1);
    expect(s3.open()).toBe(0);
  });

  it('knows what is archived', async () => {
    expect(await head('cold/a.bin')).toMatchObject({ storageClass: 'GLACIER', archived: true });
    expect(await head('cold/b.bin')).toMatchObject({ storageClass: 'GLACIER_IR', archived: false });
  });

  it('does not tell strangers whether there is an object', async () => {
    const stranger = { person: cleo, turnKey: 't' };
    const [there, absent] = [
      await head('readme.txt', BUCKET, stranger),
      await head('absent', BUCKET, stranger),
    ];
    expect(there).toMatchObject({ kind: 'not_allowed' });
    expect(absent).toMatchObject({ kind: 'not_allowed' });
    expect(await head('secret/plan.pdf', 'marketing-assets')).toMatchObject({ kind: 'not_allowed' });
  });

  it('uses the cache for browsing only, and asks the policy first', async () => {
    const stored = new Map<string, CachedFacts>();
    const looks: boolean[] = [];
    const cached = createS3Browse({
      policy,
      access: s3.access,
      cache: {
        get: async (bucket, key) => stored.get(`${bucket}#${key}`),
        put: async (bucket, key, facts) => void stored.set(`${bucket}#${key}`, facts),
        forget: async (bucket, key) => void stored.delete(`${bucket}#${key}`),
      },
      onCacheLook: (hit) => void looks.push(hit),
    });
    const stale: CachedFacts = { size: 99, etag: '"old"', lastModified: 0 };
    stored.set(`${BUCKET}#readme.txt`, stale);
    const read = (options?: { cached: boolean }, who = asker) =>
      cached.headObjects(who, BUCKET, ['readme.txt'], options);

    expect(await read({ cached: true })).toMatchObject([{ kind: 'object', size: 99 }]);
    expect(await read({ cached: true }, { person: cleo, turnKey: 't' })).toMatchObject([
      { kind: 'not_allowed' },
    ]);
    expect(await read()).toMatchObject([{ kind: 'object', size: 5 }]);
    expect(stored.get(`${BUCKET}#readme.txt`)).toMatchObject({ size: 5, storageClass: 'STANDARD' });
    expect(stored.get(`${BUCKET}#readme.txt`)).not.toHaveProperty('key');
    expect(looks).toEqual([true]);

    // What S3 no longer has is no longer remembered.
    stored.set(`${BUCKET}#gone.txt`, stale);
    expect(await cached.headObjects(asker, BUCKET, ['gone.txt'])).toMatchObject([{ kind: 'not_found' }]);
    expect(stored.has(`${BUCKET}#gone.txt`)).toBe(false);
  });
});

describe('findByName', () => {
  const find = async (words: string, bucket = BUCKET) => {
    const found = await browse.findByName(asker, bucket, words, 3);
    return found.kind === 'candidates' ? found.objects.map(({ key }) => key) : found.kind;
  };

  it('offers what is like the words', async () => {
    expect(await find('the Q3 report')).toEqual(['reports/2026/q3.pdf', 'reports/2026/raw/q3.csv']);
    expect((await find('reports/2026/q4.pfd'))[0]).toBe('reports/2026/q4.pdf');
    expect(await find('reedme.txt')).toEqual(['readme.txt']);
    expect(await find('zebra')).toEqual([]);
    expect(await find('…')).toEqual([]);
  });

  it('looks where the person may look', async () => {
    expect(await find('plan', 'marketing-assets')).toEqual([]);
    expect(await find('logo', 'marketing-assets')).toEqual(['public/logo.svg']);
    expect(await find('salary', 'hr-payroll')).toBe('not_allowed');
  });
});
