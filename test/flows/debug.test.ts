import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isSettled, cardsBehind, ticketsBehind } from '../../core/due-work.ts';
import { useGatedHouse } from '../support/gated-house.ts';
const gated = useGatedHouse();
it('plain', async () => {
  for (let n = 0; n < 6; n++) {
    await gated.put(`crash/f${n}`, randomBytes(2000));
    const asked = await gated.office.request('ana', `send s3://finance-exports/crash/f${n} to acme-ftp`);
    const t0 = Date.now();
    await gated.office.approve('bob', asked);
    const end = await gated.house.recordWith(asked.transferId, 'completed', (t) => t.status === 'completed');
    const t1 = Date.now();
    await delay(n < 3 ? 2000 : 0);
    const later = await gated.house.record(asked.transferId);
    console.log(n, t1 - t0, isSettled(later), cardsBehind(later), ticketsBehind(later), later.learned, JSON.stringify(later.settling), JSON.stringify(later.messages.map((m) => [m.role, m.shownThrough])), JSON.stringify(later.tickets), later.history.length);
    if (n < 3) continue;
    await gated.done(asked.transferId, 'completed', { withinMs: 40000 });
    console.log('settled after', Date.now() - t1);
  }
}, 200_000);
