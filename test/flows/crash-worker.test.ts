/** Workers are killed, stopped and doubled at every kind of moment: each file arrives whole, once, and is told once. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../infra/local/services.ts';
import { type Fits, type Shipment, useGatedHouse } from '../support/gated-house.ts';
import { waitFor } from '../support/house.ts';

const PATIENCE_MS = 180_000;
const SLOW = { bytesPerSecond: 400_000 } as const;

const gated = useGatedHouse();

/** The commands by which this file was sent. */
const uploadsOf = ({ asked }: Shipment) =>
  gated.ftp.seen.filter((line) => line.startsWith('STOR ') && line.includes(asked.transferId));

const approve = async (shipment: Shipment) => {
  expect(await gated.office.approve('bob', shipment.asked)).toBe(200);
};

/** Waits until a part of the file is on the server. */
function midFile({ asked }: Shipment): Promise<string> {
  const folder = join(gated.stack.ftp.folder, 'acme');
  return waitFor('a part of the file to be there', async () => {
    const names = await readdir(folder).catch(() => []);
    const part = names.find((name) => name.startsWith('.fileferry-') && name.includes(asked.transferId));
    return part !== undefined && (await stat(join(folder, part))).size > 100_000 && part;
  });
}

async function messageAgain({ asked }: Shipment): Promise<void> {
  const body = { v: 1, transferId: asked.transferId, attempt: 1, enqueuedAt: Date.now() };
  await gated.sendMessage(JSON.stringify(body));
}

describe(
  'a worker that is killed',
  () => {
    it('in mid-file: another one begins anew, and no temporary file is left', async () => {
      gated.stack.s3.setReadFault(SLOW);
      const shipment = await gated.shipment(1_500_000);
      await approve(shipment);
      const first = await midFile(shipment);
      await gated.house.worker.kill();
      await gated.house.start('worker');
      gated.stack.s3.setReadFault();
      const { steps } = await gated.delivered(shipment);
      expect(steps.stream.attempts).toBe(2);
      expect(uploadsOf(shipment)).toHaveLength(2);
      expect(await gated.temporaryFiles(shipment.asked)).toEqual([]);
      expect(gated.ftp.seen).toContain(`DELE /acme/${first}`);
    });

    it('after some of many files: those that arrived are not sent again', async () => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const bytes = Buffer.alloc(150_000, 7);
      for (const name of names) await gated.put(`many/${name}.bin`, bytes);
      gated.stack.s3.setReadFault(SLOW);
      const asked = await gated.office.request('ana', 'send s3://finance-exports/many/ to partner-ftp');
      const count = (verb: string) =>
        gated.ftp.seen.filter((line) => line.startsWith(verb) && line.includes('/partner/')).length;
      expect(await gated.office.approve('bob', asked)).toBe(200);
      await waitFor('three files', () => count('RNTO ') >= 3);
      await gated.house.worker.kill();
      await gated.house.start('worker');
      gated.stack.s3.setReadFault();
      const transfer = await gated.done(asked.transferId, 'completed', { withinMs: 60_000 });
      gated.expectToldOnce(transfer, asked);
      for (const name of names) {
        expect((await gated.stack.ftp.read(`/partner/${name}.bin`)).equals(bytes)).toBe(true);
      }
      // Two connections were at work when it died.
      expect(count('STOR ')).toBeLessThanOrEqual(names.length + 2);
      const there = await gated.stack.ftp.files();
      expect(there.filter((path) => path.startsWith('/partner/'))).toHaveLength(names.length);
    });

    const renaming =
      (phase: 'asked' | 'answered'): Fits =>
      (moment) =>
        moment.phase === phase && moment.what.startsWith('RNTO');
    const storing =
      (words: string): Fits =>
      ({ phase, what, asked }) =>
        phase === 'answered' && /^(PutItem|UpdateItem)$/.test(what) && asked.includes(words);
    const posted =
      (role: string): Fits =>
      ({ phase, what, asked }) =>
        phase === 'answered' && what.endsWith('chat.postMessage') && asked.includes(role);
    const moments: Readonly<Record<string, Fits>> = {
      'before the rename': renaming('asked'),
      'when it is renamed, and the record does not know': renaming('answered'),
      'when the file is noted as done': storing('"done"'),
      'when it is completed, and nobody was told': storing('"status":{"S":"completed"}'),
      'when the outcome is posted, and the record does not know': posted('outcome'),
    };
    const shipments = new Map<string, Shipment>();

    beforeAll(async () => {
      for (const name of Object.keys(moments)) shipments.set(name, await gated.shipment());
      for (const [name, fits] of Object.entries(moments)) {
        const shipment = shipments.get(name) ?? expect.fail();
        const { transferId } = shipment.asked;
        const concerns: Fits = ({ asked }) => asked.includes(transferId) || asked.includes(shipment.name);
        const both: Fits = (moment, party) => concerns(moment, party) && fits(moment, party);
        await gated.killAt(gated.house.worker, both, () => approve(shipment));
        await gated.house.start('worker');
      }
    }, PATIENCE_MS);

    it.each(Object.keys(moments))('%s: one file, right bytes, told once', async (name) => {
      const shipment = shipments.get(name) ?? expect.fail();
      await gated.delivered(shipment);
      expect(await gated.temporaryFiles(shipment.asked)).toEqual([]);
    });
  },
  PATIENCE_MS,
);

