import { describe, expect, it } from 'vitest';
import { ana, bob, cleo, eve, NOON, plannedObject, policy, proposal } from '../test/support/transfers.ts';
import { parsePolicy } from './config.ts';
import type { Person } from './person.ts';
import {
  approvalHolds,
  approverGroups,
  exampleRequest,
  isSamePerson,
  mayCancel,
  mayDecide,
  mayRead,
  mayRequest,
  maySee,
  mayUse,
  type RequestScope,
  readableBuckets,
  readableSources,
  scopeOf,
  usableDestinations,
} from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';

const dan: Person = { ...eve, userId: 'slack:T01FERRY:U04DAN', name: 'Dan', email: 'dan@example.com' };

const scope = (changes: Partial<RequestScope> = {}): RequestScope => ({
  bucket: 'finance-exports',
  keys: ['reports/q3.csv'],
  destination: 'acme-ftp',
  totalBytes: 100,
  objectCount: 1,
  ...changes,
});

/** Small transfers are Bob's to decide, large ones Cleo's; Dan is known by email. */
const tiered = parsePolicy(`
groups:
  askers: ["${ana.userId}", "email:Dan@Example.com"]
  leads: ["${bob.userId}"]
  directors: ["${cleo.userId}"]
buckets: { finance-exports: {}, marketing-assets: {} }
destinations:
  acme-ftp: { host: ftp.acme.example, user: ferry, password: "env:ACME" }
  other-ftp: { host: ftp.other.example, user: ferry, password: "env:OTHER" }
rules:
  - { request: [askers], from: [finance-exports], to: [acme-ftp], approve: [leads], maxBytes: 1 KB }
  - { request: [askers], from: [finance-exports], to: [acme-ftp], approve: [directors], maxBytes: 1 MB }
  - { request: [askers], from: [marketing-assets/], to: [acme-ftp], approve: [leads] }
limits: { maxObjects: 3 }
servicenow: { userGroup: File Transfers, auditGroup: Compliance }
`);

describe('who may use FileFerry', () => {
  it('admits members only, unless the policy says otherwise', () => {
    expect(mayUse(policy, ana).allowed).toBe(true);
    for (const standing of ['guest', 'external', 'deactivated', 'bot'] as const) {
      expect(mayUse(policy, { ...ana, standing }).allowed).toBe(false);
      expect(mayRequest(policy, { ...ana, standing }, scope()).allowed).toBe(false);
      expect(readableSources(policy, { ...ana, standing })).toEqual([]);
      expect(usableDestinations(policy, { ...ana, standing })).toEqual([]);
    }
  });
});

describe('who may request', () => {
  it('allows what one rule covers', () => {
    expect(mayRequest(policy, ana, scope())).toEqual({ allowed: true });
    expect(mayRequest(tiered, dan, scope())).toEqual({ allowed: true });
  });

  it.each([
    ['a stranger', eve, scope()],
    ['an approver who is no requester', bob, scope()],
    ['another bucket', ana, scope({ bucket: 'marketing-assets' })],
    ['a key outside the prefix', ana, scope({ keys: ['salaries.csv'] })],
    [
      'one key of many outside the prefix',
      ana,
      scope({ keys: ['reports/a.csv', 'salaries.csv'], objectCount: 2 }),
    ],
    ['a destination that no rule names', ana, scope({ destination: 'other-ftp' })],
    ['no key at all', ana, scope({ keys: [], objectCount: 0 })],
  ])('refuses %s', (_what, person, asked) => {
    const verdict = mayRequest(policy, person, asked);
    expect(verdict).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('no rule of the policy'),
    });
  });

  it('does not take a longer name for its beginning', () => {
    expect(mayRequest(policy, ana, scope({ keys: ['reports-secret/q3.csv'] })).allowed).toBe(false);
    expect(mayRequest(policy, ana, scope({ bucket: 'finance-exports-2' })).allowed).toBe(false);
  });

  it('names the key that no rule covers, made fit to be read', () => {
    const verdict = mayRequest(policy, ana, scope({ keys: ['reports/a', 'x\u202Ey'], objectCount: 2 }));
    expect(verdict).toMatchObject({ reason: expect.stringContaining('finance-exports/xy to acme-ftp') });
  });

  it('wants one rule for all files of a transfer', () => {
    const split = parsePolicy(`
groups: { a: ["${ana.userId}"], b: ["${bob.userId}"], c: ["${cleo.userId}"] }
buckets: { finance-exports: {} }
destinations: { acme-ftp: { host: h, user: u, password: "env:P" } }
rules:
  - { request: [a], from: [finance-exports/one/], to: [acme-ftp], approve: [b] }
  - { request: [a], from: [finance-exports/two/], to: [acme-ftp], approve: [c] }
servicenow: { userGroup: u, auditGroup: a }
`);
    const both = scope({ keys: ['one/x', 'two/x'], objectCount: 2 });
    expect(mayRequest(split, ana, both)).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('separate transfers'),
    });
    expect(mayDecide(split, bob, proposal(), both).allowed).toBe(false);
  });

  it('holds the most generous limit of size, and the number of files', () => {
    expect(mayRequest(tiered, ana, scope({ totalBytes: 1_000_000 })).allowed).toBe(true);
    expect(mayRequest(tiered, ana, scope({ totalBytes: 1_000_001 }))).toMatchObject({ allowed: false });
    const keys = ['a', 'b', 'c', 'd'];
    expect(mayRequest(tiered, ana, scope({ keys, objectCount: 4 }))).toMatchObject({
      reason: expect.stringContaining('more than 3 files'),
    });
  });

  it('knows by email only those whose own directory vouches for it', () => {
    const open: PolicyConfig = { ...tiered, standings: ['member', 'guest', 'external'] };
    for (const standing of ['guest', 'external'] as const) {
      const stranger = { ...dan, userId: 'slack:T01FERRY:U07GUS', standing };
      expect(mayUse(open, stranger).allowed).toBe(true);
      expect(mayRequest(open, stranger, scope()).allowed).toBe(false);
      expect(usableDestinations(open, stranger)).toEqual([]);
    }
    expect(mayRequest(open, dan, scope()).allowed).toBe(true);
  });

  it('does not take names of the language for groups or destinations', () => {
    expect(mayRequest(policy, ana, scope({ destination: 'constructor' })).allowed).toBe(false);
  });
});

