/** How far a running transfer is: bytes, a smoothed speed, and the time that is left. */
import type { LiveProgress } from '../adapters/cards/progress-card.ts';
import type { Transfer } from '../core/transfer.ts';

/** The speed is taken over the last so many milliseconds. */
const WINDOW_MS = 10_000;
/** Least time between two samples, in milliseconds. */
const SAMPLE_MS = 250;

export interface Progress {
  /** An object has so many bytes at the destination now; fewer than before when it began anew. */
  moved(index: number, bytes: number): void;
  /** An object is in place. */
  finished(index: number, bytes: number): void;
  /** An object has to begin anew. */
  dropped(index: number): void;
  live(): LiveProgress;
  /** The same for the record. */
  onRecord(): NonNullable<Transfer['progress']>;
}

/** @param before what earlier runs finished */
export function createProgress(
  totalBytes: number,
  before: { objects: number; bytes: number },
  now: () => number,
): Progress {
  const underWay = new Map<number, number>();
  let finishedBytes = before.bytes;
  let finishedObjects = before.objects;
  let flowing = 0;
  let samples: { at: number; bytes: number }[] = [{ at: now(), bytes: before.bytes }];

  const total = () => finishedBytes + flowing;

  function sample(): void {
    const at = now();
    const last = samples.at(-1);
    const bytes = total();
    if (last && bytes < last.bytes) samples = [];
    else if (last && at - last.at < SAMPLE_MS) return;
    samples.push({ at, bytes });
    while (samples.length > 2 && (samples[1]?.at ?? at) <= at - WINDOW_MS) samples.shift();
  }

  function set(index: number, bytes: number): void {
    flowing += bytes - (underWay.get(index) ?? 0);
    if (bytes > 0) underWay.set(index, bytes);
    else underWay.delete(index);
  }

  function speed(): number | undefined {
    const first = samples[0];
    if (!first) return undefined;
    const seconds = (now() - first.at) / 1_000;
    return seconds > 0 ? Math.max(0, total() - first.bytes) / seconds : undefined;
  }

  return {
    moved(index, bytes) {
      set(index, bytes);
      sample();
    },
    finished(index, bytes) {
      set(index, 0);
      finishedBytes += bytes;
      finishedObjects += 1;
      sample();
    },
    dropped(index) {
      set(index, 0);
      sample();
    },
    live() {
      const bytesPerSecond = speed();
      const bytesDone = Math.min(total(), totalBytes);
      return {
        bytesDone,
        objectsDone: finishedObjects,
        ...(bytesPerSecond ? { bytesPerSecond, secondsLeft: (totalBytes - bytesDone) / bytesPerSecond } : {}),
      };
    },
    onRecord() {
      const { bytesDone, bytesPerSecond = 0 } = this.live();
      return { objectsDone: finishedObjects, objectsFailed: 0, bytesDone, bytesPerSecond, at: now() };
    },
  };
}
