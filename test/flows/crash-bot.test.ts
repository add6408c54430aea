/** The bot is killed at every kind of moment, and everything is delivered to it twice: what people asked for is done, once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Fits, nth, type Shipment, useGatedHouse } from '../support/gated-house.ts';
import { waitFor } from '../support/house.ts';
import type { Mention } from '../support/office.ts';

const PATIENCE_MS = 180_000;

const gated = useGatedHouse();

const asked =
  (name: string): Fits =>
  ({ what, phase }) =>
    phase === 'asked' && what.includes(name);
const answered =
  (name: string): Fits =>
  ({ what, phase }) =>
    phase === 'answered' && what.includes(name);
const storing =
  (words: string, phase: 'asked' | 'answered'): Fits =>
  (moment) =>
    moment.phase === phase && moment.what === 'PutItem' && moment.asked.includes(words);

/** Kills the bot while something is done to it, and starts another. */
async function crash<T>(fits: Fits, act: () => Promise<T>): Promise<T> {
  const result = await gated.killAt(gated.house.bot, fits, act);
  await gated.house.start('bot');
  return result;
}

/** Bob clicks; when Slack tells him that it failed, he clicks again. */
async function approveAll(shipments: readonly Shipment[], fits: Fits): Promise<void> {
  const click = (one: Shipment) => gated.office.approve('bob', one.asked);
  const statuses = await crash(fits, () => Promise.all(shipments.map(click)));
  const failed = shipments.filter((_, index) => statuses[index] !== 200);
  expect(await Promise.all(failed.map(click))).toEqual(failed.map(() => 200));
}

describe(
  'a bot that is killed after Ana asked',
  () => {
    const moments: Readonly<Record<string, () => Fits>> = {
      'when it is claimed, and Slack does not know': () => answered('PutItem'),
      'before the proposal is stored': () => storing('pending_approval', 'asked'),
      'when the proposal is stored': () => storing('pending_approval', 'answered'),
      'when one ticket is open, and the record does not know': () => answered('POST /api/now/table/incident'),
      'when the card is posted, and nobody knows': () => answered('chat.postMessage'),
    };
    const mentions = new Map<string, Mention & { readonly shipment: Omit<Shipment, 'asked'> }>();

    beforeAll(async () => {
      for (const [name, fits] of Object.entries(moments)) {
        const cargo = await gated.cargo();
        const mention = await crash(fits(), () => gated.office.mention('ana', cargo.sentence));
        if (!mention.acknowledged) expect(await mention.deliverAgain()).toBe(true);
        await gated.allTurnsDone();
        mentions.set(name, { ...mention, shipment: cargo });
      }
    }, PATIENCE_MS);

    it.each(Object.keys(moments))('%s: one proposal, one card, one file', async (name) => {
      const { root, shipment } = mentions.get(name) ?? expect.fail();
      const proposal = await gated.office.proposal(root);
      await gated.done(proposal.transferId, 'pending_approval', { withinMs: PATIENCE_MS });
      expect(gated.office.thread(root)).toHaveLength(1);
      expect(gated.ticketsOf(proposal.transferId)).toHaveLength(2);
      expect(await gated.office.approve('bob', proposal)).toBe(200);
      await gated.delivered({ ...shipment, asked: proposal });
    });
  },
  PATIENCE_MS,
);

