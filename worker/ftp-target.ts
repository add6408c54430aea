/** The target port over FTP: connects, logs in, and gives a session. */
import type { Logger } from 'pino';
import type { Destination } from '../core/policy-config.ts';
import { traced } from '../core/tracing.ts';
import { connectFtp, type FtpConnectOptions } from './ftp-connection.ts';
import { openFtpSession, type SessionOptions } from './ftp-session.ts';
import type { StoreTimes } from './ftp-store.ts';
import type { Target, TargetSession } from './target.ts';
import type { Throttle } from './throttle.ts';

export interface FtpTargetOptions {
  /** For messages: the destination's name; its host where absent. */
  readonly name?: string;
  /** Certificate authorities in PEM that are trusted instead of Node's; asked for at every connection. */
  readonly ca?: () => Promise<string>;
  readonly throttle?: Throttle | undefined;
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
  const shared: SessionOptions = {
    server,
    connect,
    times,
    verify: destination.verify ?? 'checksum',
    throttle: options.throttle,
    log,
  };

  return {
    async connect(signal) {
      const connection = await traced('ftp login', { 'server.address': server }, () => connect(signal));
      log.debug({ server, tls: destination.tls }, 'logged in to the FTP server');
      return withSpans(openFtpSession(connection, shared), server);
    },
  };
}

/** From the command to the server's last reply to it, in the trace; paths are people's words and stay out of it. */
function withSpans(inner: TargetSession, server: string): TargetSession {
  const place = { 'server.address': server };
  return {
    ...inner,
    store: (path, data, expectedBytes, ...more) =>
      traced('ftp store', { ...place, bytes: expectedBytes }, () =>
        inner.store(path, data, expectedBytes, ...more),
      ),
    rename: (...names) => traced('ftp rename', place, () => inner.rename(...names)),
  };
}
