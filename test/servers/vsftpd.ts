/** Debian's vsftpd as any user of the machine: anonymous login, no change of its root. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningServer, startDaemon, type Tls } from './daemon.ts';
import type { Program } from './program.ts';

/**
 * Starts it with the user `anonymous` and any password: no account of the machine is needed.
 *
 * @param program or the path of an installed one
 * @param settings further lines of `vsftpd.conf`
 */
export function startVsftpd(
  program: Program | string,
  options: { tls: Tls; parent?: string; settings?: Readonly<Record<string, string | number>> },
): Promise<RunningServer> {
  return startDaemon({
    name: 'vsftpd',
    program: typeof program === 'string' ? { path: program, env: {}, base: '/' } : program,
    user: 'anonymous',
    password: 'ana@example.com',
    tls: options.tls,
    parent: options.parent,
    seesWholeMachine: true,
    prepare({ folder, root, port, passive, certificate, tls }) {
      const empty = join(folder, 'empty');
      mkdirSync(empty);
      const settings: Record<string, string | number> = {
        listen: 'YES',
        listen_address: '127.0.0.1',
        listen_port: port,
        pasv_min_port: passive[0],
        pasv_max_port: passive[1],
        background: 'NO',
        seccomp_sandbox: 'NO',
        secure_chroot_dir: empty,
        run_as_launching_user: 'YES',
        write_enable: 'YES',
        local_enable: 'NO',
        anonymous_enable: 'YES',
        no_anon_password: 'NO',
        anon_root: root,
        anon_upload_enable: 'YES',
        anon_mkdir_write_enable: 'YES',
        anon_other_write_enable: 'YES',
        anon_world_readable_only: 'NO',
        anon_umask: '022',
        mdtm_write: 'YES',
        utf8_filesystem: 'YES',
        ...(tls === 'none'
          ? {}
          : {
              ssl_enable: 'YES',
              rsa_cert_file: certificate,
              allow_anon_ssl: 'YES',
              force_anon_logins_ssl: 'YES',
              force_anon_data_ssl: 'YES',
              require_ssl_reuse: 'YES',
            }),
        ...(tls === 'implicit' ? { implicit_ssl: 'YES' } : {}),
        ...options.settings,
      };
      const file = join(folder, 'vsftpd.conf');
      writeFileSync(
        file,
        Object.entries(settings)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
      return [file];
    },
  });
}
