/** Reading a stored file back, whole or a few bytes of it, to compare it with what was sent. */
import { FTPError } from 'basic-ftp';
import type { FtpConnection } from './ftp-connection.ts';
import { openDataConnection } from './ftp-data.ts';

/** How it went; `refused`: the server does not hand the file out. */
export type ReadBackEnd = 'read' | 'refused';

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
 * server's words about the cut are not always told apart from what follows.
 *
 * @throws what basic-ftp or the socket throws
 */
export async function readBackFrom(connection: FtpConnection, order: ReadBackOrder): Promise<ReadBackEnd> {
  const { ftp } = connection.client;
  const data = await openDataConnection(connection, order.signal);
  const { socket } = data;
  let enough = false;
  const stop = () => {
    data.reset();
    connection.client.close();
  };
  let stall = setTimeout(stop, order.stallMs);
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
    return 'read';
  } catch (error) {
    if (error instanceof FTPError) return 'refused';
    if (enough) return 'read';
    throw error;
  } finally {
    clearTimeout(stall);
    order.signal.removeEventListener('abort', stop);
    data.reset();
  }
}
