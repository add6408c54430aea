import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../core/config.ts';
import { createConnections } from './connections.ts';
import { MARK_BYTES, Marks, markWithin } from './marks.ts';
import { createThrottle } from './throttle.ts';
import { askAgainAt, closedUntil } from './time-window.ts';

const never = new AbortController().signal;

describe('a time window', () => {
  const at = (time: string) => Date.parse(`2026-11-22T${time}:00Z`);
  test.each([
    ['22:00', '06:00', 'UTC', '23:30', true],
    ['22:00', '06:00', 'UTC', '05:59', true],
    ['22:00', '06:00', 'UTC', '06:00', false],
    ['09:00', '17:00', 'Europe/Berlin', '08:00', true],
    ['09:00', '17:00', 'Europe/Berlin', '16:00', false],
    ['00:00', '00:00', 'UTC', '12:00', true],
  ])('from %s to %s in %s is open at %s UTC: %s', (from, to, timeZone, time, open) => {
    expect(closedUntil({ from, to, timeZone }, at(time)) === undefined).toBe(open);
  });
});

test.each([
  ['06:00', 'UTC', '05:20:40', '06:00:00'],
  ['06:00', 'UTC', '02:20:40', '03:20:40'],
  ['00:10', 'UTC', '23:50:00', '24:10:00'],
  ['09:00', 'Europe/Berlin', '07:59:59', '08:00:00'],
])('a window from %s in %s, closed at %s UTC, is asked again at %s', (from, timeZone, at, next) => {
  const [hours = 0, minutes = 0, seconds = 0] = next.split(':').map(Number);
  const midnight = Date.parse('2026-11-22T00:00:00Z');
  expect(askAgainAt({ from, to: from, timeZone }, Date.parse(`2026-11-22T${at}Z`))).toBe(
    midnight + ((hours * 60 + minutes) * 60 + seconds) * 1_000,
  );
});

describe('a throttle', () => {
  test('spreads bytes over time and saves nothing up', async () => {
    let now = 10_000;
    const throttle = createThrottle(1_000, () => now);
    expect(throttle.pieceBytes).toBe(100);
    await throttle.pass(100, never);
    const second = throttle.pass(100, AbortSignal.abort(new Error('stop')));
    await expect(second).rejects.toThrow('stop');
    now += 60_000;
    await throttle.pass(100, never);
    await expect(throttle.pass(100, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});

describe('connections', () => {
  test('one less than were open after the server refused one, for some minutes', async () => {
    let now = 0;
    const connections = createConnections(() => now);
    let open = 0;
    let most = 0;
    const task = async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise(setImmediate);
      open -= 1;
    };
    const burst = () =>
      Promise.all(
        Array.from({ length: 12 }, () => connections.use('acme', 4, { priority: 0, signal: never }, task)),
      );
    await connections.use('acme', 4, { priority: 0, signal: never }, async () => connections.shrink('acme'));
    await burst();
    expect(most).toBe(1);
    now += 300_000;
    await burst();
    expect(most).toBe(4);
  });
});

describe('marks', () => {
  test('ask for a checkpoint by bytes or by time, and keep places to go back to', () => {
    let now = 0;
    const marks = new Marks(100 * MARK_BYTES, undefined, () => now);
    expect(marks.passed({ bytes: 1_000, crc32: 1 })).toBe(false);
    now += 15_000;
    expect(marks.passed({ bytes: 2_000, crc32: 2 })).toBe(true);
    marks.take('/t');
    expect(marks.passed({ bytes: MARK_BYTES, crc32: 3 })).toBe(false);
    expect(marks.passed({ bytes: 2 * MARK_BYTES, crc32: 4 })).toBe(true);
    const checkpoint = marks.take('/t');
    expect(checkpoint).toMatchObject({ tempPath: '/t', bytes: 2 * MARK_BYTES, crc32: 4 });
    expect(markWithin(checkpoint, 2 * MARK_BYTES - 1)).toEqual({ bytes: MARK_BYTES, crc32: 3 });
    expect(markWithin(checkpoint, 2 * MARK_BYTES)).toEqual({ bytes: 2 * MARK_BYTES, crc32: 4 });
    expect(markWithin(checkpoint, 10)).toBeUndefined();
  });
});

test('settings of a destination are checked', () => {
  const policy = (more: string) =>
    parsePolicy(`
groups: { a: [], b: [] }
buckets: { finance-exports: {} }
destinations:
  acme-ftp: { host: ftp.example, user: f, password: "env:X"${more} }
rules: [{ request: [a], from: [finance-exports], to: [acme-ftp], approve: [b] }]
servicenow: { userGroup: A, auditGroup: B }
`).destinations['acme-ftp'];
  expect(
    policy(', bytesPerSecond: 10 MB, window: { from: "22:00", to: "06:00" }, minTls: "1.3"'),
  ).toMatchObject({
    bytesPerSecond: 10e6,
    window: { timeZone: 'UTC' },
  });
  expect(() => policy(', window: { from: "25:00", to: "06:00" }')).toThrow(/expected a time/);
  expect(() => policy(', window: { from: "22:00", to: "06:00", timeZone: Mars }')).toThrow(/time zone/);
  expect(() => policy(', fingerprint: "12:34"')).toThrow(/SHA-256 fingerprint/);
});
