/** What operators and auditors see of one transfer on the whole house: its story, and its figures. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isSettled } from '../../core/due-work.ts';
import { METRICS } from '../../infra/schema/metrics.ts';
import { useHouse, waitFor } from '../support/house.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const house = useHouse();

const { names } = METRICS;

function audit(...args: string[]): Promise<{ code: number; out: string }> {
  const { accessKeyId, secretAccessKey } = house.stack.adminKey;
  const env = {
    PATH: process.env.PATH,
    ...house.stack.environmentForBot(),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const program = join(ROOT, 'infra/cloud/audit/main.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out: `${out}${err}` }),
    );
  });
}

it('a transfer leaves a whole story in the audit bucket, and its figures in the log', async () => {
  const requested = await house.requestTransfer(
    'ana',
    'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp',
  );
  const { transferId } = requested;
  await house.approve('bob', requested);
  await house.recordWith(transferId, 'settled', (it) => it.status === 'completed' && isSettled(it), {
    withinMs: 60_000,
  });

  const { code, out } = await audit(transferId, '--json');
  expect({ code, out }).toMatchObject({ code: 0 });
  const story = JSON.parse(out);
  expect(story).toMatchObject({ ok: true, record: 'agrees', faults: [] });
  const kinds = new Set(story.events.map(({ kind }: { kind: string }) => kind));
  expect([...kinds].sort()).toEqual(['decision', 'files', 'session', 'state', 'ticket']);
  expect((await audit(transferId)).out).toContain('✓ every link of the hash chain holds');
  const unknown = await audit('TRF-0000000000');
  expect(unknown).toMatchObject({ code: 2, out: expect.stringContaining('There is no story') });

  const root = await house.mention('ana', 'info s3://finance-exports/reports/2026/Q3/summary.xlsx');
  await house.reply(root, 'summary.xlsx');

  const measured = (name: string) => house.log.some((line) => line.msg === 'metrics' && name in line);
  for (const name of [
    names.requestDuration,
    names.requestCount,
    names.requestErrors,
    names.toolExecutionTime,
    names.transferSuccess,
    names.transferFailure,
    names.bytesTransferred,
    names.throughput,
    names.queueAge,
    names.s3CacheHitRate,
  ]) {
    await waitFor(`${name} in the log`, () => measured(name));
  }
});
