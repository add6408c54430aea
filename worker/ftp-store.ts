/** Uploading one file: done only when the data connection and the server's last word agree. */
import type { Socket } from 'node:net';
import { type Client, FTPError } from 'basic-ftp';
import { stopReason } from '../core/stop-reason.ts';
import { type DataConnection, openDataConnection } from './ftp-data.ts';
import {
  connectionFault,
  type FtpPlace,
  replyFault,
  translateFtpError,
  verificationFault,
} from './ftp-errors.ts';
import { Pump, type PumpEnding } from './ftp-pump.ts';
import { type Halted, Watch } from './ftp-watch.ts';
import type { StoreProgress } from './target.ts';

/** In milliseconds. */
export interface StoreTimes {
  /** Longest time without a byte being accepted. */
  readonly stall: number;
  /** Longest wait for the final reply once all bytes are gone: servers scan or copy the file in this time. */
  readonly finalReply: number;
  /** How long the server may take to say why it broke the data connection. */
  readonly reason: number;
}

export interface StoreOrder {
  readonly place: FtpPlace & { readonly path: string };
  readonly data: AsyncIterable<Buffer>;
  readonly expectedBytes: number;
  readonly onProgress: (progress: StoreProgress) => void;
  readonly signal: AbortSignal;
  readonly times: StoreTimes;
}

/** `confirmed` is false when every byte left, but the server's last word never came. */
export type StoreEnd = StoreProgress & { readonly confirmed: boolean };

type ControlEnding =
  | { readonly kind: 'completed' }
  | { readonly kind: 'refused'; readonly error: FTPError }
  | { readonly kind: 'control lost'; readonly error: Error };
type Ending = PumpEnding | ControlEnding | Halted;

/** 425 says that this data connection failed; another on the same control connection often works. */
const DATA_CONNECTION_TRIES = 3;

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * Uploads the file over a connected client. After a refusal, or a source that failed, the control connection
 * can still be used unless `client.closed` says otherwise.
 *
 * @param rawSocket what `trackRawSockets` gave for this client
 * @throws FerryError; what the source throws is passed on
 */
export async function storeFile(
  client: Client,
  rawSocket: () => Socket | undefined,
  order: StoreOrder,
): Promise<StoreEnd> {
  const { place, signal, times } = order;
  if (signal.aborted) throw stopReason(signal);
  const watch = new Watch(place, times.stall, signal);
  const pump = new Pump(order, watch);
  try {
    for (let tries = 1; ; tries += 1) {
      const connection = await open(client, rawSocket, order, watch);
      const outcome = await attempt(client, connection, order, watch, pump);
      if (!(outcome instanceof FTPError)) {
        return { bytes: pump.bytes, crc32: pump.crc32, confirmed: outcome === 'confirmed' };
      }
      if (outcome.code !== 425 || pump.started || tries >= DATA_CONNECTION_TRIES) {
        throw replyFault(outcome, place);
      }
    }
  } finally {
    watch.end();
    pump.release();
  }
}

async function open(
  client: Client,
  rawSocket: () => Socket | undefined,
  order: StoreOrder,
  watch: Watch,
): Promise<DataConnection> {
  const opening = openDataConnection(client, rawSocket);
  opening.catch(() => {});
  try {
    const first = await Promise.race([opening, watch.halted]);
    if ('write' in first) return first;
    throw first.error;
  } catch (error) {
    client.close();
    // Nobody waits any more for a connection that is still being made. In this order: see `reset`.
    rawSocket()?.destroy();
    throw translateFtpError(error, order.place, order.signal);
  }
}

/** Sends STOR and follows the replies: the first 1xx starts the bytes, the next reply ends it. */
function sendStore(client: Client, path: string, onReady: () => void): Promise<ControlEnding> {
  let ready = false;
  const ending: Promise<ControlEnding> = client.ftp.handle(`STOR ${path}`, (reply, task) => {
    if (reply instanceof FTPError) task.resolve({ kind: 'refused', error: reply });
    else if (reply instanceof Error) task.resolve({ kind: 'control lost', error: reply });
    else if (reply.code < 200) {
      if (!ready) onReady();
      ready = true;
    } else if (reply.code < 300 && ready) task.resolve({ kind: 'completed' });
    else {
      // Out of step: whatever it answers from here on belongs to something else.
      const error = new Error(`the server answered STOR with ${reply.code}`);
      task.resolve({ kind: 'control lost', error });
      client.ftp.closeWithError(error);
    }
  });
  // The control connection is silent while data flows, which may take hours; nor may a NOOP be sent, since its
  // 200 would pass for the final reply. The watch sees to the time.
  client.ftp.socket.setTimeout(0);
  return ending;
}

/** One STOR. The server's refusal is given back, because some may be tried again; all else is thrown. */
async function attempt(
  client: Client,
  connection: DataConnection,
  { place, times, signal }: StoreOrder,
  watch: Watch,
  pump: Pump,
): Promise<'confirmed' | 'unconfirmed' | FTPError> {
  const preliminary = Promise.withResolvers<void>();
  const control = sendStore(client, place.path, preliminary.resolve);
  const pumped = preliminary.promise.then(() => pump.run(connection));

  /** Cuts the data connection and keeps the control connection. */
  const drop = () => {
    connection.reset();
    client.ftp.dataSocket = undefined;
  };
  const close = () => {
    connection.reset();
    client.close();
  };

  let first: Ending = await Promise.race([pumped, control, watch.halted]);
  // The final reply may overtake our own notice that the end mark is gone.
  if (first.kind === 'completed' && pump.ending) first = await Promise.race([pumped, watch.halted]);

  switch (first.kind) {
    case 'sent': {
      watch.allSent();
      const last = await within(times.finalReply, Promise.race([control, watch.halted]));
      if (last?.kind === 'halted') {
        close();
        throw last.error;
      }
      if (last?.kind === 'completed' || last?.kind === 'refused') {
        client.ftp.dataSocket = undefined;
        return last.kind === 'refused' ? last.error : 'confirmed';
      }
      // No reset: the last bytes may still be on their way.
      client.close();
      return 'unconfirmed';
    }
    case 'refused':
      drop();
      return first.error;
    case 'completed':
      close();
      throw verificationFault(place, `the server called it complete after ${pump.bytes} bytes`);
    case 'control lost':
      client.close();
      // Both connections end together when a server restarts; by then it may have had everything.
      if (pump.ending && (await pumped).kind === 'sent') return 'unconfirmed';
      connection.reset();
      throw translateFtpError(first.error, place, signal);
    case 'halted':
      close();
      throw first.error;
    case 'data broke':
    case 'source failed': {
      drop();
      const reason = await within(times.reason, Promise.race([control, watch.halted]));
      if (reason?.kind !== 'refused' && reason?.kind !== 'completed') client.close();
      if (reason?.kind === 'halted') throw reason.error;
      if (first.kind === 'source failed') throw first.error;
      if (reason?.kind === 'refused') return reason.error;
      if (reason?.kind !== 'completed') throw connectionFault(first.error, place);
      // It had read to the end and cut the connection before our end mark was through; its size will tell.
      if (pump.ending) return 'confirmed';
      throw verificationFault(place, 'the connection broke, yet the server called it complete');
    }
  }
}
