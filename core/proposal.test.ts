import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, bob, eve, NOON } from '../test/support/transfers.ts';
import { parsePolicy } from './config.ts';
import { transferIdFor } from './ids.ts';
import { createLearning, type Learning } from './learning.ts';
import { createProposals, type ProposalRequest, type Proposals } from './proposal.ts';
import { createLearningStore } from './stores/learning-store.ts';
import { createObjectStore, type ObjectStore } from './stores/object-store.ts';
import { createTransferStore, type TransferStore } from './stores/transfer-store.ts';
import { hashPlan, objectsDigest, type PlannedObject } from './transfer.ts';

type Found = Omit<PlannedObject, 'index'>;

const policy = parsePolicy(`
groups:
  finance: ["${ana.userId}"]
  approvers: ["${bob.userId}"]
buckets: { finance-exports: {} }
destinations:
  acme-ftp: { host: 127.0.0.1, tls: none, user: ferry, password: "env:ACME", folder: /incoming, existing: rename }
  dated-ftp: { host: 127.0.0.1, tls: none, user: ferry, password: "env:ACME", folder: /dated, fileName: "{stem}_{date:YYYYMMDD}.csv" }
rules:
  - { request: [finance], from: [finance-exports/reports/], to: [acme-ftp, dated-ftp], approve: [approvers], maxBytes: 6 TiB }
limits: { maxObjects: 300, maxBytes: 7 TiB }
servicenow: { userGroup: File Transfers, auditGroup: Compliance }
`);

const dynamo = useDynamoDb();
let transfers: TransferStore;
let objects: ObjectStore;
let learning: Learning;
let proposals: Proposals;
let turnKey: string;
let made = 0;

beforeAll(() => {
  const options = { client: dynamo.documents, tablePrefix: dynamo.prefix, now: () => NOON };
  transfers = createTransferStore(options);
  objects = createObjectStore(options);
  learning = createLearning({ transfers, store: createLearningStore(options), now: options.now });
  proposals = createProposals({ transfers, objects, learning, policy, now: () => NOON });
});
beforeEach(() => {
  made += 1;
  turnKey = `slack:C01OPS:1795348800.${made}`;
});

const found = (key: string, changes: Partial<Found> = {}): Found => ({
  key,
  size: 10,
  etag: `"${key}"`,
  targetPath: `/incoming/${key.split('/').at(-1)}`,
  ...changes,
});
const dated = (key: string) => found(key, { targetPath: `/dated/${key.split('/').at(-1)}` });
const files = (count: number) => Array.from({ length: count }, (_, n) => found(`reports/file-${n}.csv`));

const request = (changes: Partial<ProposalRequest> = {}): ProposalRequest => ({
  turnKey,
  person: ana,
  thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1795348800.000100' },
  bucket: 'finance-exports',
  selection: { kind: 'keys' },
  objects: [found('reports/q3.csv')],
  destination: 'acme-ftp',
  priority: 'normal',
  ...changes,
});

/** Proposes, and tells that nothing was stored. */
async function refusal(changes: Partial<ProposalRequest>) {
  const outcome = await proposals.propose(request(changes));
  expect(await transfers.get(transferIdFor(turnKey))).toBeUndefined();
  if (outcome.outcome !== 'refused') throw new Error(`not refused but ${outcome.outcome}`);
  return outcome;
}

describe('a proposal', () => {
  it('names the files as the destination wants them, so that approvers see it', async () => {
    const outcome = await proposals.propose(
      request({ destination: 'dated-ftp', objects: [dated('reports/q3.txt')] }),
    );
    if (outcome.outcome !== 'proposed') throw new Error(outcome.outcome);
    const { plan } = outcome.transfer;
    expect(plan.preview[0]?.targetPath).toBe('/dated/q3_20261122.csv');
    const stored = [];
    for await (const { targetPath } of objects.read(outcome.transfer)) stored.push(targetPath);
    expect(stored).toEqual(['/dated/q3_20261122.csv']);
  });

  it('is stored with everything that cards, tickets, approval and worker need', async () => {
    const outcome = await proposals.propose(request({ objects: files(2), priority: 'high' }));
    if (outcome.outcome !== 'proposed') throw new Error(outcome.outcome);
    const { transfer } = outcome;
    const digest = objectsDigest();
    const planned = files(2).map((file, index) => ({ ...file, index }));
    for (const object of planned) digest.add(object);
    expect(transfer).toMatchObject({
      transferId: transferIdFor(turnKey),
      version: 1,
      status: 'pending_approval',
      requester: ana,
      createdAt: NOON,
      approvalExpiresAt: NOON + 24 * 3_600_000,
      attempt: 1,
      planHash: hashPlan(transfer.plan),
      plan: {
        existing: 'rename',
        priority: 'high',
        objectCount: 2,
        totalBytes: 20,
        objectsDigest: digest.hex(),
        preview: planned,
      },
      tickets: { user: { notedThrough: 0, closed: false }, audit: { notedThrough: 0, closed: false } },
      messages: [],
      learned: false,
      history: [{ seq: 1, at: NOON, status: 'pending_approval', by: ana.userId }],
    });
    expect(transfer.history[0]?.text).toContain('asked to send 2 files, 20 bytes');
    expect(Object.values(transfer.steps)).toEqual(Array(6).fill({ attempts: 0 }));
    expect(await transfers.get(transfer.transferId)).toEqual(transfer);
    const kept: string[] = [];
    for await (const object of objects.read(transfer)) kept.push(object.key);
    expect(kept).toEqual(['reports/file-0.csv', 'reports/file-1.csv']);
  });

  it('of the same turn is the same transfer, as it stands by now', async () => {
    const first = await proposals.propose(request());
    const again = await proposals.propose(request({ objects: files(3) }));
    expect(first.outcome).toBe('proposed');
    expect(again.outcome).toBe('exists');
    expect(again).toMatchObject({ transfer: { plan: { objectCount: 1 } } });
  });

  it('runs many times at once and exists once, its objects in step with its plan', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => proposals.propose(request({ objects: files(60 + n) }))),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'proposed')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'exists')).toHaveLength(19);
    const transfer = await transfers.get(transferIdFor(turnKey));
    if (!transfer) throw new Error('not stored');
    const digest = objectsDigest();
    for await (const { progress, ...object } of objects.read(transfer)) digest.add(object);
    expect(digest.hex()).toBe(transfer.plan.objectsDigest);
  });

  it('of a turn that proposes twice are two', async () => {
    const first = await proposals.propose(request());
    const second = await proposals.propose(request({ ordinal: 1 }));
    expect([first.outcome, second.outcome]).toEqual(['proposed', 'proposed']);
  });

  it('may hold an empty file, and the largest', async () => {
    const sizes = [found('reports/empty', { size: 0 }), found('reports/huge', { size: 5 * 2 ** 40 })];
    expect(await proposals.propose(request({ objects: sizes }))).toMatchObject({ outcome: 'proposed' });
  });

  it('says what to expect once there is history', async () => {
    expect(await proposals.propose(request())).not.toHaveProperty('transfer.forecast');
    const store = createLearningStore({ client: dynamo.documents, tablePrefix: dynamo.prefix });
    for (let n = 0; n < 5; n += 1) {
      await store.add('ftp#acme-ftp', 'small', { succeeded: true, seconds: 2, bytes: 20, at: 0 });
    }
    const outcome = await proposals.propose(request({ ordinal: 1 }));
    if (outcome.outcome !== 'proposed') throw new Error(outcome.outcome);
    expect(outcome.transfer.forecast).toMatchObject({ samples: 5 });
    expect(outcome.transfer.forecast?.seconds).toBeCloseTo(1, 4);
  });
});

