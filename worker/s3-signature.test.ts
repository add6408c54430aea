import { describe, expect, test } from 'vitest';
import { SigningKeyCache, type SigningKeys, signGet } from './s3-signature.ts';

const get = {
  path: '/bucket/a%20key',
  query: { versionId: 'v/1' },
  host: 's3.example.com',
  ifMatch: '"e"',
  region: 'eu-central-1',
};
const keys: SigningKeys = { accessKeyId: 'AKIAANA', secretAccessKey: 'first', sessionToken: 'token' };
const NOON = Date.UTC(2026, 10, 22, 12);
const DAY = 86_400_000;

describe('a cache that has signed before', () => {
  test.each([
    ['the same again', get, keys, NOON],
    ['with renewed keys', get, { ...keys, secretAccessKey: 'second' }, NOON],
    ['on the day after', get, keys, NOON + DAY],
    ['for another region', { ...get, region: 'us-east-1' }, keys, NOON],
  ])('signs as a new one does: %s', (_what, what, by, at) => {
    const cache = new SigningKeyCache();
    signGet(get, keys, NOON, cache);
    expect(signGet(what, by, at, cache)).toBe(signGet(what, by, at, new SigningKeyCache()));
  });

  test('gives another signature for other keys', () => {
    const cache = new SigningKeyCache();
    const other = { ...keys, secretAccessKey: 'second' };
    expect(signGet(get, keys, NOON, cache)).not.toBe(signGet(get, other, NOON, cache));
  });
});
