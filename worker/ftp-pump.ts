/** The bytes of one upload on their way from the source into a data connection. */
import type { Hash } from 'node:crypto';
import { crc32 } from '@node-rs/crc32';
import { FerryError } from '../core/errors.ts';
import type { DataConnection } from './ftp-data.ts';
import type { Watch } from './ftp-watch.ts';
import { SMALL_BYTES } from './source.ts';
import type { StoreProgress } from './target.ts';
import type { Throttle } from './throttle.ts';

interface PumpOrder {
  /** From `start.bytes` on. */
  readonly data: AsyncIterable<Buffer>;
  /** Of the whole file. */
  readonly expectedBytes: number;
  readonly start?: StoreProgress | undefined;
  /** Gets all bytes, beside the CRC-32. */
  readonly digest?: Hash | undefined;
  readonly throttle?: Throttle | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: StoreProgress) => void;
}

/** `sent`: every byte and the end mark were handed to the network. */
export type PumpEnding =
  | { readonly kind: 'sent' }
  | { readonly kind: 'data broke'; readonly error: unknown }
  | { readonly kind: 'source failed'; readonly error: unknown };

export class Pump {
  /** Bytes of the file that were accepted by the network so far, those of earlier uploads included. */
  bytes: number;
  /** CRC-32 of those bytes. */
  crc32: number;
  /** Whether all bytes were accepted and only the end mark remains. */
  ending = false;
  /** Whether it ran: the source can be read once only. */
  started = false;
  private readonly source: AsyncIterator<Buffer>;
  /** A small file is asked for at once: it comes while the server makes ready. A large one would keep others' memory. */
  private readonly first: Promise<IteratorResult<Buffer>> | undefined;
  private readonly order: PumpOrder;
  private readonly watch: Watch;

  constructor(order: PumpOrder, watch: Watch) {
    this.order = order;
    this.watch = watch;
    this.bytes = order.start?.bytes ?? 0;
    this.crc32 = order.start?.crc32 ?? 0;
    this.source = order.data[Symbol.asyncIterator]();
    if (order.expectedBytes - this.bytes > SMALL_BYTES) return;
    this.first = this.source.next();
    this.first.catch(() => {});
  }

  /** Never rejects. */
  async run(connection: DataConnection): Promise<PumpEnding> {
    let side: 'data broke' | 'source failed' = 'data broke';
    try {
      await connection.ready;
      this.started = true;
      for (let next = this.first ?? this.source.next(); ; next = this.source.next()) {
        side = 'source failed';
        this.watch.waitingFor = 'source';
        const { value: chunk, done } = await next;
        this.checkLength(this.bytes + (done ? 0 : chunk.length), done === true);
        side = 'data broke';
        this.watch.waitingFor = 'server';
        if (done) break;
        const accepted = this.write(connection, chunk);
        // Reckoned while the network works.
        const checksum = crc32(chunk, this.crc32);
        this.order.digest?.update(chunk);
        await accepted;
        this.crc32 = checksum;
        this.bytes += chunk.length;
        this.order.onProgress({ bytes: this.bytes, crc32: this.crc32 });
      }
      this.ending = true;
      await connection.end();
      return { kind: 'sent' };
    } catch (error) {
      return { kind: side, error };
    }
  }

  /** Lets the source go. Not waited for: a source that hangs must not hold up a cancellation. */
  release(): void {
    Promise.resolve(this.source.return?.()).catch(() => {});
  }

  private async write(connection: DataConnection, chunk: Buffer): Promise<void> {
    const { throttle, signal } = this.order;
    const moved = () => this.watch.moved();
    if (!throttle) return connection.write(chunk, moved);
    for (let at = 0; at < chunk.length; at += throttle.pieceBytes) {
      const piece = chunk.subarray(at, at + throttle.pieceBytes);
      await throttle.pass(piece.length, signal);
      // Waiting for our own limit is no stall of the server.
      moved();
      await connection.write(piece, moved);
    }
  }

  private checkLength(bytes: number, ended: boolean): void {
    const { expectedBytes } = this.order;
    if (ended ? bytes === expectedBytes : bytes <= expectedBytes) return;
    throw new FerryError('source_unreadable', {
      retryable: true,
      userMessage: `S3 delivered ${ended ? bytes : `more than ${expectedBytes}`} bytes where ${expectedBytes} were expected. No file under its final name was touched. We can try again.`,
    });
  }
}