describe('who may decide', () => {
  const transfer = proposal({ requester: ana });

  it('lets an approver decide who did not ask', () => {
    expect(mayDecide(policy, bob, transfer, scope())).toEqual({ allowed: true });
  });

  it('refuses the requester, although in the group of approvers', () => {
    expect(mayDecide(policy, ana, transfer, scope())).toMatchObject({
      reason: expect.stringContaining('somebody else'),
    });
  });

  it('refuses the requester also under another account with the same email', () => {
    const elsewhere = { ...cleo, email: 'ANA@example.com' };
    expect(mayDecide(policy, elsewhere, transfer, scope()).allowed).toBe(false);
  });

  it('refuses an account with the requester’s address, whoever wrote it there', () => {
    const open: PolicyConfig = { ...policy, standings: ['member', 'guest'] };
    const guest = { ...cleo, email: 'ana@example.com', standing: 'guest' as const };
    expect(mayDecide(open, { ...guest, email: cleo.email }, transfer, scope()).allowed).toBe(true);
    expect(mayDecide(open, guest, transfer, scope()).allowed).toBe(false);
  });

  describe('of another directory', () => {
    const everywhere = parsePolicy(`
groups:
  finance: ["${ana.userId}", "teams:tenant-1:ana"]
  approvers: ["${bob.userId}", "teams:tenant-1:bob", "teams:tenant-2:bob", "teams:tenant-1:ana"]
buckets: { finance-exports: {} }
destinations: { acme-ftp: { host: h, user: u, password: "env:P" } }
rules: [{ request: [finance], from: [finance-exports], to: [acme-ftp], approve: [approvers] }]
standings: [member, guest]
servicenow: { userGroup: u, auditGroup: a }
`);
    const inTeams = (person: Person, name: string, tenant = 'tenant-1'): Person => ({
      ...person,
      userId: `teams:${tenant}:${name}`,
    });
    const NAMES: Readonly<Record<string, string>> = {
      slack: 'Slack',
      teams: 'the requester’s tenant of Teams',
    };
    const nameOf = (userId: string) => NAMES[userId.split(':', 1)[0] ?? ''];
    const decide = (person: Person, requester: Person) =>
      mayDecide(everywhere, person, proposal({ requester }), scope(), nameOf);

    it('decides when both have an address, and not the same', () => {
      expect(decide(inTeams(bob, 'bob'), ana)).toEqual({ allowed: true });
      expect(decide(bob, inTeams(ana, 'ana'))).toEqual({ allowed: true });
      expect(decide(inTeams(ana, 'ana'), ana)).toMatchObject({
        reason: expect.stringContaining('somebody else has to decide'),
      });
    });

    it.each<[string, Person, Person, string]>([
      ['the approver has no address', { ...inTeams(ana, 'ana'), email: undefined }, ana, 'your account'],
      ['the requester has none', inTeams(bob, 'bob'), { ...ana, email: undefined }, 'requester’s account'],
      [
        'a guest’s address counts for nothing',
        { ...inTeams(bob, 'bob'), standing: 'guest' },
        ana,
        'in Slack',
      ],
      [
        'two tenants of Teams',
        { ...inTeams(bob, 'bob', 'tenant-2'), email: '' },
        inTeams(ana, 'ana'),
        'Teams',
      ],
    ])('does not when %s: it may be the requester', (_, person, requester, words) => {
      const verdict = decide(person, requester);
      expect(verdict).toMatchObject({ reason: expect.stringContaining('cannot tell') });
      expect(verdict).toMatchObject({ reason: expect.stringContaining(words) });
    });

    it('needs no address beside a requester of the same directory, nor to see or to stop a transfer', () => {
      const nameless = { ...inTeams(bob, 'bob'), email: undefined };
      expect(decide(nameless, { ...inTeams(ana, 'ana'), email: undefined })).toEqual({ allowed: true });
      for (const ask of [mayCancel, maySee])
        expect(ask(everywhere, nameless, proposal({ requester: ana }), scope()).allowed).toBe(true);
    });

    it('tells those who may not approve at all just that', () => {
      expect(decide({ ...inTeams(eve, 'eve'), email: undefined }, ana)).toMatchObject({
        reason: expect.stringContaining('not among those'),
      });
    });
  });

  it('refuses strangers and those who may no longer use FileFerry', () => {
    expect(mayDecide(policy, eve, transfer, scope()).allowed).toBe(false);
    expect(mayDecide(policy, { ...bob, standing: 'deactivated' }, transfer, scope()).allowed).toBe(false);
  });

  it('asks those of a rule that allows this size, not of any rule', () => {
    const large = scope({ totalBytes: 50_000 });
    expect(mayDecide(tiered, bob, transfer, large).allowed).toBe(false);
    expect(mayDecide(tiered, cleo, transfer, large).allowed).toBe(true);
    expect(approverGroups(tiered, transfer, large)).toEqual(['directors']);
    expect(approverGroups(tiered, transfer, scope())).toEqual(['directors', 'leads']);
  });

  it('lets nobody decide on what the requester may no longer ask for', () => {
    expect(mayDecide(policy, bob, transfer, scope({ keys: ['salaries.csv'] })).allowed).toBe(false);
    expect(mayDecide(policy, bob, proposal({ requester: eve }), scope()).allowed).toBe(false);
  });
});

