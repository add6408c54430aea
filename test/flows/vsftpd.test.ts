/** The walk with Debian's vsftpd as the destination: plain, with TLS, and where the name is taken. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExistingPolicy } from '../../core/transfer.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { FTP_PASSWORD_VARIABLE } from '../../infra/local/world-policy.ts';
import type { RunningServer } from '../servers/daemon.ts';
import { startVsftpd } from '../servers/vsftpd.ts';
import { changePolicy, useHouse } from '../support/house.ts';
import { hasLocalSlack, requireOrSkip } from '../support/require.ts';

const vsftpd = requireOrSkip('vsftpd');
const openssl = requireOrSkip('openssl');

const BUCKET = 'finance-exports';
const FOLDER = 'reports/2026/Q3';

describe.skipIf(!vsftpd || !openssl || !hasLocalSlack())('the walk to vsftpd', () => {
  let plain: RunningServer;
  let secure: RunningServer;
  let authority: string;
  afterAll(() => Promise.all([plain?.stop(), secure?.stop()]));

  /** A destination per way to connect and per policy, each with a folder of its own. */
  async function prepare(stack: Stack): Promise<void> {
    plain = await startVsftpd(vsftpd ?? '', { tls: 'none' });
    secure = await startVsftpd(vsftpd ?? '', { tls: 'explicit' });
    authority = join(secure.root, '..', 'authority.pem');
    await writeFile(authority, secure.ca ?? '');
    await changePolicy(stack, ({ destinations, rules }) => {
      const add = (
        name: string,
        { port, root }: RunningServer,
        tls: 'none' | 'explicit',
        existing: ExistingPolicy,
      ) => {
        const login = { user: 'anonymous', password: `env:${FTP_PASSWORD_VARIABLE}` };
        destinations[name] = { host: '127.0.0.1', port, tls, ...login, folder: join(root, name), existing };
        rules[0]?.to.push(name);
      };
      add('over-tls', secure, 'explicit', 'refuse');
      for (const existing of ['refuse', 'overwrite', 'rename'] as const)
        add(`${existing}s`, plain, 'none', existing);
    });
  }
  const house = useHouse({ prepare, worker: () => ({ NODE_EXTRA_CA_CERTS: authority }) });

  const folderOf = (destination: string) =>
    join(destination === 'over-tls' ? secure.root : plain.root, destination);

  async function send(file: string, destination: string) {
    const asked = await house.requestTransfer(
      'ana',
      `send s3://${BUCKET}/${FOLDER}/${file} to ${destination}`,
    );
    await house.approve('bob', asked);
    return asked;
  }

  it.each([
    ['plain', 'refuses', 'raw.csv'],
    ['with TLS', 'over-tls', 'raw.csv'],
    ['with TLS and nothing in the file', 'over-tls', '_SUCCESS'],
  ])('delivers %s: the same bytes, and no temporary name left', async (_how, destination, file) => {
    const { transferId } = await send(file, destination);
    await house.settled(transferId, 'completed');
    const folder = folderOf(destination);
    const source = await house.stack.readObject(BUCKET, `${FOLDER}/${file}`);
    expect(source.equals(await readFile(join(folder, file)))).toBe(true);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  describe('where the name is taken', () => {
    const file = 'summary.xlsx';
    async function taken(destination: string) {
      const folder = folderOf(destination);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, file), 'was here first');
      const source = await house.stack.readObject(BUCKET, `${FOLDER}/${file}`);
      return { ...(await send(file, destination)), folder, source };
    }

    it('stops and leaves what is there', async () => {
      const { transferId, root, folder } = await taken('refuses');
      const { failure } = await house.settled(transferId, 'failed');
      expect(failure?.code).toBe('target_exists');
      expect(await readFile(join(folder, file), 'utf8')).toBe('was here first');
      expect((await readdir(folder)).sort()).toEqual(['raw.csv', file]);
      await house.reply(root, 'Failed', 'moved away, then press Retry');
    });

    it('replaces it', async () => {
      const { transferId, folder, source } = await taken('overwrites');
      await house.settled(transferId, 'completed');
      expect(source.equals(await readFile(join(folder, file)))).toBe(true);
      expect(await readdir(folder)).toEqual([file]);
    });

    it('numbers the new one and says so', async () => {
      const { transferId, root, folder, source } = await taken('renames');
      await house.settled(transferId, 'completed');
      expect(await readFile(join(folder, file), 'utf8')).toBe('was here first');
      expect(source.equals(await readFile(join(folder, 'summary (1).xlsx')))).toBe(true);
      expect(await readdir(folder)).toHaveLength(2);
      await house.reply(root, 'is on *renames*', 'summary (1).xlsx');
    });
  });
});
