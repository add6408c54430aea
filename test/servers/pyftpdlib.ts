/** pyftpdlib of Debian's own Python: plain FTP with one user. */
import { join } from 'node:path';
import { type RunningServer, startDaemon } from './daemon.ts';
import type { Program } from './program.ts';

const USER = 'ferry';
const PASSWORD = 'correct horse';

export function startPyftpdlib(program: Program): Promise<RunningServer> {
  return startDaemon({
    name: 'pyftpdlib',
    program,
    user: USER,
    password: PASSWORD,
    tls: 'none',
    prepare: ({ root, port, passive }) => [
      join(import.meta.dirname, 'pyftpdlib-server.py'),
      ...[root, String(port), ...passive.map(String), USER, PASSWORD],
    ],
  });
}
