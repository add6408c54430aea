/** Durations, instants and counts as people read them. */
import { wallClock } from '../understanding/time-zone.ts';

/** `45 seconds`, `12 minutes`, `3.5 hours`. */
export function durationInWords(seconds: number): string {
  const say = (value: number, unit: string) => `${value} ${unit}${value === 1 ? '' : 's'}`;
  if (seconds < 1) return 'less than a second';
  if (seconds < 90) return say(Math.round(seconds), 'second');
  if (seconds < 90 * 60) return say(Math.round(seconds / 60), 'minute');
  return say(Number((seconds / 3_600).toFixed(1)), 'hour');
}

/** `2026-11-22 12:00 UTC`, or by the wall clock of another zone. */
export function instantInWords(epochMilliseconds: number, zone = 'UTC'): string {
  const wall = new Date(wallClock(epochMilliseconds, zone));
  return `${wall.toISOString().slice(0, 16).replace('T', ' ')} ${zone}`;
}

export const filesInWords = (count: number): string => `${count} file${count === 1 ? '' : 's'}`;
