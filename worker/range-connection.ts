/** One keep-alive HTTP/1.1 connection that reads byte ranges straight into the memory they are for. */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { CIPHERS } from './tls-ciphers.ts';

/** Longest head of an answer. */
const HEAD_BYTES = 32 * 1024;

export interface RangeServer {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/** One range of an object, as it must be answered; anything else is refused. */
export interface RangeOrder {
  /** Request line and headers, without `Range` and the empty line. */
  readonly head: string;
  readonly etag: string;
  /** The whole object's size. */
  readonly size: number;
  /** Offset of the first byte wanted. */
  readonly from: number;
  /** Gets exactly this many bytes. */
  readonly into: Buffer;
  /** Called as bytes arrive, with how many of `into` are there. */
  readonly onBytes: (filled: number) => void;
}

/** The server answered, but not with what was asked for: asking again the same way would not help. */
export class RangeRefused extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(`status ${status}: ${detail}`);
    this.name = 'RangeRefused';
    this.status = status;
  }
}

interface Answer {
  readonly order: RangeOrder;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  filled: number;
  inBody: boolean;
  head: string;
}

/** The status line and the headers by lower-case name. RFC 9112, sections 4 and 5. */
function parseHead(head: string): { status: number; headers: Map<string, string> } {
  const [first = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1] ?? 0);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, headers };
}

/** Why an answer's body is not the range, or undefined when it is exactly that. */
function refusalOf(head: string, { from, into, size, etag }: RangeOrder): RangeRefused | undefined {
  const { status, headers } = parseHead(head);
  const range = `bytes ${from}-${from + into.length - 1}/${size}`;
  const faults = [
    status === 206 ? '' : 'not a partial answer',
    headers.get('content-length') === String(into.length) ? '' : 'another length',
    headers.get('content-range') === range ? '' : 'another range',
    (headers.get('etag') ?? etag) === etag ? '' : 'another ETag',
    headers.has('transfer-encoding') ? 'a transfer encoding' : '',
    headers.has('content-encoding') && headers.get('content-encoding') === 'gzip' && status !== 206
      ? 'a content encoding'
      : '',
  ].filter(Boolean);
  return faults.length > 0 ? new RangeRefused(status, faults.join(', ')) : undefined;
}

export class RangeConnection {
  /** Whether an answer arrived whole on it: a reused connection may have been closed by the server meanwhile. */
  used = false;
  private readonly socket: Socket;
  private readonly headBuffer = Buffer.allocUnsafe(HEAD_BYTES);
  private readonly stallMs: number;
  private answer: Answer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private reusable = true;

  /**
   * @param stallMs longest silence while an answer is awaited
   * @param onEnd called once, when the connection is gone
   */
  constructor(server: RangeServer, stallMs: number, onEnd: () => void) {
    this.stallMs = stallMs;
    const onread: OnReadOpts = {
      buffer: () => this.room(),
      callback: (bytes, buffer) => this.read(bytes, buffer as Buffer),
    };
    const { host, port } = server;
    // The types leave out `onread`, which https://nodejs.org/api/tls.html#tlsconnectoptions-callback has.
    const tlsOptions: ConnectionOptions & { onread: OnReadOpts } = {
      host,
      port,
      onread,
      ciphers: CIPHERS,
      ...(isIP(host) ? {} : { servername: host }),
    };
    this.socket = server.secure ? connectTls(tlsOptions) : connect({ host, port, onread });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('end', () => this.fail(new Error('the connection was closed')));
    this.socket.on('close', () => {
      this.fail(new Error('the connection was closed'));
      onEnd();
    });
  }

  /** Whether another range may be asked for. */
  get free(): boolean {
    return this.reusable && !this.socket.destroyed && this.answer === undefined;
  }

  /**
   * Resolves when every byte is in its place; once it has settled, nothing writes to `order.into` any more.
   *
   * @throws RangeRefused, or what the socket suffered
   */
  async get(order: RangeOrder): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.answer = { order, resolve, reject, filled: 0, inBody: false, head: '' };
    this.timer = setTimeout(() => this.destroy(new Error(`no bytes for ${this.stallMs} ms`)), this.stallMs);
    if (this.socket.destroyed) this.fail(new Error('the connection was closed'));
    else {
      this.socket.ref();
      this.socket.write(
        `${order.head}range: bytes=${order.from}-${order.from + order.into.length - 1}\r\n\r\n`,
        'latin1',
      );
    }
    return promise;
  }

  destroy(error = new Error('stopped')): void {
    this.fail(error);
    this.socket.destroy();
  }

  private fail(error: Error): void {
    this.reusable = false;
    clearTimeout(this.timer);
    this.answer?.reject(error);
    this.answer = undefined;
  }

  /** Where the next bytes from the network go. */
  private room(): Buffer {
    const { answer } = this;
    if (!answer?.inBody) return this.headBuffer;
    return answer.order.into.subarray(answer.filled);
  }

  private read(bytes: number, buffer: Buffer): boolean {
    const { answer } = this;
    if (!answer) {
      // Bytes that nobody asked for: whatever comes next could not be told apart.
      this.destroy();
      return false;
    }
    this.timer?.refresh();
    if (answer.inBody) this.advance(answer, bytes);
    else this.readHead(answer, buffer.subarray(0, bytes));
    return true;
  }

  private readHead(answer: Answer, bytes: Buffer): void {
    const before = answer.head.length;
    answer.head += bytes.toString('latin1');
    const end = answer.head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (answer.head.length > HEAD_BYTES) this.destroy(new RangeRefused(0, 'an endless head'));
      return;
    }
    const head = answer.head.slice(0, end);
    const refusal = refusalOf(head, answer.order);
    if (refusal) return void this.destroy(refusal);
    if (/\r\nconnection:[ \t]*close/i.test(head)) this.reusable = false;
    answer.inBody = true;
    answer.head = '';
    const body = bytes.subarray(end + 4 - before);
    if (body.length > answer.order.into.length)
      return void this.destroy(new RangeRefused(206, 'a longer body'));
    body.copy(answer.order.into);
    this.advance(answer, body.length);
  }

  private advance(answer: Answer, bytes: number): void {
    answer.filled += bytes;
    if (bytes > 0) answer.order.onBytes(answer.filled);
    // `onBytes` may have ended everything.
    if (this.answer !== answer || answer.filled < answer.order.into.length) return;
    this.answer = undefined;
    clearTimeout(this.timer);
    this.used = true;
    // An idle connection must not keep the process.
    if (this.reusable) this.socket.unref();
    else this.socket.destroy();
    answer.resolve();
  }
}
