import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, type WriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FtpConnection } from 'ftp-srv';
import { afterAll, expect, it, vi } from 'vitest';
import { FtpDisk } from './ftp-disk.ts';

const root = mkdtempSync(join(tmpdir(), 'ftp-disk-'));
afterAll(() => rmSync(root, { recursive: true }));

async function brokenUpload(removedBefore: boolean): Promise<string> {
  const disk = new FtpDisk({} as FtpConnection, { root, cwd: '/' });
  const { stream } = disk.write('half.bin') as { stream: WriteStream };
  await once(stream, 'open');
  const path = join(root, 'half.bin');
  if (removedBefore) await unlink(path);
  // Awaited by hand: `once` would reject with the error that is on its way.
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  stream.destroy(new Error('the client is gone'));
  await closed;
  return path;
}

it('removes what a broken upload left', async () => {
  const path = await brokenUpload(false);
  await vi.waitFor(() => expect(existsSync(path)).toBe(false));
});

it('survives that the client had removed it before', async () => {
  const path = await brokenUpload(true);
  // An unhandled rejection would fail the run: time for the unlink to fail, and for that to be told.
  await unlink(path).catch(() => undefined);
  await new Promise(setImmediate);
  expect(existsSync(path)).toBe(false);
});
