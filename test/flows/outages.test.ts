/** Outages and second thoughts: whatever is down, and whoever changes their mind, nothing is lost, half-done or done twice. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nth, type Shipment, useGatedHouse } from '../support/gated-house.ts';
import { waitFor } from '../support/house.ts';
import { type Asked, textOf } from '../support/office.ts';

const SLOW = { bytesPerSecond: 300_000 } as const;
const PATIENCE_MS = 180_000;
const LONG = { withinMs: 90_000 };

const gated = useGatedHouse();

const approve = async ({ asked }: { readonly asked: Asked }) => {
  expect(await gated.office.approve('bob', asked)).toBe(200);
};
const shut = (...parties: ('serviceNow' | 'sqs' | 'dynamoDb')[]) => {
  for (const party of parties) {
    gated.gates.bot[party].shut();
    gated.gates.worker[party].shut();
  }
};
const uploadsOf = ({ asked }: Shipment) =>
  gated.ftp.seen.filter((line) => line.startsWith('STOR ') && line.includes(asked.transferId));
const underWay = (one: Shipment) => waitFor('the upload to begin', () => uploadsOf(one).length > 0);
const shown = ({ asked }: Shipment) => gated.office.thread(asked.root).map(textOf).join('\n');

afterEach(() => {
  gated.stack.s3.setReadFault();
  for (const gates of Object.values(gated.gates)) {
    for (const gate of Object.values(gates)) {
      gate.onMoment = undefined;
      gate.reopen();
    }
  }
});

it(
  'ServiceNow is down: what is under way arrives, nothing begins without both tickets, and all follow later',
  async () => {
    gated.stack.s3.setReadFault(SLOW);
    const early = await gated.shipment(600_000);
    await approve(early);
    await underWay(early);
    shut('serviceNow');
    const late = await gated.shipment();
    expect(textOf(late.asked.card)).toContain('they follow by themselves');
    await approve(late);
    await gated.office.reply(early.asked.root, 'ana', 'Delivered');
    expect(gated.ticketsOf(early.asked.transferId).map(({ state }) => state)).toEqual(['2', '2']);
    const words = 'ServiceNow cannot be reached, and nothing is sent without its tickets';
    await waitFor('the thread to say what it waits for', () => shown(late).includes(words), LONG);
    expect(uploadsOf(late)).toEqual([]);
    expect(gated.ticketsOf(late.asked.transferId)).toEqual([]);
    for (const gates of Object.values(gated.gates)) gates.serviceNow.reopen();
    await gated.delivered(early);
    await gated.delivered(late);
  },
  PATIENCE_MS,
);

describe('SQS is down at the approval', () => {
  it(
    'it stays approved and says so; when SQS is back, it is done',
    async () => {
      const one = await gated.shipment();
      shut('sqs');
      await approve(one);
      await gated.office.reply(one.asked.root, 'ana', 'Approved by', 'The transfer queue cannot be reached');
      expect((await gated.house.record(one.asked.transferId)).status).toBe('approved');
      for (const gates of Object.values(gated.gates)) gates.sqs.reopen();
      await gated.delivered(one);
      expect(shown(one)).not.toContain('cannot be reached');
    },
    PATIENCE_MS,
  );

  it(
    'and its message ends as a dead letter: thread and tickets are told, and Retry delivers',
    async () => {
      const one = await gated.shipment();
      gated.gates.bot.sqs.shut();
      await approve(one);
      await gated.office.reply(one.asked.root, 'ana', 'The transfer queue cannot be reached');
      const body = { v: 1, transferId: one.asked.transferId, attempt: 1, enqueuedAt: Date.now() };
      await gated.sendMessage(JSON.stringify(body), gated.stack.sqs.deadLetterQueueUrl);
      const outcome = await gated.office.reply(one.asked.root, 'ana', 'What happened', 'FileFerry gave up');
      await gated.done(one.asked.transferId, 'failed');
      for (const { state, notes } of gated.ticketsOf(one.asked.transferId)) {
        expect(['7', '8', '6']).toContain(state);
        expect(notes.join('\n')).toContain('gave up');
      }
      gated.gates.bot.sqs.reopen();
      expect(await gated.office.press('ana', outcome, 'retry')).toBe(200);
      await gated.done(one.asked.transferId, 'completed', LONG);
      expect((await gated.stack.ftp.read(one.path)).equals(one.bytes)).toBe(true);
    },
    PATIENCE_MS,
  );
});

describe('DynamoDB is down', () => {
  it(
    'when Ana asks: Slack is not told that it was taken, and delivers again',
    async () => {
      const cargo = await gated.cargo();
      shut('dynamoDb');
      const mention = await gated.office.mention('ana', cargo.sentence);
      expect(mention.acknowledged).toBe(false);
      for (const gates of Object.values(gated.gates)) gates.dynamoDb.reopen();
      expect(await mention.deliverAgain()).toBe(true);
      const asked = await gated.office.proposal(mention.root);
      await approve({ asked });
      await gated.delivered({ ...cargo, asked });
    },
    PATIENCE_MS,
  );

  it.each([
    ['the click is taken', 1],
    ['the decision is stored', 2],
  ])(
    'once %s: Bob is told, and it is done once',
    async (_when, writes) => {
      const one = await gated.shipment();
      const { dynamoDb } = gated.gates.bot;
      const isTime = nth(writes, ({ phase, what }) => phase === 'answered' && what === 'PutItem');
      let isDown = false;
      dynamoDb.onMoment = (moment) => {
        if (isDown) return 'cut';
        isDown = isTime(moment, 'dynamoDb');
        return undefined;
      };
      await approve(one);
      await gated.office.reply(one.asked.root, 'bob', 'cannot reach its database right now. Nothing is lost');
      dynamoDb.onMoment = undefined;
      await gated.allTurnsDone();
      // As he was asked to, where nothing has happened by itself.
      if ((await gated.house.record(one.asked.transferId)).status === 'pending_approval') await approve(one);
      const transfer = await gated.done(one.asked.transferId, 'completed', LONG);
      expect(transfer.history.filter(({ status }) => status === 'approved')).toHaveLength(1);
      expect((await gated.stack.ftp.read(one.path)).equals(one.bytes)).toBe(true);
    },
    PATIENCE_MS,
  );

  it(
    'for longer than a lease while it is sent: one file, told once',
    async () => {
      gated.stack.s3.setReadFault(SLOW);
      const one = await gated.shipment(1_500_000);
      await approve(one);
      await underWay(one);
      gated.gates.worker.dynamoDb.shut();
      await waitFor('the lease to lapse', () => gated.house.logged(/the lease lapsed|may have taken over/));
      gated.gates.worker.dynamoDb.reopen();
      gated.stack.s3.setReadFault();
      await gated.delivered(one);
      expect(await gated.temporaryFiles(one.asked)).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe('a cancellation', () => {
  const press = async (one: Shipment) => {
    const card = await waitFor('the message with Cancel', () =>
      gated.office
        .thread(one.asked.root)
        .find((message) => textOf(message).includes('Cancel') && message.ts !== one.asked.card.ts),
    );
    expect(await gated.office.press('ana', card, 'cancel')).toBe(200);
  };
  const cancelled = async (one: Shipment) => {
    const transfer = await gated.done(one.asked.transferId, 'cancelled');
    expect(gated.ticketsOf(one.asked.transferId)).toHaveLength(2);
    expect(await gated.stack.ftp.files()).not.toContain(one.path);
    expect(await gated.temporaryFiles(one.asked)).toEqual([]);
    await gated.office.reply(one.asked.root, 'ana', 'was cancelled by', 'No half file stands');
    expect(gated.office.thread(one.asked.root).flatMap((message) => gated.office.buttonsOf(message))).toEqual(
      [],
    );
    return transfer;
  };

  it(
    'while it is queued: nothing is ever sent',
    async () => {
      gated.gates.worker.sqs.shut();
      const one = await gated.shipment();
      await approve(one);
      await press(one);
      await cancelled(one);
      gated.gates.worker.sqs.reopen();
      expect(uploadsOf(one)).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'while it is sent: it stops at once, and the temporary file is gone',
    async () => {
      gated.stack.s3.setReadFault(SLOW);
      const one = await gated.shipment(3_000_000);
      await approve(one);
      await underWay(one);
      await press(one);
      const { cancelRequested, endedAt = Number.NaN } = await cancelled(one);
      // Two seconds are the promise; half a second is for this machine.
      expect(endedAt - (cancelRequested?.at ?? Number.NaN)).toBeLessThan(2_500);
      expect(uploadsOf(one)).toHaveLength(1);
    },
    PATIENCE_MS,
  );
});

it(
  'an approval that comes too late is refused, and everybody is told that it expired',
  async () => {
    const config = join(gated.stack.ftp.folder, '..', 'hasty.yaml');
    const policy = await readFile(gated.stack.configFile, 'utf8');
    await writeFile(config, policy.replace('expiresAfterHours: 24', 'expiresAfterHours: 0.0005'));
    await gated.house.start('bot', { FILEFERRY_CONFIG: config });
    const one = await gated.shipment();
    await gated.house.recordWith(one.asked.transferId, 'overdue', (it) => it.approvalExpiresAt <= Date.now());
    await approve(one);
    await gated.office.reply(one.asked.root, 'bob', 'This request expired', 'it can be asked for again');
    await gated.done(one.asked.transferId, 'expired');
    await gated.office.reply(one.asked.root, 'ana', 'nobody decided on sending', 'please ask again');
    expect(uploadsOf(one)).toEqual([]);
    expect(gated.ticketsOf(one.asked.transferId)).toHaveLength(2);
  },
  PATIENCE_MS,
);
