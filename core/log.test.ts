import { describe, expect, it } from 'vitest';
import { FerryError } from './errors.ts';
import { createLogger } from './log.ts';

async function lines(
  format: 'json' | 'pretty',
  write: (log: Awaited<ReturnType<typeof createLogger>>) => void,
): Promise<string[]> {
  const written: string[] = [];
  const log = await createLogger({
    service: 'worker',
    level: 'info',
    format,
    destination: { write: (line) => void written.push(line) },
  });
  write(log);
  return written;
}

// Put together at run time, so that no scanner takes them for real ones.
const botToken = ['xoxb', '123456789012', 'abcDEF'].join('-');
const appToken = ['xapp', '1', 'A01', 'abcDEF'].join('-');
const keyId = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('');

describe('createLogger', () => {
  it('redacts by name at any depth, and leaves its neighbours', async () => {
    const [line = ''] = await lines('json', (log) =>
      log.info(
        {
          transferId: 'TRF-0000000001',
          leaseToken: 3,
          a: { b: { c: { d: { e: { ftpPassword: 'hunter2 "quoted" \\ end', kept: 'kept' } } } } },
          headers: { Authorization: ['Digest abc"def', 'x'], 'X-Amz-Security-Token': 'deep' },
          sessionToken: '',
        },
        'hello',
      ),
    );
    const parsed = JSON.parse(line);
    expect(parsed.a.b.c.d.e).toEqual({ ftpPassword: '[redacted]', kept: 'kept' });
    expect(parsed.headers).toEqual({ Authorization: '[redacted]', 'X-Amz-Security-Token': '[redacted]' });
    expect(parsed).toMatchObject({
      transferId: 'TRF-0000000001',
      leaseToken: 3,
      msg: 'hello',
      level: 'info',
      service: 'worker',
    });
    expect(line).not.toContain('hunter2');
  });

  it('redacts what gives itself away in messages, errors and JSON within text', async () => {
    const [line = ''] = await lines('json', (log) =>
      log.warn(
        {
          body: JSON.stringify({ client_secret: 'open sesame', user: 'ana' }),
          err: new FerryError('unavailable', {
            userMessage: 'no',
            cause: new Error(`GET ftp://ana:pa55@host/?X-Amz-Signature=abc123&x=1 with Bearer abcdef.ghi`),
          }),
        },
        `tokens ${botToken} ${appToken} ${keyId}`,
      ),
    );
    const parsed = JSON.parse(line);
    expect(JSON.parse(parsed.body)).toEqual({ client_secret: '[redacted]', user: 'ana' });
    expect(parsed.err).toMatchObject({ type: 'FerryError', code: 'unavailable', message: 'no' });
    for (const secret of [botToken, appToken, keyId, 'open sesame', 'pa55', 'abc123', 'abcdef.ghi']) {
      expect(line).not.toContain(secret);
    }
    expect(parsed.err.cause.message).toContain('ftp://ana:[redacted]@host');
  });

  it('leaves out what the SDK hangs on its errors', async () => {
    const error = Object.assign(new Error('AccessDenied'), {
      $metadata: { requestId: 'R-1' },
      $response: { headers: { 'set-thing': 'internal' } },
    });
    const [line = ''] = await lines('json', (log) => log.error({ err: error }, 'failed'));
    expect(JSON.parse(line).err).toMatchObject({ message: 'AccessDenied', requestId: 'R-1' });
    expect(line).not.toContain('internal');
  });

  it('writes one tidy line for people, redacted as well', async () => {
    const written = await lines('pretty', (log) =>
      log.info({ transferId: 'TRF-0000000001', step: 'stream' }, `took ${botToken}`),
    );
    expect(written.join('')).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: worker TRF-0000000001 stream: took \[redacted\]\n$/,
    );
  });
});
