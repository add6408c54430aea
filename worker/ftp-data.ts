/** One data connection: opened passively, written with back pressure, ended or reset. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { FtpConnection } from './ftp-connection.ts';
import { askPassive } from './ftp-passive.ts';

/** Pieces that show life on a slow line; on a fast one they grow, since each costs a turn of the event loop. */
const FIRST_PIECE = 64 * 1024;
const LARGEST_PIECE = 512 * 1024;
/** TLS encrypts a whole piece before any of it leaves. */
const LARGEST_TLS_PIECE = 256 * 1024;
/** A line that takes a piece in less is fast, in milliseconds. */
const FAST_MS = 100;

export interface DataConnection {
  /** Settles when bytes may be written: at once, or when TLS is up. */
  readonly ready: Promise<void>;
  readonly socket: Socket;
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

function secured(connection: FtpConnection, raw: Socket): TLSSocket {
  const { ftp } = connection.client;
  const control = ftp.socket;
  // Servers demand the control connection's session, as proof that both ends of both connections are the same.
  const session = ftp.tlsSessionStore ?? (control instanceof TLSSocket ? control.getSession() : undefined);
  const socket = connectTls({
    ...ftp.tlsOptions,
    socket: raw,
    ...(session && connection.reuseSession ? { session } : {}),
  });
  // Tickets of TLS 1.3 are for one use.
  socket.on('session', (ticket) => {
    ftp.tlsSessionStore = ticket;
  });
  return socket;
}

/**
 * Opens one.
 *
 * @param signal when it aborts, an attempt that still goes on is given up
 */
export async function openDataConnection(
  connection: FtpConnection,
  signal: AbortSignal,
): Promise<DataConnection> {
  const address = await askPassive(connection);
  const raw = connect({ ...address, noDelay: true });
  const stop = () => raw.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await connected(raw, connection.client.ftp.timeout);
  } finally {
    signal.removeEventListener('abort', stop);
  }
  // Below TLS its errors are told there.
  raw.on('error', () => {});
  const { client } = connection;
  const secure = client.ftp.socket instanceof TLSSocket && connection.protectsData;
  const socket = secure ? secured(connection, raw) : raw;

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
  socket.on('error', broken);
  socket.on('close', () => broken(new Error('the data connection was closed')));

  // A resumed TLS session has a cipher before the handshake is over, so only the event tells. The handshake
  // cannot be over yet: no event was handled since the socket was made.
  const ready =
    socket instanceof TLSSocket
      ? new Promise<void>((resolve, reject) => {
          failReady = reject;
          socket.once('secureConnect', () => {
            const fault = connection.checkPeer(socket);
            if (fault) reject(fault);
            else resolve();
          });
        })
      : Promise.resolve();
  ready.catch(() => {});
  const largest = socket instanceof TLSSocket ? LARGEST_TLS_PIECE : LARGEST_PIECE;
  let pieceSize = FIRST_PIECE;

  const writePiece = (piece: Buffer) =>
    new Promise<void>((resolve, reject) => {
      socket.write(piece, (error) => (error ? reject(breakage ?? error) : resolve()));
    });

  return {
    ready,
    socket,
    async write(chunk, onPiece) {
      for (let at = 0; at < chunk.length; ) {
        const piece = chunk.subarray(at, at + pieceSize);
        at += piece.length;
        const begun = performance.now();
        await writePiece(piece);
        onPiece(piece.length);
        if (performance.now() - begun > FAST_MS) pieceSize = FIRST_PIECE;
        else if (piece.length === pieceSize) pieceSize = Math.min(largest, 2 * pieceSize);
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

/** Resolves once the socket is connected; else it is destroyed. */
function connected(socket: Socket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('Timeout (data connection)')), timeoutMs);
    // After the failure errors may follow that nobody waits for.
    socket.on('error', fail);
    socket.once('close', () => fail(new Error('the data connection was closed')));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      resolve();
    });
    socket.once('close', () => clearTimeout(timer));
  });
}
