import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigFaults, parsePolicy } from './config.ts';

/** The faults that this policy has. */
function faultsOf(text: string): readonly string[] {
  try {
    parsePolicy(text, 'policy.yaml');
  } catch (error) {
    if (error instanceof ConfigFaults) return error.faults;
    throw error;
  }
  return [];
}

const VALID = `
groups: { finance: ["slack:T01FERRY:U01ANA"], leads: ["email:bob@example.com"] }
buckets: { finance-exports: {} }
destinations: { acme-ftp: { host: ftp.acme.example, user: ferry, password: "env:ACME" } }
rules: [{ request: [finance], from: [finance-exports], to: [acme-ftp], approve: [leads] }]
servicenow: { userGroup: File Transfers, auditGroup: Compliance }
`;

describe('a valid policy', () => {
  it('gets its defaults and cannot be changed', () => {
    const policy = parsePolicy(VALID);
    expect(policy).toMatchObject({
      approval: { expiresAfterHours: 24 },
      limits: { maxBytes: 5 * 2 ** 40, maxObjects: 10_000 },
      standings: ['member'],
      destinations: {
        'acme-ftp': { port: 21, tls: 'explicit', folder: '/', existing: 'refuse', maxConnections: 4 },
      },
    });
    expect(Object.isFrozen(policy.rules[0]?.from)).toBe(true);
  });

  it.each([
    ['50 GB', 50e9],
    ['512 MiB', 512 * 2 ** 20],
    ['1.5kB', 1_500],
    ['7', undefined],
    ['0 B', undefined],
    ['-1 MB', undefined],
    ['1.2.3 MB', undefined],
    [1_024, 1_024],
  ])('reads the size %s', (given, bytes) => {
    const text = VALID.replace(
      'approve: [leads]',
      `approve: [leads], maxBytes: ${typeof given === 'string' ? `"${given}"` : given}`,
    );
    if (bytes === undefined) expect(faultsOf(text)).toEqual([expect.stringContaining('rules.0.maxBytes')]);
    else expect(parsePolicy(text).rules[0]?.maxBytes).toBe(bytes);
  });

  it('is what the example file holds', () => {
    const text = readFileSync('fileferry.config.example.yaml', 'utf8');
    expect(parsePolicy(text).rules).toHaveLength(1);
  });
});

describe('a wrong policy', () => {
  it('is told of names that do not exist together with every other fault', () => {
    const faults = faultsOf(`
groups: { finance: ["Ana"] }
buckets: { finance-exports: {} }
destinations:
  acme-ftp: { host: ftp.acme.example, user: ferry, password: hunter2, folder: ../up }
rules:
  - { request: [nobody], from: [no-bucket/x], to: [no-ftp], approve: [toString], maxBytes: much }
  - { request: [finance], from: [finance-exports], to: [acme-ftp], approve: [] }
surprise: 1
`);
    expect(faults).toEqual(
      expect.arrayContaining([
        'policy.yaml groups.finance.0: expected slack:TEAM:USER, teams:TENANT:USER or email:ADDRESS',
        'policy.yaml destinations.acme-ftp.password: expected env:NAME, file:/path or secretsmanager:NAME',
        'policy.yaml destinations.acme-ftp.folder: expected an absolute path without ".." or control characters',
        'policy.yaml rules.0.maxBytes: expected a size such as "50 GB" or "512 MiB", got "much"',
        'policy.yaml rules.0.request.0: there is no group "nobody"',
        'policy.yaml rules.0.approve.0: there is no group "toString"',
        'policy.yaml rules.0.from.0: there is no bucket "no-bucket"',
        'policy.yaml rules.0.to.0: there is no destination "no-ftp"',
        'policy.yaml servicenow: is missing',
        expect.stringContaining('surprise'),
        expect.stringContaining('rules.1.approve'),
      ]),
    );
    expect(faults).toHaveLength(11);
    expect(faults.join()).not.toContain('hunter2');
  });

  it('does not blame a rule for a part that is missing altogether', () => {
    const faults = faultsOf(VALID.replace(/^buckets.*$/m, ''));
    expect(faults).toEqual(['policy.yaml buckets: is missing']);
  });

  it.each([
    ['nothing', ''],
    ['a list', '- a\n- b'],
    ['a word', 'hello'],
    ['rules that are no list', VALID.replace(/^rules.*$/m, 'rules: all')],
    ['a rule that is no mapping', VALID.replace(/^rules.*$/m, 'rules: [all, null]')],
    ['a rule whose parts are no lists', VALID.replace('request: [finance]', 'request: {a: 1}')],
  ])('is refused without a crash when it holds %s', (_what, text) => {
    expect(faultsOf(text).length).toBeGreaterThan(0);
  });

  it('is refused when it is not YAML', () => {
    expect(faultsOf('groups: [')).toEqual([expect.stringContaining('policy.yaml: not valid YAML')]);
  });
});
