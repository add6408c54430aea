import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { FerryError } from './errors.ts';
import { translateS3Error } from './s3-errors.ts';

const subject = { bucket: 'finance-exports', key: 'reports/q3.csv' };

function sdkError(name: string, status?: number, extra: object = {}): Error {
  const error = new Error(`${name} happened`);
  error.name = name;
  return Object.assign(error, { $metadata: { httpStatusCode: status, requestId: 'R1' } }, extra);
}

describe('translateS3Error', () => {
  test.each([
    ['HEAD of a changed object', sdkError('Unknown', 412), 'source_changed', false],
    ['GET of a changed object', sdkError('PreconditionFailed', 412), 'source_changed', false],
    ['a range behind the end', sdkError('InvalidRange', 416), 'source_changed', false],
    ['HEAD of a missing object', sdkError('NotFound', 404), 'not_found', false],
    ['GET of a missing object', sdkError('NoSuchKey', 404), 'not_found', false],
    ['a missing bucket', sdkError('NoSuchBucket', 404), 'not_found', false],
    ['HEAD without permission', sdkError('Unknown', 403), 'not_allowed', false],
    ['an archived object', sdkError('InvalidObjectState', 403), 'source_archived', false],
    ['expired credentials', sdkError('ExpiredToken', 400), 'unavailable', true],
    ['throttling', sdkError('SlowDown', 503), 'throttled', true],
    ['a fault inside S3', sdkError('InternalError', 500), 'unavailable', true],
    ['a nameless 5xx', sdkError('Unknown', 599), 'unavailable', true],
    ['a refused connection', sdkError('Error', undefined, { code: 'ECONNREFUSED' }), 'unavailable', true],
    ['no answer', sdkError('TimeoutError'), 'timeout', true],
    ['a named refusal', sdkError('KMS.DisabledException', 400), 'source_unreadable', false],
  ])('%s', (_what, thrown, code, retryable) => {
    const error = translateS3Error(thrown, subject);
    expect(error).toMatchObject({ code, retryable });
    expect(error.userMessage).toContain('finance-exports/reports/q3.csv');
  });

  test('drops what S3 tells about our credentials', () => {
    const thrown = sdkError('InvalidAccessKeyId', 403, {
      AWSAccessKeyId: 'AKIA-OURS',
      StringToSign: 'AWS4-HMAC-SHA256 …',
    });
    const error = translateS3Error(thrown, subject);
    expect(inspect(error, { depth: 9 })).not.toMatch(/AKIA-OURS|AWS4-HMAC/);
    expect(String(error.cause)).toContain('status 403, request R1');
  });

  test('an aborted call ends with the reason of whoever aborted it', () => {
    const lost = new FerryError('lease_lost', { userMessage: 'Another worker has it.' });
    expect(translateS3Error(sdkError('AbortError'), subject, AbortSignal.abort(lost))).toBe(lost);
    expect(translateS3Error(sdkError('AbortError'), subject, AbortSignal.abort()).code).toBe('cancelled');
  });

  test('names are shown without control or direction characters', () => {
    const error = translateS3Error(sdkError('NotFound', 404), { bucket: 'b', key: 'a\u202Eb\r\nc' });
    expect(error.userMessage).toMatch(/^b\/ab c /);
  });
});
