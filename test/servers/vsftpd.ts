/** Debian's vsftpd for one test file: own folder, own port, plain or with explicit TLS. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface RunningVsftpd {
  readonly port: number;
  /** The folder that is served; FTP paths are paths of the machine. */
  readonly root: string;
  /** The authority to trust, in PEM; with TLS only. */
  readonly ca?: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once the server takes connections. */
async function listening(port: number, alive: () => boolean): Promise<void> {
  while (alive()) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
  throw new Error('vsftpd did not start');
}

/** A certificate for 127.0.0.1 that is its own authority. */
function makeCertificate(folder: string): string {
  const file = join(folder, 'both.pem');
  const key = 'ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const name = '-subj /CN=vsftpd -addext subjectAltName=IP:127.0.0.1';
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      ...key.split(' '),
      ...name.split(' '),
      '-keyout',
      file,
      '-out',
      `${file}.crt`,
    ],
    { stdio: 'ignore' },
  );
  writeFileSync(file, readFileSync(file, 'utf8') + readFileSync(`${file}.crt`, 'utf8'));
  return file;
}

/**
 * Starts it with the user `anonymous` and any password: no account of the machine is needed.
 *
 * @param binary path of the program
 * @param settings further lines of `vsftpd.conf`
 */
export async function startVsftpd(
  binary: string,
  options: { tls: 'explicit' | 'none'; settings?: Readonly<Record<string, string | number>> },
): Promise<RunningVsftpd> {
  const folder = mkdtempSync(join(tmpdir(), 'vsftpd-'));
  const root = join(folder, 'root');
  const empty = join(folder, 'empty');
  mkdirSync(root);
  mkdirSync(empty);
  const port = await freePort();
  const certificate = options.tls === 'explicit' ? makeCertificate(folder) : undefined;
  const settings: Record<string, string | number> = {
    listen: 'YES',
    listen_address: '127.0.0.1',
    listen_port: port,
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
    utf8_filesystem: 'YES',
    ...(certificate
      ? {
          ssl_enable: 'YES',
          rsa_cert_file: certificate,
          allow_anon_ssl: 'YES',
          force_anon_logins_ssl: 'YES',
          force_anon_data_ssl: 'YES',
          require_ssl_reuse: 'YES',
        }
      : {}),
    ...options.settings,
  };
  const config = join(folder, 'vsftpd.conf');
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );

  const child = spawn(binary, [config], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  let running = true;
  const exited = once(child, 'exit').then(() => {
    running = false;
  });
  // Its own process group: one process per connection hangs below it.
  const kill = () => {
    if (running && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', kill);
  const stop = async () => {
    process.removeListener('exit', kill);
    kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening(port, () => running);
  } catch (error) {
    await stop();
    throw new Error(`${error}: ${said}`);
  }

  return {
    port,
    root,
    ...(certificate ? { ca: readFileSync(`${certificate}.crt`, 'utf8') } : {}),
    stop,
  };
}
