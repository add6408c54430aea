/** Connecting to an FTP server and logging in: TCP, TLS, password, binary mode. */
import { isIP } from 'node:net';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import { Client, FTPError } from 'basic-ftp';
import { FerryError } from '../core/errors.ts';
import type { Destination } from '../core/policy-config.ts';
import { stopReason } from '../core/stop-reason.ts';
import { noTlsFault, translateFtpError, wrongPeerFault } from './ftp-errors.ts';
import { CIPHERS } from './tls-ciphers.ts';

export interface FtpConnectOptions {
  /** For messages: the destination's name. */
  readonly server: string;
  /** Certificate authorities in PEM that are trusted instead of Node's. */
  readonly ca?: () => Promise<string>;
  /** Longest time until the login is through, in milliseconds. */
  readonly connectMs: number;
  /** Longest wait for the reply to one command, in milliseconds. */
  readonly replyMs: number;
}

export interface FtpConnection {
  readonly client: Client;
  /** For messages: the destination's name. */
  readonly server: string;
  /** What FEAT lists: upper-case names with what stands behind them. RFC 2389, section 3.2. */
  readonly features: ReadonlyMap<string, string>;
  /** Whether data connections have TLS as well. */
  readonly protectsData: boolean;
  /** Whether data connections go on with the control connection's TLS session. */
  readonly reuseSession: boolean;
  /** Whether an address in an answer to PASV is believed. */
  readonly trustPasvAddress: boolean;
  /** What is wrong with the other end's certificate, where the destination pins one. */
  checkPeer(socket: TLSSocket): FerryError | undefined;
  /** The command that has worked. */
  passive: 'EPSV' | 'PASV' | undefined;
  /** A port that EPSV gave before it was needed. */
  nextPort: number | undefined;
}

/** basic-ftp writes a stack down with every command, in case that two meet: a quarter of what a command costs. */
export function withoutStack<T>(begin: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return begin();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Idle time after which TCP asks whether the other side still lives: NAT gateways forget sooner than FTP servers. */
const KEEP_ALIVE_MS = 30_000;

/** A fresh object each time: basic-ftp writes into it, and a session of one host must not reach another. */
function tlsOptions(destination: Destination, ca: string | undefined): ConnectionOptions {
  return {
    host: destination.host,
    ciphers: CIPHERS,
    minVersion: destination.minTls === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    // A pinned certificate is compared by us, whoever vouches for it or not.
    ...(destination.fingerprint === undefined ? {} : { rejectUnauthorized: false }),
    ...(isIP(destination.host) ? {} : { servername: destination.host }),
    ...(ca === undefined ? {} : { ca }),
  };
}

async function logIn(
  client: Client,
  destination: Destination,
  password: string,
  { server, ca }: { readonly server: string; readonly ca: string | undefined },
  checkPeer: FtpConnection['checkPeer'],
): Promise<Map<string, string>> {
  const { host, port, tls, user } = destination;
  if (tls === 'implicit') await client.connectImplicitTLS(host, port, tlsOptions(destination, ca));
  else await client.connect(host, port);
  if (tls === 'explicit') {
    await client.useTLS(tlsOptions(destination, ca)).catch((error) => {
      // Never onwards without it: the password would be readable on the way.
      throw error instanceof FTPError ? noTlsFault(server, error) : error;
    });
  }
  if (client.ftp.socket instanceof TLSSocket) {
    const fault = checkPeer(client.ftp.socket);
    if (fault) throw fault;
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
  return client.features();
}

const hexOf = (fingerprint: string) =>
  fingerprint
    .replace(/^sha-?256[:\s]+/i, '')
    .replaceAll(':', '')
    .toUpperCase();

/** Compares SHA-256 fingerprints. A resumed session may come without a certificate: it proves the same peer. */
function peerCheck(destination: Destination, server: string): FtpConnection['checkPeer'] {
  const { fingerprint } = destination;
  if (fingerprint === undefined) return () => undefined;
  return (socket) => {
    const found = socket.getPeerCertificate().fingerprint256;
    if (found === undefined && socket.isSessionReused()) return undefined;
    return found !== undefined && hexOf(found) === hexOf(fingerprint)
      ? undefined
      : wrongPeerFault(server, found);
  };
}

/** The server's words may quote the password; nothing that leaves this file may. */
function withoutPassword(error: unknown, password: string): unknown {
  if (!(error instanceof Error) || password === '' || !error.message.includes(password)) return error;
  const message = error.message.replaceAll(password, '***');
  return error instanceof FTPError ? new FTPError({ code: error.code, message }) : new Error(message);
}

const unsendable = (server: string) =>
  new FerryError('internal', {
    userMessage: `The password of ${server} has a line break in it, which FTP cannot send. Nothing was sent; please ask your FileFerry team to correct it.`,
  });

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
  let secret = '';
  const client = new Client(options.replyMs);
  const checkPeer = peerCheck(destination, options.server);
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(stopReason(signal));
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => reject(new Error('Timeout (login)')), options.connectMs);
  stopped.catch(() => {});
  try {
    // The secret store may hang as the server may.
    secret = await Promise.race([password(), stopped]);
    if (/[\r\n\0]/.test(secret)) throw unsendable(options.server);
    const ca = options.ca && (await Promise.race([options.ca(), stopped]));
    const loggingIn = logIn(client, destination, secret, { server: options.server, ca }, checkPeer);
    loggingIn.catch(() => {});
    const features = await Promise.race([loggingIn, stopped]);
    return {
      client,
      server: options.server,
      features,
      protectsData: destination.tls !== 'none',
      reuseSession: destination.reuseTlsSession ?? true,
      trustPasvAddress: destination.trustPasvAddress ?? false,
      checkPeer,
      passive: undefined,
      nextPort: undefined,
    };
  } catch (error) {
    client.close();
    throw translateFtpError(withoutPassword(error, secret), { server: options.server }, signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
