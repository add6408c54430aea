/** One data connection of an FTP upload: opened passively, written with back pressure, ended or reset. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Client } from 'basic-ftp';

/** Pieces small enough that each shows life on a slow line; TLS encrypts a whole piece before any of it leaves. */
const PLAIN_PIECE = 256 * 1024;
const TLS_PIECE = 64 * 1024;

export interface DataConnection {
  /** Settles when bytes may be written: at once, or when TLS is up. */
  readonly ready: Promise<void>;
  /** Resolves once everything written and the end mark were handed to the network; rejects when it breaks before. */
  end(): Promise<void>;
  /**
   * Resolves when the whole chunk was accepted.
   *
   * @param onPiece called with the number of bytes accepted, several times for a large chunk
   */
  write(chunk: Buffer, onPiece: (bytes: number) => void): Promise<void>;
  /** Cuts it so that the server sees an error, never an end of file: FIN would make a truncated file look whole. */
  reset(): void;
}

/** Keeps the TCP socket under the newest data connection: a TLS socket cannot send RST itself. */
export function trackRawSockets(client: Client): () => Socket | undefined {
  const make = client.ftp._newSocket.bind(client.ftp);
  let latest: Socket | undefined;
  client.ftp._newSocket = () => {
    latest = make();
    return latest;
  };
  return () => latest;
}

/**
 * Opens one (EPSV, then PASV with the control connection's host).
 *
 * @param rawSocket what `trackRawSockets` gave for this client
 */
export async function openDataConnection(
  client: Client,
  rawSocket: () => Socket | undefined,
): Promise<DataConnection> {
  await client.prepareTransfer(client.ftp);
  const socket = client.ftp.dataSocket;
  const raw = rawSocket();
  if (!socket || !raw) throw new Error('Client is closed: no data connection');

  let breakage: Error | undefined;
  let failReady: ((error: Error) => void) | undefined;
  let failEnd: ((error: Error) => void) | undefined;
  const broken = (error: Error) => {
    // A server may reset a connection that it has read to the end; what was finished stays finished.
    if (socket.writableFinished) return;
    breakage ??= error;
    failReady?.(breakage);
    failEnd?.(breakage);
  };
  // basic-ftp closes the control connection when the data socket fails, and with it goes the server's reason.
  // It added its three listeners last; those before belong to Node.
  for (const event of ['error', 'close', 'timeout'] as const) {
    const last = socket.listeners(event).at(-1);
    if (last) socket.removeListener(event, last as () => void);
  }
  socket.on('error', broken);
  socket.on('close', () => broken(new Error('the data connection was closed')));
  socket.resume();

  // A resumed TLS session has a cipher before the handshake is over, so only the event tells. The handshake
  // cannot be over yet: no event was handled since the socket was made.
  const ready =
    socket instanceof TLSSocket
      ? new Promise<void>((resolve, reject) => {
          failReady = reject;
          socket.once('secureConnect', resolve);
        })
      : Promise.resolve();
  ready.catch(() => {});
  const pieceSize = socket instanceof TLSSocket ? TLS_PIECE : PLAIN_PIECE;

  const writePiece = (piece: Buffer) =>
    new Promise<void>((resolve, reject) => {
      socket.write(piece, (error) => (error ? reject(breakage ?? error) : resolve()));
    });

  return {
    ready,
    async write(chunk, onPiece) {
      for (let at = 0; at < chunk.length; at += pieceSize) {
        const piece = chunk.subarray(at, at + pieceSize);
        await writePiece(piece);
        onPiece(piece.length);
      }
    },
    end() {
      return new Promise((resolve, reject) => {
        if (breakage) return reject(breakage);
        failEnd = reject;
        // Node calls back with an error when the socket is destroyed before the end was sent.
        socket.end((error?: Error | null) => (error ? reject(breakage ?? error) : resolve()));
      });
    },
    reset() {
      // Once the end mark is on its way libuv refuses to reset.
      if (socket.destroyed || socket.writableEnded) return void socket.destroy();
      if (socket === raw) return void raw.resetAndDestroy();
      // Destroying the TCP socket below a TLS socket that still writes crashes Node (24.21), so the reset takes
      // the place of the close at the moment when TLS itself lets go.
      const { destroy } = raw;
      raw.destroy = () => {
        raw.destroy = destroy;
        return raw.resetAndDestroy();
      };
      socket.destroy();
    },
  };
}
