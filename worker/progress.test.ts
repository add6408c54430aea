import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveProgress } from '../adapters/cards/progress-card.ts';
import { FerryError } from '../core/errors.ts';
import { createProgress } from './progress.ts';
import { keepMessageCurrent } from './progress-message.ts';

describe('progress', () => {
  it('says speed and time left from the last seconds, not from the whole run', () => {
    let now = 0;
    const progress = createProgress(100_000, { objects: 0, bytes: 0 }, () => now);
    expect(progress.live()).toEqual({ bytesDone: 0, objectsDone: 0 });
    for (let second = 1; second <= 10; second += 1) {
      now = second * 1_000;
      progress.moved(0, second * 100);
    }
    for (let second = 11; second <= 30; second += 1) {
      now = second * 1_000;
      progress.moved(0, 1_000 + (second - 10) * 1_000);
    }
    expect(progress.live()).toEqual({
      bytesDone: 21_000,
      objectsDone: 0,
      bytesPerSecond: 1_000,
      secondsLeft: 79,
    });
  });

  it('adds up files under way and done, also after one began anew', () => {
    let now = 0;
    const progress = createProgress(1_000, { objects: 2, bytes: 500 }, () => now);
    progress.moved(3, 200);
    progress.moved(4, 100);
    now = 1_000;
    progress.dropped(3);
    expect(progress.live().bytesDone).toBe(600);
    progress.moved(3, 50);
    progress.finished(4, 150);
    now = 2_000;
    expect(progress.onRecord()).toMatchObject({
      objectsDone: 3,
      objectsFailed: 0,
      bytesDone: 700,
      at: 2_000,
    });
    expect(progress.onRecord().bytesPerSecond).toBeGreaterThan(0);
  });
});

describe('the progress message', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const log = pino({ level: 'silent' });

  function setUp(show: (live: LiveProgress) => Promise<void>) {
    const live = { bytesDone: 0, objectsDone: 0 };
    const shown: number[] = [];
    const message = keepMessageCurrent({
      show: async (state) => {
        shown.push(state.bytesDone);
        await show(state);
      },
      live: () => ({ ...live }),
      everyMs: 3_000,
      log,
    });
    return { live, shown, message };
  }

  it('shows the latest state, at most every three seconds, and nothing when nothing moved', async () => {
    const { live, shown, message } = setUp(async () => {});
    live.bytesDone = 1;
    await vi.advanceTimersByTimeAsync(2_999);
    expect(shown).toEqual([]);
    live.bytesDone = 2;
    await vi.advanceTimersByTimeAsync(1);
    expect(shown).toEqual([2]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(shown).toEqual([2]);
    live.bytesDone = 3;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(shown).toEqual([2, 3]);
    await message.end();
    live.bytesDone = 4;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(shown).toEqual([2, 3]);
  });

  it('never piles up behind a slow platform, and ends only when the last edit has', async () => {
    const slow = Promise.withResolvers<void>();
    const { live, shown, message } = setUp(() => slow.promise);
    live.bytesDone = 1;
    await vi.advanceTimersByTimeAsync(3_000);
    live.bytesDone = 2;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(shown).toEqual([1]);
    let ended = false;
    const end = message.end().then(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ended).toBe(false);
    slow.resolve();
    await end;
    expect(shown).toEqual([1]);
  });

  it('slows down while it is asked to', async () => {
    let throttled = true;
    const { live, shown, message } = setUp(async () => {
      if (throttled) throw new FerryError('throttled', { retryable: true, userMessage: '429' });
    });
    const move = async (ms: number) => {
      live.bytesDone += 1;
      await vi.advanceTimersByTimeAsync(ms);
    };
    await move(3_000);
    await move(3_000);
    expect(shown).toEqual([1]);
    throttled = false;
    await move(3_000);
    expect(shown).toEqual([1, 3]);
    await move(3_000);
    expect(shown).toEqual([1, 3, 4]);
    await message.end();
  });
});
