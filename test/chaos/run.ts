/** The long round: `npm run chaos -- [--transfers 200] [--seed N]`. Ends with 1 when anything is wrong. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runRound } from './round.ts';

// Servers and workers are ended at the process's exit, which a signal alone would skip.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '15' },
  },
});
const { log, ...report } = await runRound({
  seed: Number(values.seed),
  transfers: Number(values.transfers),
  kills: Number.POSITIVE_INFINITY,
  killEveryMs: 12_000,
  largestBytes: 12 * 2 ** 20,
  withinMs: Number(values.minutes) * 60_000,
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
if (report.wrong.length > 0) {
  const file = join(tmpdir(), `fileferry-chaos-${report.seed}.log`);
  writeFileSync(file, log.join('\n'));
  process.stdout.write(`The workers' log is in ${file}\n`);
  process.exitCode = 1;
}
