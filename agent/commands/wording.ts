/** Numbers as people read them. */

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** `12.3 MB`: decimal units, three digits at most. */
export function sizeInWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would round up to a fourth digit.
  while (value >= (unit === 0 ? 1_000 : 999.5) && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return unit === 0 && value === 1 ? '1 byte' : `${Number(value.toFixed(digits))} ${UNITS[unit]}`;
}

/** `45 seconds`, `12 minutes`, `3.5 hours`. */
export function durationInWords(seconds: number): string {
  const say = (value: number, unit: string) => `${value} ${unit}${value === 1 ? '' : 's'}`;
  if (seconds < 1) return 'less than a second';
  if (seconds < 90) return say(Math.round(seconds), 'second');
  if (seconds < 90 * 60) return say(Math.round(seconds / 60), 'minute');
  return say(Number((seconds / 3_600).toFixed(1)), 'hour');
}

/** `2026-11-22 12:00 UTC`. */
export function instantInWords(epochMilliseconds: number): string {
  return `${new Date(epochMilliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export const filesInWords = (count: number): string => `${count} file${count === 1 ? '' : 's'}`;
