/** Debian's proftpd with one user from a file, checksums on demand, and session reuse demanded over TLS. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startDaemon, type Tls } from './daemon.ts';
import type { Program } from './program.ts';

const USER = 'ferry';
const PASSWORD = 'correct horse';

/** @param options.settings further lines of `proftpd.conf` */
export function startProftpd(
  program: Program,
  options: { tls: Tls; settings?: readonly string[] },
): Promise<RunningServer> {
  return startDaemon({
    name: 'proftpd',
    program,
    user: USER,
    password: PASSWORD,
    tls: options.tls,
    seesWholeMachine: true,
    prepare({ folder, root, port, passive, certificate, tls }) {
      const modules = join(program.base, 'usr/lib/proftpd');
      const users = join(folder, 'users');
      const uid = process.getuid?.() ?? 0;
      const gid = process.getgid?.() ?? 0;
      const hash = execFileSync('openssl', ['passwd', '-6', PASSWORD], { encoding: 'utf8' }).trim();
      writeFileSync(users, `${USER}:${hash}:${uid}:${gid}::${root}:/bin/sh\n`, { mode: 0o600 });
      const secure = `
        LoadModule mod_tls.c
        TLSEngine on
        TLSProtocol TLSv1.2 TLSv1.3
        TLSRSACertificateFile ${certificate}
        TLSRSACertificateKeyFile ${certificate}
        TLSECCertificateFile ${certificate}
        TLSECCertificateKeyFile ${certificate}
        TLSVerifyClient off
        TLSRequired on
        TLSLog ${folder}/tls.log
        ${tls === 'implicit' ? 'TLSOptions UseImplicitSSL' : ''}`;
      const file = join(folder, 'proftpd.conf');
      writeFileSync(
        file,
        `ModulePath ${modules}
        LoadModule mod_digest.c
        ServerName fileferry
        ServerType standalone
        DefaultServer on
        DefaultAddress 127.0.0.1
        SocketBindTight on
        Port ${port}
        PassivePorts ${passive[0]} ${passive[1]}
        User ${userInfo().username}
        Group ${gid === 0 ? 'root' : gid}
        RootLogin on
        AuthOrder mod_auth_file.c
        AuthUserFile ${users}
        RequireValidShell off
        AllowOverwrite on
        AllowStoreRestart on
        DelayEngine off
        UseReverseDNS off
        UseIPv6 off
        WtmpLog off
        TransferLog none
        SystemLog ${folder}/system.log
        PidFile ${folder}/pid
        ScoreboardFile ${folder}/scoreboard
        ${tls === 'none' ? '' : secure}
        ${(options.settings ?? []).join('\n')}
        `,
      );
      return ['-n', '-q', '-c', file];
    },
  });
}
