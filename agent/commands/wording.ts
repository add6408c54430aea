/** Durations, instants and counts as people read them. */

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
