/** Where a data connection goes to: EPSV, else PASV with the control connection's own host. */
import { FTPError } from 'basic-ftp';
import type { FtpConnection } from './ftp-connection.ts';
import { noPassiveFault } from './ftp-errors.ts';

export interface PassiveAddress {
  readonly host: string;
  readonly port: number;
}

/** The port in a 229 reply. RFC 2428, section 3; IBM i has `!` for `|`. */
export function epsvPort(message: string): number | undefined {
  return portOf(/([|!])\1\1(\d+)\1/.exec(message)?.[2]);
}

/** The address in a 227 reply. RFC 959, section 4.1.2: h1,h2,h3,h4,p1,p2. */
export function pasvAddress(message: string): PassiveAddress | undefined {
  const numbers = /(?<!\d)(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})(?!\d)/.exec(message);
  const [a, b, c, d, high, low] = (numbers ?? []).slice(1).map(Number);
  if (high === undefined || low === undefined || high > 255 || low > 255) return undefined;
  const port = portOf(String(high * 256 + low));
  return port === undefined ? undefined : { host: [a, b, c, d].join('.'), port };
}

function portOf(text: string | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** Refusals that say "not this command" and not "not now". */
const isUnknown = (error: unknown): error is FTPError =>
  error instanceof FTPError && error.code >= 500 && error.code !== 530;

/**
 * Asks the server where to connect to.
 *
 * @throws FerryError when it has active mode only; what basic-ftp throws otherwise
 */
export async function askPassive(connection: FtpConnection): Promise<PassiveAddress> {
  const { client, server } = connection;
  const host = client.ftp.socket.remoteAddress;
  if (host === undefined) throw new Error('Client is closed: no data connection');
  const { nextPort } = connection;
  connection.nextPort = undefined;
  if (nextPort !== undefined) return { host, port: nextPort };
  if (connection.passive !== 'PASV') {
    try {
      const port = epsvPort((await client.ftp.request('EPSV')).message);
      if (port !== undefined) {
        connection.passive = 'EPSV';
        return { host, port };
      }
    } catch (error) {
      if (!isUnknown(error) || connection.passive === 'EPSV') throw error;
    }
  }
  try {
    const { message } = await client.ftp.request('PASV');
    const address = pasvAddress(message);
    if (!address) throw new Error(`no address in the answer to PASV: ${message}`);
    connection.passive = 'PASV';
    // Servers behind NAT tell their inner address, and a hostile one would have us connect to a third party.
    return connection.trustPasvAddress ? address : { host, port: address.port };
  } catch (error) {
    if (isUnknown(error)) throw noPassiveFault(server, error);
    throw error;
  }
}
