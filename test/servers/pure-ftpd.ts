/** Debian's pure-ftpd with one virtual user; only root can start it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningServer, startDaemon, type Tls } from './daemon.ts';
import { findProgram, type Program } from './program.ts';

const USER = 'ferry';
const PASSWORD = 'correct horse';
/** `nobody`: unlike root it can be refused. */
const UID = '65534';

export function startPureFtpd(
  program: Program,
  options: { tls: Tls; parent?: string },
): Promise<RunningServer> {
  return startDaemon({
    name: 'pure-ftpd',
    program,
    user: USER,
    password: PASSWORD,
    tls: options.tls,
    parent: options.parent,
    prepare({ folder, root, port, passive, certificate, tls }) {
      const editor = findProgram('pure-pw');
      if (!editor) throw new Error('pure-pw is not there, which comes with pure-ftpd');
      const database = join(folder, 'users.pdb');
      const users = join(folder, 'users');
      // Not by `pure-pw useradd`: its way of hashing takes seconds at every login.
      const hash = execFileSync('openssl', ['passwd', '-6', PASSWORD], { encoding: 'utf8' }).trim();
      writeFileSync(users, `${USER}:${hash}:${UID}:${UID}::${root}/./${':'.repeat(12)}\n`);
      execFileSync(editor.path, ['mkdb', database, '-f', users], { env: editor.env, stdio: 'ignore' });
      return [
        ...['-S', `127.0.0.1,${port}`, '-p', `${passive[0]}:${passive[1]}`],
        // IPv4, no anonymous login, no host names, no system account, and all of this test's connections.
        ...['-4', '-E', '-H', '-u', '1', '-c', '50', '-C', '50'],
        ...['-l', `puredb:${database}`, '-g', join(folder, 'pid'), '-A'],
        // 2: nothing without TLS. From the first byte on is not offered.
        ...(tls === 'none' ? ['-Y', '0'] : ['-Y', '2', '-2', certificate]),
      ];
    },
  });
}
