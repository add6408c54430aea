/** Sizes, durations and progress in words that people read, the same on every platform. */
import type { ProgressFigures } from './card.ts';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** What is not a number above zero is shown as zero: a clock that went back must not show a negative time. */
const atLeastZero = (value: number): number => (value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0);

/** A size in decimal units, such as `512 B`, `1.2 MB`, `340 GB`. */
export function formatBytes(bytes: number): string {
  let amount = atLeastZero(bytes);
  let unit = 0;
  // 999.95 would round to 1000.0: it belongs to the next unit.
  while (amount >= (unit === 0 ? 1_000 : 999.5) && unit < BYTE_UNITS.length - 1) {
    amount /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 99.95 ? 0 : 1;
  return `${amount.toFixed(digits).replace(/\.0$/, '')} ${BYTE_UNITS[unit]}`;
}

const DURATION_UNITS = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3_600 },
  { name: 'min', seconds: 60 },
  { name: 's', seconds: 1 },
] as const;

/** A duration in seconds in its two largest units, such as `under 1 s`, `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return 'under 1 s';
  const whole = Math.round(atLeastZero(seconds));
  const first = DURATION_UNITS.findIndex((unit) => whole >= unit.seconds);
  if (first < 0) return '0 s';
  let rest = whole;
  const parts: string[] = [];
  for (const unit of DURATION_UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / unit.seconds);
    rest -= count * unit.seconds;
    if (count > 0) parts.push(`${count} ${unit.name}`);
  }
  return parts.join(' ');
}

/**
 * A bar of block characters.
 *
 * @param fraction from 0 to 1; the bar is full only at 1
 * @param width length in characters
 */
export function progressBar(fraction: number, width: number): string {
  const filled = Math.min(width, Math.floor(atLeastZero(fraction) * width));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** Whole percent from 0 to 100: 100 only when all is done, so also when there is nothing to do. */
export function percent(done: number, total: number): number {
  if (done >= total) return 100;
  return Math.min(99, Math.floor((atLeastZero(done) / total) * 100));
}

/** How far a transfer has come, as every platform shows it: `shown` in whole percent, and the figures beside the bar. */
export function progressInWords(progress: ProgressFigures): {
  readonly shown: number;
  readonly details: readonly string[];
} {
  const { bytesDone, bytesTotal, objectsDone, objectsTotal, bytesPerSecond, secondsLeft } = progress;
  const filesDone = objectsDone >= objectsTotal;
  const moved = bytesTotal > 0 ? percent(bytesDone, bytesTotal) : percent(objectsDone, objectsTotal);
  return {
    // All bytes sent is not all files verified and in place.
    shown: filesDone ? moved : Math.min(moved, 99),
    details: [
      `${objectsDone} of ${objectsTotal} ${objectsTotal === 1 ? 'file' : 'files'}`,
      `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
      ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
      ...(secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`]),
    ],
  };
}
