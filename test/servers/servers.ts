/** The FTP servers of the matrix: how each is started, and what it cannot do. */
import type { RunningServer, Tls } from './daemon.ts';
import { startEmbedded } from './embedded.ts';
import { startProftpd } from './proftpd.ts';
import { findProgram, findPythonModule, type Program } from './program.ts';
import { startPureFtpd } from './pure-ftpd.ts';
import { startPyftpdlib } from './pyftpdlib.ts';
import { startVsftpd } from './vsftpd.ts';

export type Cell =
  | 'store'
  | 'resume after cut'
  | 'rename over existing'
  | 'awkward names'
  | 'nested paths'
  | 'disk full'
  | 'permission denied'
  | 'login refused'
  | 'stall'
  | 'server killed mid-file'
  | 'control idle drop';

export interface Subject {
  readonly name: string;
  /** Or why it cannot be started here. */
  readonly start: (() => Promise<RunningServer>) | string;
  /** Whether only the program is missing, which `install.sh` can mend. */
  readonly missing?: boolean;
  /** Whether it goes on in the middle of a file, and does so rightly. */
  readonly resumes: boolean;
  /** What is verified there at the least, in words. */
  readonly verifies: string;
  /** A login that it refuses. */
  readonly wrongLogin: { readonly user?: string; readonly password?: string };
  /** Names that it silently changes or refuses. */
  readonly mangles?: RegExp;
  /** What a full disk may be taken for where its words do not say. */
  readonly callsFull?: readonly string[];
  /** Cells that cannot be, with their reasons. */
  readonly cannot?: Partial<Readonly<Record<Cell, string>>>;
}

const wrongPassword = { password: 'wrong horse' };

function installed(
  name: string,
  program: Program | undefined,
  start: (program: Program) => Promise<RunningServer>,
): Pick<Subject, 'start' | 'missing'> {
  if (program) return { start: () => start(program) };
  return { start: `${name} is not installed (test/servers/install.sh brings it)`, missing: true };
}

const tlsName: Readonly<Record<Tls, string>> = {
  none: 'plain',
  explicit: 'explicit TLS',
  implicit: 'implicit TLS',
};

const vsftpd = (tls: Tls): Subject => ({
  name: `vsftpd, ${tlsName[tls]}`,
  ...installed('vsftpd', findProgram('vsftpd'), (program) => startVsftpd(program, { tls })),
  resumes: true,
  verifies: 'size',
  // Its anonymous login takes any password, but no other user.
  wrongLogin: { user: 'nobody-we-know', password: 'wrong horse' },
});

const proftpd = (tls: Tls): Subject => ({
  name: `proftpd, ${tlsName[tls]}`,
  ...installed('proftpd', findProgram('proftpd'), (program) => startProftpd(program, { tls })),
  // "Input/output error" when the last write took some of its bytes.
  callsFull: ['target_full', 'target_refused'],
  resumes: true,
  verifies: 'by server',
  wrongLogin: wrongPassword,
});

const pureFtpd = (tls: Tls): Subject => ({
  name: `pure-ftpd, ${tlsName[tls]}`,
  ...(process.getuid?.() === 0
    ? installed('pure-ftpd', findProgram('pure-ftpd'), (program) => startPureFtpd(program, { tls }))
    : { start: 'only root can start pure-ftpd' }),
  // A blank at the end becomes an underscore, and backslashes are refused.
  mangles: / $|\\/,
  resumes: true,
  verifies: 'size',
  wrongLogin: wrongPassword,
});

const pyftpdlib: Subject = {
  name: 'pyftpdlib, plain',
  // 426 "None; transfer aborted.": the same as for a connection that was cut.
  callsFull: ['target_unreachable'],
  ...installed('pyftpdlib', findPythonModule('pyftpdlib'), startPyftpdlib),
  resumes: true,
  verifies: 'size',
  wrongLogin: wrongPassword,
};

const embedded: Subject = {
  name: 'embedded, plain',
  start: startEmbedded,
  // ftp-srv fills what was there with zeros; it is found out and sent anew.
  resumes: false,
  // It drops double quotes, and takes backslashes for slashes.
  mangles: /["\\]/,
  verifies: 'size',
  wrongLogin: wrongPassword,
};

export const SERVERS: readonly Subject[] = [
  embedded,
  { ...embedded, name: 'embedded, TLS', start: 'the embedded server is plain: the TLS of ftp-srv races' },
  vsftpd('none'),
  vsftpd('explicit'),
  vsftpd('implicit'),
  proftpd('none'),
  proftpd('explicit'),
  proftpd('implicit'),
  pureFtpd('none'),
  pureFtpd('explicit'),
  pyftpdlib,
  {
    ...pyftpdlib,
    name: 'pyftpdlib, TLS',
    start: 'it needs a module beside it that no release of Debian fits',
  },
];
