/** Bad input: each request that cannot be done is answered with a sentence that helps, and leaves nothing half-done. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TABLE_PREFIX } from '../../infra/local/stack-environment.ts';
import { type FaultServer, startFaultServer } from '../fakes/ftp-fault-server.ts';
import { useGatedHouse } from '../support/gated-house.ts';
import { type Asked, textOf } from '../support/office.ts';

let partner: FaultServer;
afterAll(() => partner.stop());

const gated = useGatedHouse({
  async policy(file) {
    partner = await startFaultServer();
    const server = { ...file.destinations['acme-ftp'], port: 0, aliases: [] };
    const up = { ...server, port: gated.ftp.port };
    Object.assign(file.destinations, {
      'replacing-ftp': { ...up, folder: '/replacing', existing: 'overwrite' },
      'locked-ftp': { ...up, folder: '/locked', user: 'nobody' },
      'full-ftp': { ...server, folder: '/full', port: partner.port },
      'small-ftp': { ...up, folder: '/small' },
    });
    const rule = { request: ['requesters'], from: ['finance-exports'], approve: ['approvers'] };
    file.rules.push(
      { ...rule, to: ['replacing-ftp', 'locked-ftp', 'full-ftp'] },
      { ...rule, to: ['small-ftp'], maxBytes: '1 MB' },
    );
  },
});

const SUMMARY = 's3://finance-exports/reports/2026/Q3/summary.xlsx';

/** What requests leave behind, wherever they leave something. */
async function footprint() {
  const { Items = [] } = await gated.stack.documents.send(
    new ScanCommand({ TableName: `${TABLE_PREFIX}TransferRequests`, ProjectionExpression: 'transfer_id' }),
  );
  return {
    records: Items.map((item) => String(item.transfer_id)).filter((id) => /^TRF-[^/]+$/.test(id)).length,
    tickets: gated.stack.serviceNow.incidents().length,
    files: await gated.stack.ftp.files(),
  };
}

