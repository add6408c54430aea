/** Uploading one file: done only when the data connection and the server's last word agree. */
import type { Hash } from 'node:crypto';
import { type Client, FTPError } from 'basic-ftp';
import { stopReason } from '../core/stop-reason.ts';
import { type FtpConnection, withoutStack } from './ftp-connection.ts';
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
import { ResumeRefused, type StoreProgress } from './target.ts';
import type { Throttle } from './throttle.ts';

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
  /** From `start.bytes` on. */
  readonly data: AsyncIterable<Buffer>;
  /** Of the whole file. */
  readonly expectedBytes: number;
  /** What the file holds already. */
  readonly start?: StoreProgress | undefined;
  /** Gets all bytes, beside the CRC-32. */
  readonly digest?: Hash | undefined;
  readonly throttle?: Throttle | undefined;
  /** Whether bytes may leave before the server's 1xx: they wait at its end, and a refusal discards them. */
  readonly early?: boolean | undefined;
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
 * Uploads the file over a connection. After a refusal, or a source that failed, the control connection can still be
 * used unless `client.closed` says otherwise.
 *
 * @throws FerryError, ResumeRefused among them; what the source throws is passed on
 */
export async function storeFile(ftp: FtpConnection, order: StoreOrder): Promise<StoreEnd> {
  const { client } = ftp;
  const { place, signal, times } = order;
  if (signal.aborted) throw stopReason(signal);
  const watch = new Watch(place, times.stall, signal);
  let pump: Pump | undefined;
  try {
    pump = new Pump(order, watch);
    for (let tries = 1; ; tries += 1) {
      const connection = await open(ftp, order, watch);
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
    pump?.release();
  }
}

async function open(ftp: FtpConnection, order: StoreOrder, watch: Watch): Promise<DataConnection> {
  const given = new AbortController();
  const opening = prepare(ftp, order, given.signal);
  opening.catch(() => {});
  try {
    const first = await Promise.race([opening, watch.halted]);
    if ('write' in first) return first;
    throw first.error;
  } catch (error) {
    given.abort();
    if (!(error instanceof ResumeRefused)) ftp.client.close();
    // Nobody waits any more for a connection that is made in spite of it.
    opening.then(
      (late) => late.reset(),
      () => {},
    );
    throw translateFtpError(error, order.place, order.signal);
  }
}

/** `REST` comes right before STOR: some servers forget it when another command is between. RFC 3659, section 5.3. */
async function prepare(ftp: FtpConnection, { place, start }: StoreOrder, signal: AbortSignal) {
  const connection = await openDataConnection(ftp, signal);
  // The other side's FIN is noticed only by reading.
  connection.socket.resume();
  if (!start || start.bytes === 0) return connection;
  try {
    await ftp.client.ftp.request(`REST ${start.bytes}`);
    return connection;
  } catch (error) {
    connection.reset();
    if (!(error instanceof FTPError)) throw error;
    throw new ResumeRefused(`${place.server} does not go on in the middle of a file. It has to begin anew.`);
  }
}

/** Sends STOR and follows the replies: the first 1xx starts the bytes, the next reply ends it. */
function sendStore(client: Client, path: string, onReady: () => void): Promise<ControlEnding> {
  let ready = false;
  const ending: Promise<ControlEnding> = withoutStack(() =>
    client.ftp.handle(`STOR ${path}`, (reply, task) => {
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
    }),
  );
  // The control connection is silent while data flows, which may take hours; nor may a NOOP be sent, since its
  // 200 would pass for the final reply. The watch sees to the time.
  client.ftp.socket.setTimeout(0);
  return ending;
}

/** One STOR. The server's refusal is given back, because some may be tried again; all else is thrown. */
async function attempt(
  client: Client,
  connection: DataConnection,
  { place, times, signal, early }: StoreOrder,
  watch: Watch,
  pump: Pump,
): Promise<'confirmed' | 'unconfirmed' | FTPError> {
  const preliminary = Promise.withResolvers<void>();
  const control = sendStore(client, place.path, preliminary.resolve);
  if (early) preliminary.resolve();
  const pumped = preliminary.promise.then(() => pump.run(connection));

  /** Cuts the data connection and keeps the control connection. */
  const drop = () => connection.reset();
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
        connection.reset();
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
      if (pump.ending && (await Promise.race([pumped, watch.halted])).kind === 'sent') return 'unconfirmed';
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
      // It had read to the end and cut the connection before our end mark was through; its size will tell.
      if (reason?.kind === 'completed' && pump.ending) return 'confirmed';
      // pyftpdlib calls also a cut upload complete; what it has is a beginning like any other.
      throw connectionFault(first.error, place);
    }
  }
}
