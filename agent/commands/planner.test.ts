/** Whole turns against a real S3 and DynamoDB: what is proposed, what is asked, what is refused, and for whom. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError } from '../../core/errors.ts';
import { transferIdFor } from '../../core/ids.ts';
import { createProposals } from '../../core/proposal.ts';
import { createS3Browse } from '../../core/s3-browse.ts';
import { createObjectStore, type ObjectStore } from '../../core/stores/object-store.ts';
import { createTransferStore, type TransferStore } from '../../core/stores/transfer-store.ts';
import type { Transfer } from '../../core/transfer.ts';
import { move } from '../../core/transfer-state.ts';
import {
  ana,
  type BrowsableS3,
  bob,
  cleo,
  person,
  policy,
  startBrowsableS3,
} from '../../test/support/browsing.ts';
import { useDynamoDb } from '../../test/support/dynamodb.ts';
import type { Planner, Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import { createCommandsPlanner } from './planner.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const THREAD: Turn['thread'] = {
  platform: 'slack',
  teamId: 'T01FERRY',
  channelId: 'C01OPS',
  threadTs: '1.1',
};
const BUCKET = 'finance-exports';

const db = useDynamoDb();
let s3: BrowsableS3;
let transfers: TransferStore;
let objects: ObjectStore;
let planner: Planner;
let deps: PlannerDeps;
let acted: string[];
let turns = 0;

beforeAll(async () => {
  s3 = await startBrowsableS3();
  await s3.put(BUCKET, 'reports/Q3 report.pdf', 'q3');
  await s3.put(BUCKET, 'reports/summary.csv', 'abc');
  await s3.put(BUCKET, 'reports/raw/a.csv', 'a');
  await s3.put(BUCKET, 'reports/raw/b.csv', 'bb');
  await s3.put(BUCKET, 'reports/raw/data[1].csv', 'ccc');
  await s3.put(BUCKET, 'reports/raw/', '');
  await s3.put(BUCKET, 'other/a.csv', 'a');
  await s3.put(BUCKET, 'empty.txt', '');
  await s3.put(BUCKET, 'cold/old.bin', 'x', 'DEEP_ARCHIVE');
  await s3.put(BUCKET, 'evil/a\r\nDELE b.csv', 'x');
  await s3.put(BUCKET, 'evil/../up.csv', 'x');
  for (let index = 0; index < 51; index++) await s3.put('finance-archive', `many/${index}.csv`);
  await s3.put('marketing-assets', 'public/logo.svg');
  await s3.put('marketing-assets', 'secret/plan.pdf');
}, 60_000);
afterAll(() => s3.stop());

beforeEach(() => {
  const now = () => NOON;
  const options = { client: db.documents, tablePrefix: db.prefix, now };
  transfers = createTransferStore(options);
  objects = createObjectStore(options);
  acted = [];
  const learning: PlannerDeps['learning'] = {
    forecast: async (destination) =>
      destination === 'acme-ftp'
        ? { seconds: 60, lowSeconds: 30, highSeconds: 200, successRate: 0.93, samples: 12 }
        : undefined,
  };
  deps = {
    policy,
    browse: createS3Browse({ policy, access: s3.access }),
    proposals: createProposals({ transfers, objects, learning, policy, now }),
    cancellation: {
      cancel: async (who, id) => {
        acted.push(`cancel ${id} by ${who.name}`);
        return { text: `${id} is withdrawn.` };
      },
    },
    retries: {
      retry: async (who, id) => {
        acted.push(`retry ${id} by ${who.name}`);
        return { text: `${id} is on the queue again.` };
      },
    },
    transfers: {
      transfersOf: (who, limit) => transfers.listByUser(who.userId, limit),
      transferFor: async (who, id) => {
        const transfer = await transfers.get(id);
        return transfer?.requester.userId === who.userId ? transfer : undefined;
      },
    },
    learning,
  };
  planner = createCommandsPlanner(deps);
});

function turnOf(text: string, who = ana): Turn {
  turns += 1;
  return {
    key: `turn-${turns}`,
    person: who,
    thread: THREAD,
    proposalThread: THREAD,
    command: false,
    text,
    at: NOON,
  };
}
const say = (text: string, who = ana): Promise<Reply> =>
  planner.plan(turnOf(text, who), new AbortController().signal);

/** The record that the sentence led to, and every path of its plan. */
async function proposed(
  text: string,
  who = ana,
): Promise<{ transfer: Transfer; paths: Record<string, string> }> {
  const reply = await say(text, who);
  if (reply.kind !== 'proposed') throw new Error(`${text}: ${JSON.stringify(reply)}`);
  const transfer = await transfers.get(reply.transferId);
  if (!transfer) throw new Error('no record');
  const paths: Record<string, string> = {};
  for await (const object of objects.read(transfer)) paths[object.key] = object.targetPath;
  return { transfer, paths };
}

