import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

function gathering() {
  const lines: string[] = [];
  const metrics = createMetrics({
    service: 'bot',
    now: () => 1_795_348_800_000,
    write: (line) => void lines.push(line),
  });
  return { metrics, read: () => lines.map((line) => JSON.parse(line)) };
}

describe('metrics', () => {
  it('are lines that CloudWatch understands: names, units and the one dimension', () => {
    const { metrics, read } = gathering();
    metrics.add({ requestCount: 1, requestDuration: 12.5 });
    metrics.flush();
    expect(read()).toEqual([
      {
        _aws: {
          Timestamp: 1_795_348_800_000,
          CloudWatchMetrics: [
            {
              Namespace: 'FileFerry',
              Dimensions: [['service']],
              Metrics: [
                { Name: 'RequestCount', Unit: 'Count' },
                { Name: 'RequestDuration', Unit: 'Milliseconds' },
              ],
            },
          ],
        },
        service: 'bot',
        RequestCount: 1,
        RequestDuration: 12.5,
      },
    ]);
  });

  it('share a line, a hundred values of one name at most', () => {
    const { metrics, read } = gathering();
    for (let count = 0; count < 250; count += 1) metrics.add({ s3CacheHitRate: 100 });
    metrics.flush();
    expect(read().map((line) => line.S3CacheHitRate.length)).toEqual([100, 100, 50]);
  });

  it('write nothing when there is nothing', () => {
    const { metrics, read } = gathering();
    metrics.flush();
    expect(read()).toEqual([]);
  });

  it('time a call that fails, too', async () => {
    const { metrics, read } = gathering();
    const failing = metrics.time('toolExecutionTime', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    metrics.flush();
    expect(read()[0].ToolExecutionTime).toBeGreaterThanOrEqual(0);
  });
});
