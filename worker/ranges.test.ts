import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPartMemory, SLOT_BYTES } from './part-memory.ts';
import { Pace } from './range-pace.ts';
import { type FetchPart, partSize, readRanges } from './ranges.ts';

const never = new AbortController().signal;
const MIB = 2 ** 20;
const content = randomBytes(22 * MIB + 12_345);
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Parts that arrive when the test says so. */
function source() {
  const asked: { from: number; send(bytes?: number): void; fail(error: Error): void; stopped: boolean }[] =
    [];
  const fetch: FetchPart = (from, into, onBytes, signal) =>
    new Promise((resolve, reject) => {
      let sent = 0;
      const part = {
        from,
        stopped: false,
        send(bytes = into.length) {
          content.copy(into, sent, from + sent, from + Math.min(into.length, sent + bytes));
          sent = Math.min(into.length, sent + bytes);
          onBytes(sent);
          if (sent === into.length) resolve();
        },
        fail: reject,
      };
      signal.addEventListener('abort', () => {
        part.stopped = true;
        reject(signal.reason);
      });
      asked.push(part);
    });
  return { asked, fetch };
}

const twoLanes = () => {
  const pace = new Pace();
  pace.atLeast(2);
  return pace;
};

const reading = (fetch: FetchPart, changes: { start?: number; size?: number; signal?: AbortSignal } = {}) =>
  readRanges({
    start: 0,
    size: content.length,
    fetch,
    memory: createPartMemory(),
    pace: twoLanes(),
    signal: never,
    ...changes,
  });

async function digest(chunks: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

describe('readRanges', () => {
  test('hands the first bytes on before any range is done', async () => {
    const { asked, fetch } = source();
    const chunks = reading(fetch);
    const first = chunks.next();
    asked[0]?.send(1000);
    expect((await first).value?.equals(content.subarray(0, 1000))).toBe(true);
    expect(asked.map(({ from }) => from)).toEqual([0, SLOT_BYTES]);
    await chunks.return(undefined);
    expect(asked.every(({ stopped }) => stopped)).toBe(true);
  });

  test('keeps the order when later ranges are done first', async () => {
    const { asked, fetch } = source();
    const whole = digest(reading(fetch));
    for (let turn = 0; turn < 1000 && asked.length * SLOT_BYTES < content.length + SLOT_BYTES; turn += 1) {
      for (const part of [...asked].reverse()) part.send(1_500_000);
      await new Promise(setImmediate);
    }
    expect(await whole).toBe(sha(content));
  });

  test('begins at an offset, and small objects are one range', async () => {
    const { asked, fetch } = source();
    const size = 300_000;
    const part = digest(reading(fetch, { start: 100_001, size }));
    asked[0]?.send();
    expect(await part).toBe(sha(content.subarray(100_001, size)));
    expect(asked).toHaveLength(1);
    expect(partSize(3 * MIB)).toBe(768 * 1024);
  });

  test('the failure of one range ends all, whichever is read first', async () => {
    const { asked, fetch } = source();
    const chunks = reading(fetch);
    const first = chunks.next();
    asked[1]?.fail(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    expect(asked[0]?.stopped).toBe(true);
  });

  test('many readers share the memory, and all get to the end', async () => {
    let held = 0;
    let most = 0;
    const memory = createPartMemory(3);
    const fetch: FetchPart = async (from, into, onBytes) => {
      held += 1;
      most = Math.max(most, held);
      await new Promise(setImmediate);
      content.copy(into, 0, from, from + into.length);
      held -= 1;
      onBytes(into.length);
    };
    const readers = Array.from({ length: 5 }, () =>
      digest(readRanges({ start: 0, size: content.length, fetch, memory, pace: twoLanes(), signal: never })),
    );
    expect(new Set(await Promise.all(readers))).toEqual(new Set([sha(content)]));
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  });

  test('a reader that waits for memory can be stopped', async () => {
    const memory = createPartMemory(1);
    const slot = memory.open().tryTake();
    expect(slot).toBeDefined();
    const stop = new AbortController();
    const { fetch } = source();
    const next = readRanges({
      start: 0,
      size: content.length,
      fetch,
      memory,
      pace: twoLanes(),
      signal: stop.signal,
    }).next();
    stop.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });
});

describe('Pace', () => {
  /** Windows in which a source gives each lane so much and the reader waits all the time. */
  function run(pace: Pace, clock: { now: number }, rate: (lanes: number) => number, windows: number) {
    const measure = pace.begin();
    const seen: number[] = [];
    for (let window = 0; window < windows; window += 1) {
      clock.now += 1_000;
      measure.waited(900);
      measure.moved(rate(pace.lanes));
      seen.push(pace.lanes);
    }
    return seen;
  }

  test('doubles while each connection brings its own share', () => {
    const clock = { now: 0 };
    const pace = new Pace(8, () => clock.now);
    expect(run(pace, clock, (lanes) => lanes * 50e6, 4)).toEqual([2, 4, 8, 8]);
  });

  test('goes back when more connections bring nothing', () => {
    const clock = { now: 0 };
    const pace = new Pace(8, () => clock.now);
    expect(run(pace, clock, () => 100e6, 4)).toEqual([2, 1, 1, 1]);
  });
});