/** What is asked, and what pressing each button would say. */
async function asked(text: string, who = ana): Promise<{ question: string; says: string[] }> {
  const reply = await say(text, who);
  if (reply.kind !== 'question') throw new Error(`${text}: ${JSON.stringify(reply)}`);
  return { question: reply.question, says: reply.choices.map((one) => one.text) };
}

async function refused(text: string, who = ana): Promise<string> {
  const before = (await transfers.listByUser(who.userId, 100)).length;
  const reply = await say(text, who);
  if (reply.kind !== 'refusal') throw new Error(`${text}: ${JSON.stringify(reply)}`);
  expect((await transfers.listByUser(who.userId, 100)).length).toBe(before);
  return `${reply.reason} ${reply.advice ?? ''}`.trim();
}

describe('send', () => {
  it('proposes one file, pinned and placed', async () => {
    const { transfer, paths } = await proposed(
      'please send "s3://finance-exports/reports/Q3 report.pdf" to Acme FTP',
    );
    expect(transfer).toMatchObject({
      status: 'pending_approval',
      requester: ana,
      thread: THREAD,
      plan: {
        bucket: BUCKET,
        selection: { kind: 'keys' },
        destination: 'acme-ftp',
        priority: 'normal',
        objectCount: 1,
        totalBytes: 2,
        preview: [{ key: 'reports/Q3 report.pdf', etag: expect.stringMatching(/^".+"$/) }],
      },
    });
    expect(paths).toEqual({ 'reports/Q3 report.pdf': '/in/Q3 report.pdf' });
  });

  it.each<[string, Record<string, string>]>([
    ['send empty.txt in finance-exports to acme', { 'empty.txt': '/in/empty.txt' }],
    ['send empty.txt in books to acme as none.txt', { 'empty.txt': '/in/none.txt' }],
    ['send finance-exports/empty.txt to acme', { 'empty.txt': '/in/empty.txt' }],
    ['send s3://finance-exports/empty.txt to acme under /in/q3', { 'empty.txt': '/in/q3/empty.txt' }],
    ['cp s3://finance-exports/empty.txt acme-ftp:/q3/', { 'empty.txt': '/in/q3/empty.txt' }],
    [
      'send empty.txt and reports/summary.csv in finance-exports to acme as q3',
      { 'empty.txt': '/in/q3/empty.txt', 'reports/summary.csv': '/in/q3/summary.csv' },
    ],
    [
      'send everything in s3://finance-exports/reports/raw to acme',
      {
        'reports/raw/a.csv': '/in/a.csv',
        'reports/raw/b.csv': '/in/b.csv',
        'reports/raw/data[1].csv': '/in/data[1].csv',
      },
    ],
    [
      'send s3://finance-exports/reports/**/*.csv to acme into folder x',
      {
        'reports/raw/a.csv': '/in/x/raw/a.csv',
        'reports/raw/b.csv': '/in/x/raw/b.csv',
        'reports/raw/data[1].csv': '/in/x/raw/data[1].csv',
        'reports/summary.csv': '/in/x/summary.csv',
      },
    ],
    [
      'send s3://finance-exports/reports/raw/data[1].csv to acme',
      { 'reports/raw/data[1].csv': '/in/data[1].csv' },
    ],
    ['send s3://marketing-assets/public/logo.svg to globex-ftp', { 'public/logo.svg': '/logo.svg' }],
  ])('%s', async (text, expected) => {
    expect((await proposed(text)).paths).toEqual(expected);
  });

  it('keeps the selection and the priority', async () => {
    const { transfer } = await proposed('send s3://finance-exports/reports/raw/*.csv to acme urgently');
    expect(transfer.plan).toMatchObject({
      selection: { kind: 'glob', pattern: 'reports/raw/*.csv' },
      priority: 'high',
      objectCount: 3,
    });
  });

  it('proposes once, however often the turn runs', async () => {
    const turn = turnOf('send s3://finance-exports/empty.txt to acme');
    const signal = new AbortController().signal;
    const first = await planner.plan(turn, signal);
    expect(first).toEqual({ kind: 'proposed', transferId: transferIdFor(turn.key, 0) });
    const without = createCommandsPlanner({
      ...deps,
      browse: createS3Browse({ policy, access: { forBrowse: () => Promise.reject(new Error('asked S3')) } }),
    });
    expect(await without.plan(turn, signal)).toEqual(first);
    expect(await planner.plan(turn, signal)).toEqual(first);
  });

  it('asks for what is missing, with sentences that complete it', async () => {
    expect(await asked('send s3://finance-exports/empty.txt as x.txt priority high')).toEqual({
      question: 'Where should it go?',
      says: ['acme-ftp', 'globex-ftp', 'globex-staging'].map(
        (name) => `send s3://finance-exports/empty.txt to ${name} as "x.txt" priority high`,
      ),
    });
    expect(await asked('send empty.txt to acme')).toMatchObject({
      question: 'Which bucket is it in?',
      says: expect.arrayContaining(['send s3://finance-exports/empty.txt to acme-ftp']),
    });
    expect((await asked('send it to acme')).question).toMatch(/Which file/);
    expect((await asked('send')).question).toMatch(/Where should it go/);
  });

  it('asks which one, where several fit', async () => {
    expect(await asked('send s3://finance-exports/empty.txt to globex')).toEqual({
      question: 'Which destination do you mean by "globex"?',
      says: [
        'send s3://finance-exports/empty.txt to globex-ftp',
        'send s3://finance-exports/empty.txt to globex-staging',
      ],
    });
    expect(await asked('send empty.txt in the finance bucket to acme')).toMatchObject({
      question: expect.stringContaining('Which bucket'),
      says: [
        'send s3://finance-archive/empty.txt to acme-ftp',
        'send s3://finance-exports/empty.txt to acme-ftp',
      ],
    });
  });

  it('offers the nearest for what it does not know, and never more than the person may use', async () => {
    expect((await asked('send s3://finance-exports/empty.txt to acme-fpt')).says).toEqual([
      'send s3://finance-exports/empty.txt to acme-ftp',
    ]);
    expect((await asked('send s3://finance-export/empty.txt to acme')).says).toContain(
      'send s3://finance-exports/empty.txt to acme-ftp',
    );
    const secret = await asked('send s3://finance-exports/empty.txt to secret-ftp');
    expect(secret.says.join()).not.toContain('to secret-ftp');
    expect((await asked('send s3://hr-payroll/x.csv to acme')).says.join()).not.toContain('hr-payroll');
    expect(
      (await asked('send s3://finance-exports/empty.txt to ftp://evil.example.net/in')).question,
    ).toMatch(/not a registered destination/);
  });

  it('offers files for a key that is not there, and folders for a folder', async () => {
    expect(await asked('send s3://finance-exports/reports/sumary.csv to acme')).toEqual({
      question: 'There is no file "reports/sumary.csv" in finance-exports. Did you mean this?',
      says: expect.arrayContaining(['send s3://finance-exports/reports/summary.csv to acme-ftp']),
    });
    expect((await asked('send s3://finance-exports/reports/raw to acme')).says[0]).toBe(
      'send s3://finance-exports/reports/raw/ to acme-ftp',
    );
    expect((await asked('send the Q3 report from finance-exports to acme')).says[0]).toBe(
      'send "s3://finance-exports/reports/Q3 report.pdf" to acme-ftp',
    );
    expect((await asked('send empty.txt and reports/sumary.csv in finance-exports to acme')).says[0]).toBe(
      'send s3://finance-exports/empty.txt, s3://finance-exports/reports/summary.csv to acme-ftp',
    );
  });

  it('finds, when the button is pressed, what it offered', async () => {
    const { says } = await asked('send the Q3 report from finance-exports to acme as x/');
    expect((await proposed(says[0] ?? '')).paths).toEqual({ 'reports/Q3 report.pdf': '/in/x/Q3 report.pdf' });
  });

  it.each<[string, RegExp]>([
    ['send s3://finance-exports/zebra.bin to acme', /no file "zebra\.bin"/],
    ['send s3://finance-exports/zebra/ to acme', /nothing matched/],
    ['send s3://finance-exports/zebra/*.csv to acme', /nothing matched/],
    ['send s3://finance-exports/a/../b.csv to acme', /"\.\."/],
    ['send s3://finance-exports/a%0D%0ADELE%20b to acme', /control characters/],
    ['send s3://finance-exports/a\u202Eb.csv to acme', /order of the text/],
    [`send s3://finance-exports/${'é'.repeat(600)} to acme`, /1200 bytes/],
    ['send s3://finance-exports/empty.txt to acme as ../x', /"\.\."/],
    ['send s3://finance-exports/empty.txt to acme as "a\r\nDELE b"', /control characters/],
    ['send s3://finance-exports/empty.txt to acme as a\\b', /backslash/],
    ['send s3://finance-exports/evil/a* to acme', /control characters.*narrower pattern/],
    ['send s3://finance-exports/evil/ to acme', /"\.\."/],
    ['send s3://finance-exports/evil/../up.csv to acme', /"\.\."/],
    ['send s3://finance-exports/cold/old.bin to acme', /archived \(DEEP_ARCHIVE\).*restored/],
    ['send s3://finance-exports/cold/ to acme', /archived/],
    ['send other/a.csv and reports/raw/a.csv in finance-exports to acme', /both become \/in\/a\.csv/],
    ['send s3://finance-archive/many/ to acme', /more than 50 files/],
    ['send s3://marketing-assets/secret/plan.pdf to acme', /may not send/],
    ['send s3://marketing-assets/ to acme', /may not send/],
    ['send s3://finance-exports/a.csv and s3://finance-archive/b.csv to acme', /one bucket/],
    ['send s3://finance-exports/a/ and s3://finance-exports/b/ to acme', /one folder, or one pattern/],
    ['send https://finance-exports.s3.amazonaws.com/empty.txt?versionId=1 to acme', /current version/],
    [`send "s3://finance-exports/${'{a,b}'.repeat(9)}" to acme`, /64 patterns/],
  ])('refuses %j', async (text, reason) => {
    expect(await refused(text)).toMatch(reason);
    expect(s3.open()).toBe(0);
  });

  it('refuses people, whatever they say', async () => {
    expect(await refused('send s3://finance-exports/empty.txt to acme', cleo)).toMatch(/may not send/);
    const guest = person('Ana', { standing: 'guest' });
    for (const text of [
      'help',
      'list buckets',
      'my transfers',
      'send s3://finance-exports/empty.txt to acme',
    ]) {
      expect(await refused(text, guest)).toMatch(/not open to guest/);
    }
  });

  it('proposes nothing where nobody could approve it', async () => {
    const noApproval = { reason: 'Nobody there could.', advice: 'Please ask elsewhere.' };
    const turn = {
      ...turnOf('send s3://finance-exports/empty.txt to acme'),
      proposalThread: undefined,
      noApproval,
    };
    expect(await planner.plan(turn, new AbortController().signal)).toMatchObject({
      kind: 'refusal',
      ...noApproval,
    });
    expect(await transfers.get(transferIdFor(turn.key, 0))).toBeUndefined();
  });

  it('stops with the turn', async () => {
    await expect(planner.plan(turnOf('help'), AbortSignal.abort())).rejects.toThrow();
  });

  it('leaves faults to its caller', async () => {
    const down = new FerryError('unavailable', { userMessage: 'S3 cannot be reached.', retryable: true });
    const broken = createCommandsPlanner({
      ...deps,
      browse: createS3Browse({ policy, access: { forBrowse: () => Promise.reject(down) } }),
    });
    for (const text of ['empty.txt', 'reports/']) {
      const turn = turnOf(`send s3://finance-exports/${text} to acme`);
      await expect(broken.plan(turn, new AbortController().signal)).rejects.toBe(down);
    }
  });
});

