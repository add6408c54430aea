import { afterEach, describe, expect, it } from 'vitest';
import { FerryError } from './errors.ts';
import { type HealthServer, readiness, startHealthServer } from './health.ts';

let server: HealthServer | undefined;
afterEach(() => server?.close());

describe('health', () => {
  it('says which dependency is down, and stays alive', async () => {
    let up = false;
    server = await startHealthServer({
      port: 0,
      host: '127.0.0.1',
      checks: {
        queue: async () => {
          if (!up) throw new FerryError('unavailable', { userMessage: 'The queue is away.' });
        },
        database: async () => 'anything',
      },
    });
    const at = (path: string) => fetch(`http://127.0.0.1:${server?.port}${path}`);
    const down = await at('/readyz');
    expect(down.status).toBe(503);
    expect(await down.json()).toEqual({
      ready: false,
      checks: { queue: 'unavailable: The queue is away.', database: 'ok' },
    });
    expect((await at('/healthz')).status).toBe(200);
    up = true;
    expect((await at('/readyz')).status).toBe(200);
    expect((await at('/other')).status).toBe(404);
  });

  it('does not wait for a check that hangs', async () => {
    const result = await readiness({ slow: () => new Promise(() => {}) }, {}, 20);
    expect(result).toEqual({ ready: false, checks: { slow: 'no answer within 20 ms' } });
  });
});
