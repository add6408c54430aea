import { expect, it } from 'vitest';
import { FerryError } from '../core/errors.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { createGate } from '../test/support/memory-ends.ts';
import { plannedObject } from '../test/support/transfers.ts';
import { createWorkerRig } from '../test/support/worker-rig.ts';
import { type Names, takeName } from './final-name.ts';
import type { Target } from './target.ts';

const db = useDynamoDb();

const fresh = (existing: Names['existing']): Names => ({
  existing,
  chosen: new Set(),
  planned: new Set(['/in/a.csv']),
});

it('gives two that ask at the same time two names', async () => {
  const names = fresh('rename');
  const gate = createGate();
  const slow = async (path: string) => {
    await gate.pass();
    return path === '/in/a.csv' ? 3 : undefined;
  };
  const both = Promise.all([takeName(names, '/in/a.csv', slow), takeName(names, '/in/a.csv', slow)]);
  gate.open();
  expect((await both).toSorted()).toEqual(['/in/a (1).csv', '/in/a (2).csv']);
  expect([...names.chosen].toSorted()).toEqual(['/in/a (1).csv', '/in/a (2).csv']);
});

it('gives back what it could not have', async () => {
  const names = fresh('refuse');
  await expect(takeName(names, '/in/a.csv', async () => 3)).rejects.toMatchObject({ code: 'target_exists' });
  const away = new FerryError('target_unreachable', { retryable: true, userMessage: 'away' });
  await expect(takeName(names, '/in/a.csv', () => Promise.reject(away))).rejects.toBe(away);
  expect(names.chosen.size).toBe(0);
});

it('numbers no file into the name that another one is planned to have', async () => {
  const rig = createWorkerRig(db);
  const first = plannedObject(0, { size: 2_000, targetPath: '/incoming/a.csv' });
  const second = plannedObject(1, { size: 3_000, targetPath: '/incoming/a (1).csv' });
  rig.target.files.set('/incoming/a.csv', Buffer.from('old'));
  const gate = createGate();
  rig.source.gates.set(second.key, gate);
  // The second one, whose name it is, comes last.
  rig.target.before = (command) => {
    if (/^RNTO .*-0-1\.part /.test(command)) gate.open();
  };
  const transfer = await rig.queued([first, second], { existing: 'rename' });
  expect(await rig.run(transfer)).toBe('completed');
  expect(Object.fromEntries([...rig.target.files].map(([path, { length }]) => [path, length]))).toEqual({
    '/incoming/a.csv': 3,
    '/incoming/a (1).csv': 3_000,
    '/incoming/a (2).csv': 2_000,
  });
});
it('looks anew whether the name is free when comparing the content took its time', async () => {
  const rig = createWorkerRig(db);
  const slowOne = plannedObject(0, { size: 2_000, targetPath: '/incoming/same.csv' });
  const quickOne = plannedObject(0, { size: 3_000, targetPath: '/incoming/same.csv' });
  const [slow, quick] = [await rig.queued([slowOne]), await rig.queued([quickOne])];
  const gate = createGate();
  const comparing: Target = {
    async connect(signal) {
      const session = await rig.target.connect(signal);
      return {
        ...session,
        async store(...order) {
          const stored = await session.store(...order);
          // Both sizes are known; now the server reckons the checksum of a large file.
          await gate.pass();
          return { ...stored, contentVerified: true };
        },
      };
    },
  };
  const running = rig.run(slow, { changes: { openTarget: () => comparing } });
  await gate.reached;
  expect(await rig.run(quick)).toBe('completed');
  gate.open();
  expect(await running).toBe('failed');
  expect((await rig.get(slow.transferId)).failure?.code).toBe('target_exists');
  expect(rig.target.files.get('/incoming/same.csv')?.length).toBe(3_000);
});