describe('decisions', () => {
  it.each(['approve TRF-0000000000', 'yes', 'ok go ahead', 'I approve', 'reject TRF-0000000000'])(
    '%s decides nothing and points at the button',
    async (text) => {
      const { transfer } = await proposed('send s3://finance-exports/empty.txt to acme');
      expect(await refused(text.replace('TRF-0000000000', transfer.transferId), bob)).toMatch(
        /nothing was changed.* presses (Approve|Reject) on/,
      );
      expect(await transfers.get(transfer.transferId)).toEqual(transfer);
    },
  );
});

describe('looking around', () => {
  it('lists buckets and destinations that the person may use', async () => {
    expect(await say('list buckets')).toMatchObject({
      kind: 'list',
      items: [
        { name: 'finance-archive' },
        { name: BUCKET, detail: 'Reports of the finance team' },
        { name: 'marketing-assets', detail: 'only public/' },
      ],
    });
    expect(await say('list buckets with "archive" in the name')).toMatchObject({
      items: [{ name: 'finance-archive' }],
    });
    expect(await say('destinations')).toMatchObject({
      items: [
        { name: 'acme-ftp', detail: 'also called acme' },
        { name: 'globex-ftp', detail: 'Globex, Springfield' },
        { name: 'globex-staging' },
      ],
    });
    expect(await refused('destinations', cleo)).toMatch(/may not send/);
    expect(await refused('list buckets', cleo)).toMatch(/may not read/);
  });

  it('lists objects', async () => {
    expect(await say('ls s3://finance-exports/reports/')).toEqual({
      kind: 'list',
      title: 's3://finance-exports/reports/',
      items: [
        { name: 'reports/raw/' },
        { name: 'reports/Q3 report.pdf', detail: expect.stringMatching(/^2 bytes · 20\d\d-.* UTC$/) },
        { name: 'reports/summary.csv', detail: expect.stringMatching(/^3 bytes/) },
      ],
    });
    expect(await say('ls finance-exports/cold/')).toMatchObject({
      items: [{ name: 'cold/old.bin', detail: expect.stringMatching(/archived$/) }],
    });
    expect(await say('ls *.txt in books')).toMatchObject({ items: [{ name: 'empty.txt' }] });
    expect(await say('ls marketing assets')).toMatchObject({ items: [{ name: 'public/' }] });
    expect(await say('ls finance-archive/many/')).toMatchObject({ more: expect.stringContaining('25') });
    expect(await say('ls s3://finance-exports/nothing/')).toMatchObject({ kind: 'answer' });
    expect(await refused('ls s3://marketing-assets/secret/')).toMatch(/may not read/);
    expect((await asked('ls s3://hr-payroll/')).says.join()).not.toContain('hr-payroll');
  });

  it('tells about files', async () => {
    expect(await say('info s3://finance-exports/reports/Q3 report.pdf')).toMatchObject({
      kind: 'list',
      title: 's3://finance-exports/reports/Q3 report.pdf',
      items: expect.arrayContaining([{ name: 'Size', detail: '2 bytes (2 bytes)' }]),
    });
    expect(await say('info s3://finance-exports/cold/old.bin')).toMatchObject({
      items: expect.arrayContaining([{ name: 'Storage class', detail: expect.stringContaining('archived') }]),
    });
    expect((await asked('info s3://finance-exports/reports/sumary.csv')).says).toContain(
      'info s3://finance-exports/reports/summary.csv',
    );
  });

  it('predicts', async () => {
    expect(await say('predict s3://finance-exports/reports/raw/ to acme')).toEqual({
      kind: 'answer',
      text: '3 files (6 bytes) to acme-ftp: about 60 seconds, most likely between 30 seconds and 3 minutes. 93 % of such transfers succeed (12 so far).',
    });
    expect(await say('predict 5 GB to acme')).toMatchObject({
      text: expect.stringContaining('5 GB to acme-ftp'),
    });
    expect(await say('predict s3://finance-exports/empty.txt to globex-ftp')).toMatchObject({
      text: expect.stringContaining('cannot say'),
    });
    expect((await asked('predict s3://finance-exports/empty.txt')).says[0]).toBe(
      'predict s3://finance-exports/empty.txt to acme-ftp',
    );
    expect(await refused('predict s3://finance-archive/many/ to acme')).toMatch(/more than 50/);
  });

  it('helps, greets, and says when it does not understand', async () => {
    expect(await say('help')).toEqual({ kind: 'help' });
    expect(await say('hello!')).toMatchObject({ kind: 'answer' });
    expect(await refused('tell me a joke\u202E')).toBe(
      'I did not understand "tell me a joke". Try "send s3://bucket/file.csv to destination", "my transfers" or "help".',
    );
  });
});

