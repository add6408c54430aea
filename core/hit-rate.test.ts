import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createHitRate } from './hit-rate.ts';

test('the share of hits is logged now and then, and at the end, each look once', () => {
  const lines: Record<string, unknown>[] = [];
  const rate = createHitRate('S3FileCache', pino({}, { write: (line) => void lines.push(JSON.parse(line)) }));
  for (let look = 0; look < 53; look += 1) rate.look(look % 2 === 0);
  rate.flush();
  rate.flush();
  expect(lines).toMatchObject([
    { cache: 'S3FileCache', hits: 25, looks: 50, hitRate: 0.5 },
    { cache: 'S3FileCache', hits: 2, looks: 3, hitRate: 0.667 },
  ]);
});