describe('a refusal', () => {
  it('names the destinations there are for an unknown one', async () => {
    expect(await refusal({ destination: 'nowhere' })).toEqual({
      outcome: 'refused',
      reason: 'There is no destination "nowhere".',
      advice: 'You can send to acme-ftp, dated-ftp.',
    });
    expect(await refusal({ destination: 'nowhere', person: eve })).not.toHaveProperty('advice');
  });

  it('tells when nothing matched', async () => {
    expect((await refusal({ objects: [] })).reason).toContain('nothing matched');
  });

  it('meets a person without the right, whoever built the request', async () => {
    expect((await refusal({ person: eve })).reason).toContain('no rule of the policy');
    expect((await refusal({ person: { ...ana, standing: 'guest' } })).reason).toContain('guest');
  });

  it('meets one forbidden key among 200, beyond those that a card shows', async () => {
    const mixed = [...files(199), found('salaries/all.csv')];
    expect((await refusal({ objects: mixed })).reason).toContain('salaries/all.csv');
  });

  it.each([
    ['prefix', { kind: 'prefix', prefix: 'reports/2026/' }],
    ['glob', { kind: 'glob', pattern: 'reports/2026/*.csv' }],
    ['broken glob', { kind: 'glob', pattern: 'reports/[z-a]/*' }],
  ] as const)('meets a key that the %s on the card does not cover', async (_what, selection) => {
    const strays = [found('reports/2025/old.csv')];
    expect((await refusal({ selection, objects: strays })).reason).toContain(
      'not part of what you asked for',
    );
  });

  it('meets a file above 5 TB', async () => {
    const huge = [found('reports/huge', { size: 5 * 2 ** 40 + 1 })];
    expect((await refusal({ objects: huge })).reason).toContain('larger than 5 TB');
  });

  it('meets more bytes than the rule allows', async () => {
    const many = [1, 2].map((n) => found(`reports/${n}`, { size: 4 * 2 ** 40 }));
    expect((await refusal({ objects: many })).reason).toContain('more than 6.6 TB, the most that you may');
  });

  it('reads a listing no further than the first file too many, and closes it', async () => {
    let listed = 0;
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          yield found(`reports/${listed}`);
          listed += 1;
        }
      } finally {
        closed = true;
      }
    }
    expect((await refusal({ objects: endless() })).reason).toContain('more than 300 files');
    expect(listed).toBe(300);
    expect(closed).toBe(true);
  });

  it.each([
    ['/etc/passwd'],
    ['/incoming/../etc/passwd'],
    ['/incoming-not/a'],
    ['/incoming'],
    ['/incoming/'],
    ['/incoming/a\r\nDELE b'],
    ['/incoming/a\u0000'],
    ['incoming/a'],
  ])('meets the target path %j', async (targetPath) => {
    expect((await refusal({ objects: [found('reports/a', { targetPath })] })).reason).toContain(
      'cannot be stored',
    );
  });

  it('meets a key that is no honest name', async () => {
    const hidden = [found('reports/\u202Egpj.exe', { targetPath: '/incoming/a' })];
    expect((await refusal({ objects: hidden })).reason).toContain('cannot be sent');
  });

  it('meets two files that would become one', async () => {
    const twins = [found('reports/a/x.csv'), found('reports/b/x.csv')];
    expect((await refusal({ objects: twins })).reason).toBe(
      '"reports/b/x.csv" and another file would both become "/incoming/x.csv".',
    );
  });

  it('meets two files that the destination would call the same', async () => {
    const outcome = await refusal({
      destination: 'dated-ftp',
      objects: [dated('reports/x.csv'), dated('reports/x.txt')],
    });
    expect(outcome.reason).toMatch(/"reports\/x.txt" and another file would both become "\/dated\/x_2026/);
  });
});
