/** A short round of chaos with a fixed seed; `npm run chaos` runs the long one. */
import { expect, test } from 'vitest';
import { runRound } from './round.ts';

const SEED = 20_261_122;

test('a network that goes wrong and workers that are killed lose nothing and do nothing twice', async () => {
  const report = await runRound({
    seed: SEED,
    transfers: 12,
    kills: 3,
    killEveryMs: 2_000,
    largestBytes: 6 * 2 ** 20,
    withinMs: 60_000,
  });
  process.stdout.write(
    `chaos: seed ${report.seed}, ${report.completed} completed, ${report.failed} failed, ${report.kills} kills, ${report.seconds.toFixed(0)} s, faults ${JSON.stringify(report.faults)}\n`,
  );
  const told = { ...report, log: report.wrong.length > 0 ? report.log.slice(-60) : [] };
  expect(report.wrong, JSON.stringify(told, undefined, 1)).toEqual([]);
  expect(report.completed + report.failed).toBe(12);
  expect(report.kills).toBeGreaterThan(0);
}, 90_000);
