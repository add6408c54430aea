/** What people call things, and that nobody is offered what they may not use. */
import { describe, expect, it } from 'vitest';
import { bucketsFor, destinationsFor, type Named, resolveName } from './names.ts';
import type { Person } from './person.ts';
import { policyConfigSchema } from './policy-config.ts';

const named = (name: string, ...aliases: string[]): Named => ({ name, aliases });
const DESTINATIONS = [
  named('partner-ftp', 'Partner drop'),
  named('acme-ftp'),
  named('acme-ftp-staging'),
  named('globex-sftp', 'globex'),
  named('warehouse-ftp'),
];
const BUCKETS = [
  named('finance-exports'),
  named('finance-exports-archive'),
  named('hr-payroll-prod'),
  named('data-lake-raw', 'the lake'),
];

describe('resolveName', () => {
  it.each([
    ['acme-ftp', 'acme-ftp'],
    ['Acme FTP', 'acme-ftp'],
    ['acme_ftp', 'acme-ftp'],
    ['acmeftp', 'acme-ftp'],
    ['acme ftp staging', 'acme-ftp-staging'],
    ['PARTNER DROP', 'partner-ftp'],
    ['the partner ftp', 'partner-ftp'],
    ['the warehouse ftp server', 'warehouse-ftp'],
    ['the warehouse', 'warehouse-ftp'],
    ['Globex SFTP', 'globex-sftp'],
    ['globex', 'globex-sftp'],
    ['staging', 'acme-ftp-staging'],
  ])('%s → %s', (typed, name) => {
    expect(resolveName(typed, DESTINATIONS)).toEqual({ kind: 'found', name });
  });

  it.each([
    ['finance exports', 'finance-exports'],
    ['the lake', 'data-lake-raw'],
    ['lake', 'data-lake-raw'],
    ['payroll', 'hr-payroll-prod'],
    ['the finance-exports bucket', 'finance-exports'],
  ])('%s → %s', (typed, name) => {
    expect(resolveName(typed, BUCKETS)).toEqual({ kind: 'found', name });
  });

  it('leaves the choice where several fit', () => {
    expect(resolveName('acme', DESTINATIONS)).toEqual({
      kind: 'ambiguous',
      candidates: ['acme-ftp', 'acme-ftp-staging'],
    });
    expect(resolveName('the finance bucket', BUCKETS)).toEqual({
      kind: 'ambiguous',
      candidates: ['finance-exports', 'finance-exports-archive'],
    });
    expect(resolveName('drop', [named('a', 'drop'), named('b', 'Drop')])).toMatchObject({
      kind: 'ambiguous',
    });
  });

  it('never takes a typo for the name', () => {
    expect(resolveName('acme-fpt', DESTINATIONS)).toEqual({ kind: 'unknown', nearest: ['acme-ftp'] });
    expect(resolveName('finanse-exports', BUCKETS)).toEqual({
      kind: 'unknown',
      nearest: ['finance-exports'],
    });
  });

  it.each(['nonsense', '', '…', 'constructor', '__proto__'])('knows nothing of %j', (typed) => {
    expect(resolveName(typed, DESTINATIONS)).toEqual({ kind: 'unknown', nearest: [] });
  });
});

describe('what a person may be offered', () => {
  const policy = policyConfigSchema.parse({
    groups: { finance: ['slack:T1:U01ANA'], approvers: ['slack:T1:U01BOB'] },
    buckets: { 'finance-exports': { aliases: ['books'] }, 'hr-payroll-prod': {} },
    destinations: {
      'acme-ftp': { host: 'ftp.example.com', user: 'u', password: 'env:P', aliases: ['acme'] },
      'globex-ftp': { host: 'ftp.example.com', user: 'u', password: 'env:P' },
    },
    rules: [{ request: ['finance'], from: ['finance-exports'], to: ['acme-ftp'], approve: ['approvers'] }],
    servicenow: { userGroup: 'a', auditGroup: 'b' },
  });
  const person = (id: string): Person => ({ userId: `slack:T1:${id}`, name: id, standing: 'member' });

  it('is what a rule gives them', () => {
    expect(bucketsFor(policy, person('U01ANA'))).toEqual([named('finance-exports', 'books')]);
    expect(destinationsFor(policy, person('U01ANA'))).toEqual([named('acme-ftp', 'acme')]);
    expect(destinationsFor(policy, person('U01BOB'))).toEqual([]);
    expect(bucketsFor(policy, person('U01CLEO'))).toEqual([]);
  });
});