describe(
  'a bot that is killed after Bob clicked',
  () => {
    const moments: Readonly<Record<string, () => Fits>> = {
      'when it is claimed, and Slack does not know': () => answered('PutItem'),
      'when the decision is stored': () => storing('"approved"', 'answered'),
      'before it is on the queue': () => asked('SendMessage'),
      'when it is on the queue, and the record does not know': () => answered('SendMessage'),
      'when a ticket is noted, and the record does not know': () => answered('PATCH'),
      'when a card is edited, and the record does not know': () => answered('chat.update'),
    };
    const single = new Map<string, Shipment>();
    /** Which of all moments of several clicks at once. */
    const SEEDS = [11, 37, 83];
    const AT_ONCE = 5;
    const several = new Map<number, Shipment[]>();

    beforeAll(async () => {
      // It would take a part of the bot's work from it, and the moment might not come.
      await gated.house.worker.stop();
      for (const [name, fits] of Object.entries(moments)) {
        const shipment = await gated.shipment();
        await approveAll([shipment], fits());
        await gated.allTurnsDone();
        single.set(name, shipment);
      }
      for (const seed of SEEDS) {
        const shipments = await Promise.all(Array.from({ length: AT_ONCE }, () => gated.shipment()));
        await approveAll(shipments, nth(seed));
        await gated.allTurnsDone();
        several.set(seed, shipments);
      }
      await gated.house.start('worker');
    }, PATIENCE_MS);

    it.each(Object.keys(moments))('%s: approved once, done once', async (name) => {
      await gated.delivered(single.get(name) ?? expect.fail());
    });

    it.each(SEEDS)(
      `on ${AT_ONCE} cards at once, at moment %i: each approved once, done once`,
      async (seed) => {
        for (const shipment of several.get(seed) ?? expect.fail()) await gated.delivered(shipment);
      },
    );
  },
  PATIENCE_MS,
);

describe(
  'deliveries and clicks without end',
  () => {
    it('does everything once when every event and every message comes twice or more', async () => {
      const { bot, worker } = gated.gates;
      const copies: string[] = [];
      const sendSchema = z.object({ MessageBody: z.string() });
      for (const gate of [bot.sqs, worker.sqs]) {
        gate.onMoment = ({ phase, what, bytes }) => {
          if (phase !== 'asked' || what !== 'SendMessage') return undefined;
          const { MessageBody } = sendSchema.parse(JSON.parse(bytes.toString().split('\r\n\r\n')[1] ?? ''));
          copies.push(MessageBody);
          void gated.sendMessage(MessageBody);
          return undefined;
        };
      }
      const shipments = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const cargo = await gated.cargo(300_000);
          const { root, deliverAgain } = await gated.office.mention('ana', cargo.sentence);
          await deliverAgain();
          const proposal = await gated.office.proposal(root);
          await deliverAgain();
          const clicks = [1, 2].map(() => gated.office.approve('bob', proposal, { at: `${root}1` }));
          expect(await Promise.all(clicks)).toEqual([200, 200]);
          return { ...cargo, asked: proposal };
        }),
      );
      for (const shipment of shipments) await gated.delivered(shipment);
      // Once more, when all is done.
      await Promise.all(copies.map((body) => gated.sendMessage(body)));
      const again = await Promise.all(shipments.map((one) => gated.delivered(one)));
      expect(copies.length).toBeGreaterThanOrEqual(shipments.length);
      for (const { attempt, steps } of again) expect([attempt, steps.stream.attempts]).toEqual([1, 1]);
      for (const gate of [bot.sqs, worker.sqs]) gate.onMoment = undefined;
    });

    it('lets exactly one of 200 clicks win that come at once to three bots', async () => {
      // Nobody dies here, and three bots, two hundred turns and a busy machine are slow at renewing what they hold.
      const patient = () => gated.house.start('bot', { LEASE_SECONDS: '60' });
      const bots = [await patient(), await patient(), await patient()];
      const shipment = await gated.shipment();
      const clicks = Array.from({ length: 200 }, (_, index) =>
        gated.office.approve(index % 2 ? 'bob' : 'cleo', shipment.asked, { url: bots[index % 3]?.url }),
      );
      expect(new Set(await Promise.all(clicks))).toEqual(new Set([200]));
      const { decision } = await gated.delivered(shipment);
      const loser = decision?.by.userId.endsWith('BOB') ? 'cleo' : 'bob';
      const told = await waitFor(
        'all who lost to be told',
        () => {
          const whispers = gated.office.whispers(shipment.asked.root, loser);
          return whispers.length >= 100 && whispers;
        },
        { withinMs: 60_000 },
      );
      expect(told).toHaveLength(100);
      for (const { text } of told) expect(text).toContain('already approved this');
    });
  },
  PATIENCE_MS,
);