it(
  'a bot that died before the progress message was posted: it is posted while the file is sent',
  async () => {
    await gated.house.worker.stop();
    const shipment = await gated.shipment(2_400_000);
    const locking: Fits = ({ phase, what, asked }) =>
      phase === 'answered' &&
      what === 'PutItem' &&
      asked.includes('"settling"') &&
      asked.includes('"approved"');
    await gated.killAt(gated.house.bot, locking, () => approve(shipment));
    gated.stack.s3.setReadFault(SLOW);
    await gated.house.start('worker');
    await waitFor('the progress message', () => gated.office.thread(shipment.asked.root).length > 1, {
      withinMs: 60_000,
    });
    expect((await gated.house.record(shipment.asked.transferId)).status).toBe('running');
    await gated.house.start('bot');
    gated.stack.s3.setReadFault();
    await gated.delivered(shipment);
  },
  PATIENCE_MS,
);

describe(
  'two workers',
  () => {
    let both: readonly Service[];
    beforeAll(async () => {
      both = [gated.house.worker, await gated.house.start('worker')];
    });

    it('on the same messages: one streams', async () => {
      gated.stack.s3.setReadFault(SLOW);
      const all = await Promise.all(Array.from({ length: 4 }, () => gated.shipment(300_000)));
      await Promise.all(all.map(approve));
      for (let copy = 0; copy < 3; copy += 1) await Promise.all(all.map(messageAgain));
      for (const shipment of all) {
        const { history, steps } = await gated.delivered(shipment);
        expect(history.filter(({ text }) => text === 'Started.')).toHaveLength(1);
        expect(steps.stream.attempts).toBe(1);
        expect(uploadsOf(shipment)).toHaveLength(1);
      }
      gated.stack.s3.setReadFault();
    });

    it('of which one is stopped in mid-file: it ends with 0, the lease is free, and the other one finishes', async () => {
      gated.stack.s3.setReadFault(SLOW);
      const shipment = await gated.shipment(1_200_000);
      await approve(shipment);
      await midFile(shipment);
      const { lease } = await gated.house.record(shipment.asked.transferId);
      const one = both.find(({ pid }) => lease?.owner.split('/')[1] === String(pid)) ?? expect.fail();
      await one.stop();
      expect(await one.exited).toBe(0);
      gated.stack.s3.setReadFault();
      const transfer = await gated.delivered(shipment);
      expect(transfer.lease?.owner).not.toBe(lease?.owner);
    });
  },
  PATIENCE_MS,
);
