/** Looks at records and files after a round of chaos for what must not be. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transfer } from '../../core/transfer.ts';
import { isEnded, isLeased } from '../../core/transfer-state.ts';
import type { WorkerRig } from '../support/worker-rig.ts';

/**
 * What must not be, in words.
 *
 * @param expected the content that has to be at each path, if anything is
 * @param root of the FTP server
 */
export async function findWrong(
  records: readonly Transfer[],
  rig: WorkerRig,
  expected: ReadonlyMap<string, Buffer>,
  root: string,
): Promise<string[]> {
  const wrong: string[] = [];
  const stored = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replace(/^\//, ''));
  const done = new Set<string>();
  for (const record of records) {
    const { transferId, status } = record;
    if (isLeased(record, Date.now())) wrong.push(`${transferId} is ${status}, and its lease is held`);
    const endings = record.history.filter(({ status: entered }) => entered && isEnded(entered));
    if (endings.length !== 1) wrong.push(`${transferId} ended ${endings.length} times`);
    if (record.failure?.code === 'target_exists') wrong.push(`${transferId} met its own file`);
    for await (const { progress, targetPath } of rig.objects.read(record)) {
      if (progress.state === 'done') done.add(targetPath);
      else if (status === 'completed') wrong.push(`${transferId} completed without ${targetPath}`);
      if (progress.state === 'done' && progress.finalPath !== targetPath) wrong.push(`${targetPath} twice`);
    }
  }
  for (const path of stored) {
    const content = expected.get(path);
    if (content === undefined) wrong.push(`left behind: ${path}`);
    else if (!readFileSync(join(root, path)).equals(content)) wrong.push(`not identical: ${path}`);
  }
  const there = new Set(stored);
  for (const path of expected.keys()) {
    const isDone = [...done].some((target) => target.endsWith(`/${path}`));
    if (isDone && !there.has(path)) wrong.push(`done, but not there: ${path}`);
  }
  return wrong;
}