async function putTarget(path: string, text: string): Promise<void> {
  const file = join(gated.stack.ftp.folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

const approve = async (asked: Asked) => expect(await gated.office.approve('bob', asked)).toBe(200);

async function sendTo(destination: string, as: string): Promise<Asked> {
  const asked = await gated.office.request('ana', `send ${SUMMARY} to ${destination} as ${as}`);
  await approve(asked);
  return asked;
}

/** To a host that is down, which is tried again for most of a minute: meanwhile the others are asked for. */
let toNobody: Asked;
beforeAll(async () => {
  toNobody = await sendTo('offline-ftp', 'a.xlsx');
  await gated.allTurnsDone();
});

describe('a request that cannot be done', () => {
  let before: Awaited<ReturnType<typeof footprint>>;
  beforeEach(async () => {
    before = await footprint();
  });
  afterEach(async () => {
    await gated.allTurnsDone();
    expect(await footprint()).toEqual(before);
  });

  const send = (what: string, where = 'acme-ftp') => `send s3://${what} to ${where}`;
  const key = 'finance-exports/reports/2026/Q3/summary.xlsx';
  const archived = 'finance-exports-archive/reports/2019/Q3/q3-report-2019.pdf';
  const refusals: Readonly<Record<string, readonly [sentence: string, ...answer: string[]]>> = {
    'unknown bucket': [send('finance-exprots/a.csv'), 'There is no bucket', 'finance-exports'],
    'somebody else’s bucket': [send('legal-docs/contracts/acme-2026.pdf'), 'There is no bucket'],
    'unknown key': [send('finance-exports/no/such.csv'), 'There is no file', 'shows what is there'],
    'misspelt key': [send(key.replace('mm', 'm')), 'There is no file', 'summary.xlsx to acme-ftp'],
    'empty folder': [send('finance-exports/no/such/'), 'nothing matched'],
    'unknown destination': [send(key, 'acmee'), 'There is no destination', 'to acme-ftp'],
    'a host of their own': [send(key, 'ftp://ftp.example.com'), 'is not a registered destination'],
    'no rule for it': [send('marketing-assets/logos/fileferry.svg'), 'You may not send', 'no rule'],
    'too large for its rule': [
      send('finance-exports/reports/2026/Q3/raw.csv', 'small-ftp'),
      'more than 1 MB, the most that you may send to small-ftp',
    ],
    'too large together': [send('finance-exports/reports/', 'small-ftp'), 'more than 1 MB, the most'],
    archived: [send(archived), 'is archived (GLACIER)', 'Have it restored in S3 first'],
    '".." in the key': [send('finance-exports/reports/../a.csv'), 'S3 key has a', 'not allowed'],
    '".." in the path': [`${send(key)} as ../../etc/passwd`, 'target path has a', 'not allowed'],
    'CR and LF in the path': [`${send(key)} as "a\r\nDELE b"`, 'target path holds control characters'],
    'a control character in the key': [
      'send "s3://finance-exports/a\u0007.csv" to acme-ftp',
      'key holds control',
    ],
    '40,000 characters': [`send ${'x'.repeat(40_000)}`, 'longer than the 4000', 'Nothing was done'],
    'words that would approve': ['approve it', 'Words do not approve'],
  };
  it.each(Object.keys(refusals))('%s', async (name) => {
    const [sentence, ...words] = refusals[name] ?? expect.fail();
    const { answer } = await gated.office.ask('ana', sentence);
    for (const word of words) expect(textOf(answer)).toContain(word);
  });

  it('no permission at all', async () => {
    const { answer } = await gated.office.ask('eve', send(key));
    expect(textOf(answer)).toContain('You may not send files to any destination');
    expect(textOf(answer)).toContain('ask your FileFerry team for access');
  });

  it('an object of more than 5 TB', async () => {
    await gated.put('flows/huge.bin', Buffer.alloc(10));
    gated.gates.bot.s3.onMoment = ({ phase, what, bytes }) =>
      phase === 'answered' && what.startsWith('HEAD') && what.endsWith('huge.bin')
        ? Buffer.from(
            bytes.toString('latin1').replace(/content-length: 10/i, 'content-length: 6000000000000'),
            'latin1',
          )
        : undefined;
    const { answer } = await gated.office.ask('ana', 'send s3://finance-exports/flows/huge.bin to acme-ftp');
    gated.gates.bot.s3.onMoment = undefined;
    expect(textOf(answer)).toContain('larger than 5 TB');
  });
});

it('presses the nearest name, and that is what is sent', async () => {
  const { root, answer } = await gated.office.ask('ana', `send ${SUMMARY} to acmee`);
  const choice = gated.office.button(answer, 'choose');
  expect(await gated.office.press('ana', answer, choice)).toBe(200);
  const asked = await gated.office.proposal(root);
  expect(textOf(asked.card)).toContain('/acme/summary.xlsx');
});

describe('a button', () => {
  let asked: Asked;
  beforeAll(async () => {
    asked = await gated.office.request('ana', `send ${SUMMARY} to acme-ftp as buttons.xlsx`);
  });
  afterEach(async () => {
    await gated.allTurnsDone();
    const { status, history } = await gated.house.record(asked.transferId);
    expect([status, history.length]).toEqual(['pending_approval', 1]);
  });

  it.each([
    ['forged', '{"admin":true}', 'I do not know this button any more'],
    [
      'of a transfer that does not exist',
      '{"t":"TRF-0000000000","h":"0"}',
      'I do not know this button any more',
    ],
  ])('that is %s', async (_what, value, words) => {
    const button = { ...gated.office.button(asked.card, 'approve'), value };
    expect(await gated.office.press('bob', asked.card, button)).toBe(200);
    await gated.office.reply(asked.root, 'bob', words);
  });

  it('of a plan that is not the stored one', async () => {
    const button = gated.office.button(asked.card, 'approve');
    const stale = { ...button, value: JSON.stringify({ t: asked.transferId, h: 'f'.repeat(32) }) };
    expect(await gated.office.press('bob', asked.card, stale)).toBe(200);
    await gated.office.reply(asked.root, 'bob', 'has changed since this card was shown');
  });

  it.each([
    ['who asked', 'ana', 'approve', 'somebody else has to decide'],
    ['who may not decide', 'dan', 'approve', 'not among those who may approve'],
    ['who is nobody here', 'eve', 'cancel', 'Only the requester or an approver'],
  ] as const)('that is pressed by somebody %s', async (_what, as, actionId, words) => {
    expect(await gated.office.press(as, asked.card, actionId)).toBe(200);
    await gated.office.reply(asked.root, as, words);
  });
});

describe('what only the destination knows', { timeout: 120_000 }, () => {
  /** The outcome's text, once everybody was told. */
  async function failure(asked: Asked): Promise<string> {
    const { failure } = await gated.done(asked.transferId, 'failed', { withinMs: 90_000 });
    const outcome = gated.office.thread(asked.root).at(-1);
    expect(textOf(outcome ?? expect.fail())).toContain('What is safe:');
    expect(gated.ticketsOf(asked.transferId)).toHaveLength(2);
    expect(await gated.temporaryFiles(asked)).toEqual([]);
    return failure?.message ?? '';
  }
  const summary = () => gated.stack.readObject('finance-exports', 'reports/2026/Q3/summary.xlsx');

  it('a name that is taken: refused, and the file there stays', async () => {
    await putTarget('/acme/taken.xlsx', 'precious');
    const asked = await sendTo('acme-ftp', 'taken.xlsx');
    expect(await failure(asked)).toContain('/acme/taken.xlsx already exists at the destination');
    expect((await gated.stack.ftp.read('/acme/taken.xlsx')).toString()).toBe('precious');
  });

  it('a name that is taken, where files are replaced', async () => {
    await putTarget('/replacing/taken.xlsx', 'old');
    await gated.done((await sendTo('replacing-ftp', 'taken.xlsx')).transferId, 'completed');
    expect((await gated.stack.ftp.read('/replacing/taken.xlsx')).equals(await summary())).toBe(true);
  });

  it('a name that is taken, where files get a number', async () => {
    await putTarget('/partner/taken.xlsx', 'old');
    const asked = await sendTo('partner-ftp', 'taken.xlsx');
    await gated.done(asked.transferId, 'completed');
    expect((await gated.stack.ftp.read('/partner/taken.xlsx')).toString()).toBe('old');
    expect((await gated.stack.ftp.read('/partner/taken (1).xlsx')).equals(await summary())).toBe(true);
    await gated.office.reply(asked.root, 'ana', 'Delivered', '/partner/taken (1).xlsx');
  });

  it('a login that is refused', async () => {
    const asked = await sendTo('locked-ftp', 'a.xlsx');
    expect(await failure(asked)).toContain('answered 530');
    await gated.office.reply(asked.root, 'ana', 'Have the administrators check this destination’s login');
  });

  it('a full disk; after space was made, Retry delivers', async () => {
    partner.script = {
      store(upload) {
        upload.reply('150 Go ahead.');
        upload.reply('452 Insufficient storage space in system.');
      },
    };
    const asked = await sendTo('full-ftp', 'a.xlsx');
    expect(await failure(asked)).toContain('There is no room for the file');
    expect([...partner.files.keys()]).toEqual([]);
    const outcome = gated.office.thread(asked.root).at(-1) ?? expect.fail();
    partner.script = {};
    expect(await gated.office.press('ana', outcome, 'retry')).toBe(200);
    await gated.office.reply(asked.root, 'ana', 'is on the queue again, attempt 2');
    const { attempt } = await gated.done(asked.transferId, 'completed');
    expect(attempt).toBe(2);
    expect([...partner.files.keys()]).toEqual(['/full/a.xlsx']);
    expect(partner.files.get('/full/a.xlsx')?.equals(await summary())).toBe(true);
    expect(gated.ticketsOf(asked.transferId)).toHaveLength(2);
    const thread = gated.office.thread(asked.root);
    expect(thread.map(textOf).join()).toContain('Attempt 1 failed');
    expect(thread.flatMap((message) => gated.office.buttonsOf(message))).toEqual([]);
  });

  it('a file that changed after it was proposed: not sent, and no Retry', async () => {
    const cargo = await gated.cargo();
    const asked = await gated.office.request('ana', cargo.sentence);
    await gated.put(`flows/${cargo.name}`, Buffer.from('something else'));
    await approve(asked);
    expect(await failure(asked)).toContain('has changed since');
    expect(await gated.stack.ftp.files()).not.toContain(cargo.path);
    expect(gated.office.thread(asked.root).flatMap((one) => gated.office.buttonsOf(one))).toEqual([]);
  });

  it('an empty file is delivered', async () => {
    const asked = await gated.office.request(
      'ana',
      'send s3://finance-exports/reports/2026/Q3/_SUCCESS to acme-ftp',
    );
    await approve(asked);
    await gated.done(asked.transferId, 'completed');
    expect(await gated.stack.ftp.read('/acme/_SUCCESS')).toHaveLength(0);
  });

  it('a host that is down', async () => {
    expect(await failure(toNobody)).toContain('offline-ftp cannot be reached: nothing listens there');
  });
});
