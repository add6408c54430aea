import { expect, test } from 'vitest';
import { sessionPolicies } from './s3-session-policy.ts';

interface Policy {
  Statement: {
    Action: string[];
    Resource: string[];
    Condition?: { StringLike: { 's3:prefix': string[] } };
  }[];
}
const parse = (text: string | undefined): Policy => JSON.parse(text ?? '{}');
const BUCKET = 'finance-exports';

test('keys may be read and nothing else', () => {
  const [narrowest] = sessionPolicies('aws', BUCKET, { kind: 'keys', keys: ['a/1.csv', 'b "2".csv'] });
  expect(parse(narrowest).Statement).toEqual([
    {
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: ['arn:aws:s3:::finance-exports/a/1.csv', 'arn:aws:s3:::finance-exports/b "2".csv'],
    },
  ]);
});

test('a prefix may be read and listed', () => {
  const [narrowest] = sessionPolicies('aws-cn', BUCKET, { kind: 'prefixes', prefixes: ['reports/'] });
  expect(parse(narrowest).Statement).toEqual([
    expect.objectContaining({ Resource: ['arn:aws-cn:s3:::finance-exports/reports/*'] }),
    {
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: ['arn:aws-cn:s3:::finance-exports'],
      Condition: { StringLike: { 's3:prefix': ['reports/*'] } },
    },
  ]);
});

test('the whole bucket is one policy', () => {
  const policies = sessionPolicies('aws', BUCKET, { kind: 'prefixes', prefixes: [''] });
  expect(policies).toHaveLength(1);
  expect(parse(policies[0]).Statement[1]).not.toHaveProperty('Condition');
});

test('signs that mean something to IAM stand for themselves', () => {
  const [narrowest] = sessionPolicies('aws', BUCKET, { kind: 'keys', keys: [`a*b?c$\{aws:username}`] });
  expect(parse(narrowest).Statement[0]?.Resource).toEqual([
    `arn:aws:s3:::${BUCKET}/a$\{*}b$\{?}c$\{$}{aws:username}`,
  ]);
});

test('what AssumeRole cannot carry becomes a wildcard', () => {
  const policies = sessionPolicies('aws', BUCKET, { kind: 'keys', keys: ['Übersicht/北京\u0001.csv'] });
  expect(parse(policies[0]).Statement[0]?.Resource).toEqual([`arn:aws:s3:::${BUCKET}/*bersicht/*.csv`]);
  for (const policy of policies) expect(policy).toMatch(/^[\x20-\x7e]+$/);
});

test('too many keys become their folders, as deep as fits', () => {
  const keys = Array.from({ length: 5_000 }, (_, i) => `exports/2026/${i % 400}/part-${i}.parquet`);
  const policies = sessionPolicies('aws', BUCKET, { kind: 'keys', keys });
  expect(parse(policies[0]).Statement[0]?.Resource).toEqual([`arn:aws:s3:::${BUCKET}/exports/2026/*`]);
  for (const policy of policies) expect(policy.length).toBeLessThanOrEqual(2_048);
});

test('narrow ones come first, and the whole bucket is the last resort', () => {
  const policies = sessionPolicies('aws', BUCKET, { kind: 'keys', keys: ['a/b/1', 'a/c/2'] });
  expect(policies.map((policy) => parse(policy).Statement[0]?.Resource.map((arn) => arn.slice(29)))).toEqual([
    ['a/b/1', 'a/c/2'],
    ['a/b/*', 'a/c/*'],
    ['a/*'],
    ['*'],
  ]);
});
