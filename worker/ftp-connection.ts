/** Connecting to an FTP server and logging in: TCP, TLS, password, binary mode. */
import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Client, FTPError } from 'basic-ftp';
import { FerryError } from '../core/errors.ts';
import type { Destination } from '../core/policy-config.ts';
import { stopReason } from '../core/stop-reason.ts';
import { trackRawSockets } from './ftp-data.ts';
import { noTlsFault, translateFtpError } from './ftp-errors.ts';

export interface FtpConnectOptions {
  /** For messages: the destination's name. */
  readonly server: string;
  /** Certificate authorities in PEM that are trusted instead of Node's. */
  readonly ca?: string;
  /** Longest time until the login is through, in milliseconds. */
  readonly connectMs: number;
  /** Longest wait for the reply to one command, in milliseconds. */
  readonly replyMs: number;
}

export interface FtpConnection {
  readonly client: Client;
  /** The TCP socket under the newest connection. */
  readonly rawSocket: () => Socket | undefined;
}

/** Idle time after which TCP asks whether the other side still lives: NAT gateways forget sooner than FTP servers. */
const KEEP_ALIVE_MS = 30_000;

/** A fresh object each time: basic-ftp writes into it, and a session of one host must not reach another. */
function tlsOptions(destination: Destination, ca: string | undefined): ConnectionOptions {
  return {
    host: destination.host,
    minVersion: 'TLSv1.2',
    ...(isIP(destination.host) ? {} : { servername: destination.host }),
    ...(ca === undefined ? {} : { ca }),
  };
}

async function logIn(
  client: Client,
  destination: Destination,
  password: string,
  { server, ca }: FtpConnectOptions,
): Promise<void> {
  const { host, port, tls, user } = destination;
  if (tls === 'implicit') await client.connectImplicitTLS(host, port, tlsOptions(destination, ca));
  else await client.connect(host, port);
  if (tls === 'explicit') {
    await client.useTLS(tlsOptions(destination, ca)).catch((error) => {
      // Never onwards without it: the password would be readable on the way.
      throw error instanceof FTPError ? noTlsFault(server, error) : error;
    });
  }
  client.ftp.socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // Some servers want it before the login, others only take it afterwards; those that always speak UTF-8 refuse.
  await client.sendIgnoringError('OPTS UTF8 ON');
  await client.login(user, password);
  await client.send('TYPE I');
  await client.sendIgnoringError('OPTS UTF8 ON');
  if (tls !== 'none') {
    // RFC 4217, section 9: without PROT P the data connection would be readable on the way.
    await client.send('PBSZ 0');
    await client.send('PROT P');
  }
}

/** The server's words may quote the password; nothing that leaves this file may. */
function withoutPassword(error: unknown, password: string): unknown {
  if (!(error instanceof Error) || password === '' || !error.message.includes(password)) return error;
  const message = error.message.replaceAll(password, '***');
  return error instanceof FTPError ? new FTPError({ code: error.code, message }) : new Error(message);
}

/**
 * Connects and logs in; everything is closed again if that fails.
 *
 * @param password resolved here, used once, and not kept
 * @throws FerryError
 */
export async function connectFtp(
  destination: Destination,
  password: () => Promise<string>,
  options: FtpConnectOptions,
  signal: AbortSignal,
): Promise<FtpConnection> {
  if (signal.aborted) throw stopReason(signal);
  const secret = await password();
  if (/[\r\n\0]/.test(secret)) {
    throw new FerryError('internal', {
      userMessage: `The password of ${options.server} has a line break in it, which FTP cannot send. Nothing was sent; please ask your FileFerry team to correct it.`,
    });
  }
  const client = new Client(options.replyMs);
  const rawSocket = trackRawSockets(client);
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(stopReason(signal));
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => reject(new Error('Timeout (login)')), options.connectMs);
  const loggingIn = logIn(client, destination, secret, options);
  loggingIn.catch(() => {});
  try {
    if (signal.aborted) stop();
    await Promise.race([loggingIn, stopped]);
    return { client, rawSocket };
  } catch (error) {
    client.close();
    throw translateFtpError(withoutPassword(error, secret), { server: options.server }, signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