it('shows and lets cancel a transfer to its requester and its approvers only', () => {
  const transfer = proposal({ requester: ana });
  for (const ask of [mayCancel, maySee]) {
    expect(ask(policy, ana, transfer, scope()).allowed).toBe(true);
    expect(ask(policy, bob, transfer, scope()).allowed).toBe(true);
    expect(ask(policy, eve, transfer, scope()).allowed).toBe(false);
    expect(ask(policy, { ...ana, standing: 'deactivated' }, transfer, scope()).allowed).toBe(false);
  }
});

it('tells what a person may see and use', () => {
  expect(readableSources(policy, ana)).toEqual(['finance-exports/reports/']);
  expect(readableBuckets(policy, bob)).toEqual(['finance-exports']);
  expect(readableBuckets(policy, eve)).toEqual([]);
  expect(mayRead(policy, ana, 'finance-exports', 'reports/q3.csv').allowed).toBe(true);
  expect(mayRead(policy, ana, 'finance-exports', 'salaries.csv').allowed).toBe(false);
  expect(usableDestinations(policy, ana)).toEqual(['acme-ftp']);
  expect(usableDestinations(policy, bob)).toEqual([]);
  expect(exampleRequest(policy, ana)).toEqual({
    source: 'finance-exports/reports/',
    destination: 'acme-ftp',
  });
  expect(exampleRequest(policy, bob)).toBeUndefined();
});

it('knows a person by account, or by an email that is there', () => {
  expect(isSamePerson(ana, { ...cleo, userId: ana.userId })).toBe(true);
  expect(isSamePerson(ana, bob)).toBe(false);
  const nameless = (id: string): Person => ({ userId: id, name: '', email: '', standing: 'member' });
  expect(isSamePerson(nameless('slack:T:1'), nameless('slack:T:2'))).toBe(false);
  expect(isSamePerson({ ...ana, email: undefined }, { ...bob, email: undefined })).toBe(false);
  for (const standing of ['guest', 'external'] as const)
    expect(isSamePerson(ana, { ...bob, email: ana.email, standing })).toBe(false);
});

it('takes the keys of a plan complete or not at all', () => {
  const objects = Array.from({ length: 7 }, (_, index) => plannedObject(index));
  const transfer = proposal({}, objects);
  const keys = objects.map(({ key }) => key);
  expect(scopeOf(transfer, keys)).toMatchObject({ keys, objectCount: 7, destination: 'acme-ftp' });
  expect(() =>
    scopeOf(
      transfer,
      transfer.plan.preview.map(({ key }) => key),
    ),
  ).toThrow('5 of 7 keys');
});

it('holds an approval to its plan and its day', () => {
  const decision = { outcome: 'approved', by: bob, at: NOON, planHash: 'this plan' } as const;
  const day = 24 * 3_600_000;
  expect(approvalHolds(policy, decision, 'this plan', NOON + day - 1)).toBe(true);
  expect(approvalHolds(policy, decision, 'this plan', NOON + day)).toBe(false);
  expect(approvalHolds(policy, decision, 'another plan', NOON)).toBe(false);
  expect(approvalHolds(policy, { ...decision, outcome: 'withdrawn' }, 'this plan', NOON)).toBe(false);
  expect(approvalHolds(policy, undefined, 'this plan', NOON)).toBe(false);
});
