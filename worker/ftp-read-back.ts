/** Reading a stored file back, whole or a few bytes of it, to compare it with what was sent. */
import { FTPError } from 'basic-ftp';
import type { FtpConnection } from './ftp-connection.ts';
import { openDataConnection } from './ftp-data.ts';

/** How it went; `refused`: the server does not hand the file out; `stalled`: it was silent for too long. */
export type ReadBackEnd = 'read' | 'refused' | 'stalled';

/** What an upload is reckoned to bring through, in bytes a second. */
const UPLOAD_RATE = 10e6;
/** Parts and multiples of the stall timeout between which a server is waited for. */
const LEAST_STALLS = 1 / 6;
const MOST_STALLS = 6;

/**
 * How long to wait for bytes that spare an upload from being sent again, in milliseconds: about as long as sending
 * takes, so that waiting in vain doubles the time at the worst. vsftpd locks a file whose upload it believes to be
 * under way, 300 seconds by default (`lock_upload_files`, `data_connection_timeout`): the most is a little longer.
 */
export const patienceFor = (atStake: number, stallMs: number): number =>
  Math.min(MOST_STALLS * stallMs, Math.max(LEAST_STALLS * stallMs, (atStake / UPLOAD_RATE) * 1_000));

export interface ReadBackOrder {
  readonly path: string;
  /** Offset of the first byte wanted. */
  readonly from: number;
  /** Gets the bytes in order; false when it has enough. */
  readonly onBytes: (bytes: Buffer) => boolean;
  /** Longest silence of the server, in milliseconds. */
  readonly stallMs: number;
  /** How long the server may take to notice that we have enough, in milliseconds. */
  readonly reasonMs: number;
  readonly signal: AbortSignal;
}

/**
 * Reads until the end or until `onBytes` has enough. After stopping early the control connection may be closed: the
 * server's words about the cut are not always told apart from what follows. After a stall it is closed.
 *
 * @throws what basic-ftp or the socket throws
 */
export async function readBackFrom(connection: FtpConnection, order: ReadBackOrder): Promise<ReadBackEnd> {
  const { ftp } = connection.client;
  const data = await openDataConnection(connection, order.signal);
  const { socket } = data;
  let enough = false;
  let stalled = false;
  const stop = () => {
    data.reset();
    connection.client.close();
  };
  let stall = setTimeout(() => {
    stalled = true;
    stop();
  }, order.stallMs);
  order.signal.addEventListener('abort', stop, { once: true });
  try {
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    data.ready.catch(stop);
    socket.pause();
    if (order.from > 0) await ftp.request(`REST ${order.from}`);
    let ready = false;
    const control = ftp.handle(`RETR ${order.path}`, (reply, task) => {
      if (reply instanceof FTPError) task.resolve(ready && enough ? 'cut' : 'refused');
      else if (reply instanceof Error) task.reject(reply);
      else if (reply.code < 200) {
        ready = true;
        socket.resume();
      } else task.resolve('done');
    });
    ftp.socket.setTimeout(0);
    socket.on('data', (bytes: Buffer) => {
      stall.refresh();
      if (enough || order.onBytes(bytes)) return;
      enough = true;
      socket.destroy();
      clearTimeout(stall);
      stall = setTimeout(stop, order.reasonMs);
    });
    const word: unknown = await control;
    if (word === 'refused') return 'refused';
    await ended;
    return stalled ? 'stalled' : 'read';
  } catch (error) {
    if (error instanceof FTPError) return 'refused';
    if (enough) return 'read';
    if (stalled) return 'stalled';
    throw error;
  } finally {
    clearTimeout(stall);
    order.signal.removeEventListener('abort', stop);
    data.reset();
  }
}
