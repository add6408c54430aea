/** The local stack's own FTP server, in a process of its own so that it can be killed. */
import { join } from 'node:path';
import { type RunningServer, startDaemon } from './daemon.ts';

const USER = 'ferry';
const PASSWORD = 'correct horse';

export function startEmbedded(): Promise<RunningServer> {
  return startDaemon({
    name: 'embedded',
    program: { path: process.execPath, env: { PATH: '/usr/bin:/bin' }, base: '/' },
    user: USER,
    password: PASSWORD,
    tls: 'none',
    prepare: ({ root, port, passive }) => [
      join(import.meta.dirname, 'embedded-server.ts'),
      ...[root, String(port), ...passive.map(String), USER, PASSWORD],
    ],
  });
}
