/** The target port over FTP: one logged-in connection that makes folders, stores, verifies and renames files. */
import type { FTPResponse } from 'basic-ftp';
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import type { Destination } from '../core/policy-config.ts';
import { connectFtp, type FtpConnection, type FtpConnectOptions } from './ftp-connection.ts';
import { checkPath, replyFault, translateFtpError, verificationFault } from './ftp-errors.ts';
import { type StoreTimes, storeFile } from './ftp-store.ts';
import type { Target, TargetSession } from './target.ts';

export interface FtpTargetOptions {
  /** For messages: the destination's name; its host where absent. */
  readonly name?: string;
  /** Certificate authorities in PEM that are trusted instead of Node's. */
  readonly ca?: string;
  /** In milliseconds; what is absent has its default. */
  readonly times?: Partial<StoreTimes & Pick<FtpConnectOptions, 'connectMs' | 'replyMs'>>;
}

const DEFAULT_TIMES = {
  connectMs: 30_000,
  replyMs: 30_000,
  stall: 60_000,
  finalReply: 600_000,
  reason: 3_000,
};

/**
 * The size in a 213 reply (RFC 3659, section 4), some of which have commentary behind the number. ftp-srv leaves
 * out a zero; reading "no number" as none is safe, because any other expected size then fails.
 */
const SIZE_REPLY = /^213(?:[ -]\s*(\d+)|\D*$)/;

/**
 * A target on an FTP server. A session does one thing at a time.
 *
 * @param password resolves the secret; asked for at every connection
 */
export function createFtpTarget(
  destination: Destination,
  password: () => Promise<string>,
  log: Logger,
  options: FtpTargetOptions = {},
): Target {
  const times = { ...DEFAULT_TIMES, ...options.times };
  const server = options.name ?? destination.host;
  const connectOptions: FtpConnectOptions = {
    server,
    connectMs: times.connectMs,
    replyMs: times.replyMs,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  const connect = (signal: AbortSignal) => connectFtp(destination, password, connectOptions, signal);

  return {
    async connect(signal) {
      const connection = await connect(signal);
      log.debug({ server, tls: destination.tls }, 'logged in to the FTP server');
      return session(server, connection, connect, times, log);
    },
  };
}

function session(
  server: string,
  first: FtpConnection,
  connect: (signal: AbortSignal) => Promise<FtpConnection>,
  times: StoreTimes,
  log: Logger,
): TargetSession {
  let connection = first;
  let closed = false;
  let sizeWorks = false;
  const made = new Set<string>();

  /** Sends one command; a negative reply is given back, a dead connection is thrown. */
  async function ask(command: string, path: string, signal?: AbortSignal): Promise<FTPResponse> {
    checkPath(path);
    const { client } = connection;
    const stop = () => client.close();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await client.sendIgnoringError(`${command} ${path}`);
    } catch (error) {
      throw translateFtpError(error, { server, path }, signal);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async function demand(command: string, path: string): Promise<void> {
    const reply = await ask(command, path);
    if (reply.code >= 400) throw replyFault(reply, { server, path });
  }

  async function size(path: string, signal?: AbortSignal): Promise<number | undefined> {
    const reply = await ask('SIZE', path, signal);
    if (reply.code === 550) return undefined;
    const found = SIZE_REPLY.exec(reply.message);
    const bytes = found ? Number(found[1] ?? 0) : Number.NaN;
    if (Number.isSafeInteger(bytes)) return bytes;
    if (reply.code >= 500 && reply.code <= 504) {
      throw new FerryError('target_refused', {
        userMessage: `${server} cannot say how large a file is (no SIZE command), so an upload could not be verified. Nothing was sent; please ask your FileFerry team about this destination.`,
      });
    }
    throw replyFault(reply, { server, path });
  }

  const folderExists = async (path: string) => (await ask('CWD', path)).code < 400;

  return {
    size: (path) => size(path),

    async ensureDirectory(path) {
      checkPath(path);
      const folders = path.split('/').filter((name) => name !== '' && name !== '.');
      const whole = `/${folders.join('/')}`;
      if (whole === '/' || made.has(whole)) return;
      if (!(await folderExists(whole))) {
        for (let depth = 1; depth <= folders.length; depth += 1) {
          const folder = `/${folders.slice(0, depth).join('/')}`;
          if (made.has(folder)) continue;
          const reply = await ask('MKD', folder);
          // Servers refuse an existing folder with 550 or 521, and another connection may have been faster.
          if (reply.code >= 400 && !(await folderExists(folder)))
            throw replyFault(reply, { server, path: folder });
          made.add(folder);
        }
      }
      made.add(whole);
    },

    async store(path, data, expectedBytes, onProgress, signal) {
      checkPath(path);
      const place = { server, path };
      // A server that cannot tell sizes is found out before the first byte, not after the last.
      if (!sizeWorks) await size(path, signal);
      sizeWorks = true;
      const stored = await storeFile(connection.client, connection.rawSocket, {
        place,
        data,
        expectedBytes,
        onProgress,
        signal,
        times,
      });
      if (!stored.confirmed) {
        log.warn(
          { server, path, bytes: stored.bytes },
          'no final reply to an upload; asking for the size anew',
        );
        const again = await connect(signal);
        if (closed) again.client.close();
        connection = again;
      }
      const actual = await size(path, signal);
      if (actual !== expectedBytes) {
        const found = actual === undefined ? 'the server has no such file' : `the server has ${actual} bytes`;
        throw verificationFault(place, `${found}, ${expectedBytes} were sent`);
      }
      return { bytes: stored.bytes, crc32: stored.crc32, verified: 'size' };
    },

    async rename(from, to) {
      checkPath(to);
      await demand('RNFR', from);
      await demand('RNTO', to);
    },

    async remove(path) {
      const reply = await ask('DELE', path);
      if (reply.code < 400) return;
      if (reply.code === 550 && (await size(path)) === undefined) return;
      throw replyFault(reply, { server, path });
    },

    close() {
      closed = true;
      connection.client.close();
    },
  };
}
