/** Crash flows: services are killed at every kind of moment, and what people asked for is done, once. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Moment } from '../fakes/gate.ts';
import { type Party, useGatedHouse } from '../support/gated-house.ts';
import type { Asked } from '../support/office.ts';

/** Long enough for a dead process's turn, lease and lock to lapse, and for what is due to be looked for. */
const RECOVERY = { withinMs: 60_000 };

const gated = useGatedHouse();

let made = 0;
/** A new file in S3 and what its delivery is compared with. */
async function file(size = 2_000) {
  made += 1;
  const name = `crash-${String(made).padStart(3, '0')}.bin`;
  const bytes = randomBytes(size);
  await gated.put(`crash/${name}`, bytes);
  return {
    name,
    bytes,
    path: `/acme/${name}`,
    command: `send s3://finance-exports/crash/${name} to acme-ftp`,
  };
}

async function requested(size?: number) {
  const sent = await file(size);
  return { ...sent, asked: await gated.office.request('ana', sent.command) };
}
type Requested = Awaited<ReturnType<typeof requested>>;

const delivered = ({ asked, path, bytes }: Requested) => gated.expectDelivered(asked, path, bytes, RECOVERY);

/** Counts down over all moments that fit. */
function nth(count: number, fits: (moment: Moment, party: Party | 'ftp') => boolean = () => true) {
  let left = count;
  return (moment: Moment, party: Party | 'ftp') => {
    if (fits(moment, party)) left -= 1;
    return left <= 0;
  };
}

describe('a bot that is killed', () => {
  it('right after the click: approved once, done once', async () => {
    const moments: [string, (moment: Moment) => boolean][] = [
      [
        'the click is claimed, nobody knows',
        nth(1, ({ what, phase }) => what === 'PutItem' && phase === 'answered'),
      ],
      [
        'before the decision is written',
        nth(2, ({ what, phase }) => what === 'PutItem' && phase === 'asked'),
      ],
      [
        'the decision is written, nobody knows',
        nth(2, ({ what, phase }) => what === 'PutItem' && phase === 'answered'),
      ],
      ['before it is on the queue', ({ what, phase }) => what === 'SendMessage' && phase === 'asked'],
      [
        'it is on the queue, nobody knows',
        ({ what, phase }) => what === 'SendMessage' && phase === 'answered',
      ],
      [
        'a ticket is noted, nobody knows',
        ({ what, phase }) => what.startsWith('PATCH') && phase === 'answered',
      ],
      [
        'a card is edited, nobody knows',
        ({ what, phase }) => what.endsWith('chat.update') && phase === 'answered',
      ],
    ] as never;
    const all: Requested[] = [];
    for (const [, fits] of moments) {
      const one = await requested();
      all.push(one);
      const killed = gated.killAt(gated.house.bot, fits);
      const status = await gated.office.approve('bob', one.asked);
      await killed;
      await gated.house.start('bot');
      // Slack told Bob that his click failed: he tries again.
      if (status !== 200) expect(await gated.office.approve('bob', one.asked)).toBe(200);
    }
    for (const one of all) await delivered(one);
  }, 120_000);
});
