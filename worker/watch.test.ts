import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { wantedRoles } from '../core/due-work.ts';
import type { Transfer } from '../core/transfer.ts';
import { lastSeq } from '../core/transfer-state.ts';
import { NOON, proposal } from '../test/support/transfers.ts';
import { watchRun } from './watch.ts';

const MINUTE = 60_000;

const running = proposal({
  status: 'running',
  lease: { owner: 'worker-1', token: 1, expiresAt: NOON + 9_000 * MINUTE },
});
const ticket = { number: 'INC1', sysId: 'one', notedThrough: lastSeq(running), closed: false };
const told: Transfer = {
  ...running,
  tickets: { user: ticket, audit: ticket },
  messages: wantedRoles(running).map((role) => ({
    role,
    ref: { thread: running.thread, messageId: role },
    shownThrough: lastSeq(running),
  })),
};

/** A run of which the record stands as given; `look` ends with the look that sees this time. */
function watched(record: Transfer) {
  const clock = { now: NOON };
  const settled: number[] = [];
  let looks = 0;
  const write = async () => record;
  const watch = watchRun({
    lease: { transferId: record.transferId, token: 1, isFresh: () => true, write, release: write },
    store: {
      get: async () => {
        looks += 1;
        return record;
      },
    },
    settle: async () => void settled.push(clock.now - NOON),
    checkpoints: () => undefined,
    carry: (current) => current,
    stop: () => {},
    leaseMs: 9_000 * MINUTE,
    lookMs: 1,
    now: () => clock.now,
    log: pino({ level: 'silent' }),
  });
  return {
    watch,
    settled,
    async look(at: number) {
      clock.now = NOON + at;
      // The one that has begun may have seen an earlier time.
      const enough = looks + 2;
      while (looks < enough) await turn();
      await turn();
    },
  };
}

describe('while a run goes on', () => {
  it('tickets and thread that are behind are told every few minutes', async () => {
    const { watch, settled, look } = watched({ ...told, messages: [] });
    for (const minutes of [0, 4.9, 5, 6, 9.9, 10, 11]) await look(minutes * MINUTE);
    await watch.end();
    expect(settled).toEqual([5 * MINUTE, 10 * MINUTE]);
  });

  it('nobody is told who knows', async () => {
    const { watch, settled, look } = watched(told);
    for (const minutes of [5, 10, 60]) await look(minutes * MINUTE);
    await watch.end();
    expect(settled).toEqual([]);
  });
});
