/** Where an upload could go on: the numbers of a few places that it has passed, the newest first to be tried. */
import type { Checkpoint } from '../core/transfer.ts';
import type { StoreProgress } from './target.ts';

/** Older places that are kept: a server may hold less than was written, by what its and our buffers take. */
const EARLIER = 8;
const MIB = 2 ** 20;
/** Bytes between two checkpoints of a file that is not very large. */
export const MARK_BYTES = 8 * MIB;
/** Most bytes between two checkpoints. */
const WIDEST = 64e6;
/** Checkpoints are written at least this often while bytes move, in milliseconds. */
const EVERY_MS = 15_000;
/** Sooner than this only when many bytes have passed. */
const SOONEST_MS = 250;

export class Marks {
  private readonly wide: number;
  private readonly now: () => number;
  private latest: StoreProgress;
  private earlier: StoreProgress[];
  private savedBytes: number;
  private savedAt: number;

  /** @param size of the whole file; a hundredth of it is the most that may have to be sent again */
  constructor(size: number, start: StoreProgress | undefined, now: () => number) {
    this.wide = Math.min(WIDEST, Math.max(MARK_BYTES, size / 128));
    this.now = now;
    this.latest = start ?? { bytes: 0, crc32: 0 };
    this.earlier = this.latest.bytes > 0 ? [this.latest] : [];
    this.savedBytes = this.latest.bytes;
    this.savedAt = now();
  }

  /** Takes how far it is; true when a checkpoint is to be written. */
  passed({ bytes, crc32 }: StoreProgress): boolean {
    this.latest = { bytes, crc32 };
    const last = this.earlier.at(-1)?.bytes ?? 0;
    if (bytes - last >= this.wide / 4) {
      this.earlier.push(this.latest);
      if (this.earlier.length > EARLIER) this.earlier.shift();
    }
    const since = bytes - this.savedBytes;
    const ms = this.now() - this.savedAt;
    return since >= this.wide || (since >= this.wide / 2 && ms >= SOONEST_MS) || ms >= EVERY_MS;
  }

  /** The checkpoint to write now. */
  take(tempPath: string): Checkpoint {
    this.savedBytes = this.latest.bytes;
    this.savedAt = this.now();
    const earlier = this.earlier.filter(({ bytes }) => bytes < this.latest.bytes);
    return { tempPath, ...this.latest, ...(earlier.length > 0 ? { earlier } : {}) };
  }
}

/** The farthest place that a file of `size` bytes reaches; undefined where only the beginning is certain. */
export function markWithin(checkpoint: Checkpoint, size: number): StoreProgress | undefined {
  const marks = [...(checkpoint.earlier ?? []), { bytes: checkpoint.bytes, crc32: checkpoint.crc32 }];
  return marks.filter(({ bytes }) => bytes > 0 && bytes <= size).sort((a, b) => b.bytes - a.bytes)[0];
}