describe('following transfers', () => {
  /** A person of the test's own, so that their list holds nothing else. */
  let dan = ana;
  let people = 0;
  let first: Transfer;
  let second: Transfer;
  const shownTo = async (text: string, who = dan) => {
    const reply = await say(text, who);
    return reply.kind === 'transfers' ? reply.transferIds : reply;
  };

  beforeEach(async () => {
    people += 1;
    dan = person(`Dan${people}`);
    const own = async (text: string, at: number) => {
      const { transfer } = await proposed(text);
      const mine = {
        ...transfer,
        transferId: transferIdFor(`${dan.userId} ${at}`),
        requester: dan,
        createdAt: NOON + at,
      };
      await transfers.create(mine);
      return mine;
    };
    first = await own('send s3://finance-exports/empty.txt to acme', 1);
    second = await own('send s3://finance-exports/reports/summary.csv to acme', 2);
  });

  it('finds them by id, by file and without either', async () => {
    expect(await shownTo(`status ${first.transferId.toLowerCase()}`)).toEqual([first.transferId]);
    expect(await shownTo('status SUMMARY.csv')).toEqual([second.transferId]);
    expect(await shownTo('where is the summary file?')).toEqual([second.transferId]);
    expect(await shownTo('where is my transfer?')).toEqual([second.transferId, first.transferId]);
    expect(await shownTo('my transfers')).toEqual([second.transferId, first.transferId]);
    expect(await shownTo('history')).toEqual([second.transferId, first.transferId]);
    expect(await shownTo('status zebra')).toEqual([]);
  });

  it('shows the latest when nothing is under way', async () => {
    for (const { transferId } of [first, second]) {
      await transfers.change(transferId, (current) => ({
        next: move(current, 'rejected', { at: NOON, by: bob.userId, text: 'No.' }),
        result: undefined,
      }));
    }
    expect(await shownTo('where is my transfer?')).toEqual([second.transferId]);
    expect(await say('cancel', dan)).toEqual({
      kind: 'answer',
      text: 'None of your transfers can be cancelled now.',
    });
  });

  it('does not tell a stranger that there is such an id', async () => {
    const absent = await refused('status TRF-0000000000');
    const anothers = await refused(`status ${first.transferId}`);
    expect(anothers).toBe(absent.replace('TRF-0000000000', first.transferId));
    expect(absent).toContain('no transfer TRF-0000000000 that you may see');
  });

  it('cancels and retries in the name of the asker', async () => {
    expect(await say(`cancel ${first.transferId}, trf-1 and ${second.transferId}`, dan)).toEqual({
      kind: 'answer',
      text: `${first.transferId} is withdrawn.\n${second.transferId} is withdrawn.`,
    });
    expect(await say('cancel trf-12345', dan)).toMatchObject({ text: 'There is no transfer TRF-12345.' });
    expect(await say(`retry ${first.transferId}`, dan)).toMatchObject({ kind: 'answer' });
    expect(acted).toEqual([
      `cancel ${first.transferId} by ${dan.name}`,
      `cancel ${second.transferId} by ${dan.name}`,
      `retry ${first.transferId} by ${dan.name}`,
    ]);
  });

  it('asks which one, when none is named', async () => {
    expect((await asked('cancel', dan)).says).toEqual([
      `cancel ${second.transferId}`,
      `cancel ${first.transferId}`,
    ]);
    expect(await say('retry', dan)).toEqual({ kind: 'answer', text: 'None of your transfers has failed.' });
  });
});
