/** Reads an object as several ranges at once and hands the bytes on in order, the first as soon as it is there. */
import { abortWith } from './abort-with.ts';
import { type PartMemoryStock, SLOT_BYTES } from './part-memory.ts';
import type { Pace } from './range-pace.ts';
import { SMALL_BYTES } from './source.ts';

/** Parts of a medium object are multiples of this. */
const STEP = 256 * 1024;
/** Parts that wait for those before them, beside one for each connection. */
const AHEAD = 2;
/** Worth handing on at once; what is less waits for the end of the event loop's turn, as TLS gives 16 KiB at a time. */
const WORTHWHILE = 256 * 1024;

/** Why what is still being read is stopped; nobody sees it. Made once, as an error costs its stack. */
const OVER = new Error('read to the end');

/**
 * Fills `into` with the bytes from offset `from` on, going on by itself when connections are cut. Once it has
 * settled, nothing writes to `into` any more.
 *
 * @param onBytes called with how many bytes of `into` are there
 */
export type FetchPart = (
  from: number,
  into: Buffer,
  onBytes: (filled: number) => void,
  signal: AbortSignal,
) => Promise<void>;

interface Part {
  readonly memory: Buffer;
  /** The slot that the memory is of; given back afterwards. */
  readonly slot: Buffer | undefined;
  filled: number;
  /** Bytes that were handed on. */
  given: number;
  fetched: Promise<void>;
}

/** Bytes of one part: large objects in whole slots, medium ones in about four parts. */
export function partSize(bytes: number): number {
  if (bytes <= SMALL_BYTES) return bytes;
  return Math.min(SLOT_BYTES, Math.ceil(bytes / 4 / STEP) * STEP);
}

/**
 * The bytes from `start` up to `size`. A chunk is valid until the next one is asked for: its memory is used again.
 *
 * @param pace says how many ranges are read at once, and learns from how it goes
 */
export async function* readRanges(order: {
  readonly start: number;
  readonly size: number;
  readonly fetch: FetchPart;
  readonly memory: PartMemoryStock;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}): AsyncGenerator<Buffer> {
  const { start, size, fetch, pace } = order;
  if (start >= size) return;
  const partBytes = partSize(size - start);
  const memory = size - start > SMALL_BYTES ? order.memory.open() : undefined;
  const over = new AbortController();
  const { signal } = over;
  const letGo = abortWith(over, order.signal);
  const parts: Part[] = [];
  let next = start;
  let fetching = 0;
  let failure: { error: unknown } | undefined;
  let wake = () => {};

  function begin(slot: Buffer | undefined): void {
    const length = Math.min(partBytes, size - next);
    const from = next;
    next += length;
    const room = slot ? slot.subarray(0, length) : Buffer.allocUnsafe(length);
    const part: Part = { memory: room, slot, filled: 0, given: 0, fetched: Promise.resolve() };
    parts.push(part);
    fetching += 1;
    const onBytes = (filled: number) => {
      part.filled = filled;
      if (part === parts[0]) wake();
    };
    part.fetched = fetch(from, room, onBytes, signal)
      .catch((error: unknown) => {
        failure ??= { error };
        over.abort(error);
      })
      .finally(() => {
        fetching -= 1;
        wake();
        beginMore();
      });
  }

  function beginMore(): void {
    while (!signal.aborted && next < size && fetching < pace.lanes && parts.length < pace.lanes + AHEAD) {
      const slot = memory?.tryTake();
      if (memory && !slot) return;
      begin(slot);
    }
  }

  const measure = pace.begin();
  try {
    for (let at = start; at < size; ) {
      beginMore();
      if (parts.length === 0 && !failure) begin(await memory?.take(order.signal));
      const head = parts[0];
      if (failure || !head) throw failure?.error ?? new Error('no part is being read');
      if (head.filled === head.given) {
        const waited = performance.now();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        measure.waited(performance.now() - waited);
        if (head.filled < head.memory.length && head.filled - head.given < WORTHWHILE) await endOfTurn();
        continue;
      }
      const chunk = head.memory.subarray(head.given, head.filled);
      head.given = head.filled;
      at += chunk.length;
      yield chunk;
      measure.moved(chunk.length);
      if (head.given < head.memory.length) continue;
      await head.fetched;
      parts.shift();
      if (head.slot) memory?.give(head.slot);
    }
  } finally {
    letGo();
    over.abort(OVER);
    const left = parts.map(async (part) => {
      await part.fetched;
      if (part.slot) memory?.give(part.slot);
    });
    await Promise.all(left);
    memory?.close();
  }
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
