import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client, FTPError } from 'basic-ftp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalFtp, startFtp } from './ftp.ts';

let folder: string;
let ftp: LocalFtp;
const signalListeners = process.listenerCount('SIGTERM');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fileferry-ftp-'));
  ftp = await startFtp({ folder });
});
afterAll(async () => {
  await ftp.stop();
  await rm(folder, { recursive: true });
});

async function withClient<T>(work: (client: Client) => Promise<T>, password = ftp.password): Promise<T> {
  const client = new Client(5_000);
  try {
    await client.access({ host: ftp.host, port: ftp.port, user: ftp.user, password });
    return await work(client);
  } finally {
    client.close();
  }
}

it('keeps what is uploaded, renames it and tells its size', async () => {
  const bytes = randomBytes(3_000_000);
  await withClient(async (client) => {
    await client.ensureDir('/incoming');
    await client.uploadFrom(Readable.from([bytes]), '/incoming/.part-1');
    expect(await ftp.files()).toEqual(['/incoming/.part-1']);
    await client.rename('/incoming/.part-1', '/incoming/Umsatz ü.bin');
    expect(await client.size('/incoming/Umsatz ü.bin')).toBe(bytes.length);
  });
  expect(await ftp.files()).toEqual(['/incoming/Umsatz ü.bin']);
  expect((await ftp.read('/incoming/Umsatz ü.bin')).equals(bytes)).toBe(true);
});

it('serves several clients at once', async () => {
  const upload = (name: string) =>
    withClient((client) => client.uploadFrom(Readable.from([Buffer.from(name)]), `/${name}`));
  await Promise.all(['a.txt', 'b.txt', 'c.txt', 'd.txt'].map(upload));
  expect((await ftp.read('/c.txt')).toString()).toBe('c.txt');
  expect(await ftp.files()).toEqual(expect.arrayContaining(['/a.txt', '/b.txt', '/c.txt', '/d.txt']));
});

it('refuses a wrong password', async () => {
  const login = withClient(async () => undefined, 'guessed');
  await expect(login).rejects.toThrow(FTPError);
  await expect(login).rejects.toMatchObject({ code: 530 });
});

it('leaves the signals of the process alone', () => {
  expect(process.listenerCount('SIGTERM')).toBe(signalListeners);
});
