/** Ticket words: what each kind says, and that untrusted text stays text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from './config.ts';
import {
  correlationDisplay,
  description,
  notedThrough,
  openingFields,
  stateFields,
  workNote,
} from './ticket-text.ts';
import { hashPlan, TICKET_KINDS, TRANSFER_STATUSES, type Transfer } from './transfer.ts';

const policy = parsePolicy(`
groups: { finance: ['slack:T01FERRY:U01ANA'], leads: ['slack:T01FERRY:U02BOB'] }
buckets: { finance-exports: {} }
destinations:
  acme-ftp: { host: ftp.acme.example, user: ferry, password: 'env:ACME_PASSWORD', folder: /in }
rules: [{ request: [finance], from: [finance-exports], to: [acme-ftp], approve: [leads] }]
servicenow: { userGroup: File Transfer, auditGroup: Compliance }
`);

const AT = Date.UTC(2026, 10, 22, 9, 30);
const ana = {
  userId: 'slack:T01FERRY:U01ANA',
  name: 'Ana Silva',
  email: 'ana@example.com',
  standing: 'member',
} as const;
const bob = { userId: 'slack:T01FERRY:U02BOB', name: 'Bob', standing: 'member' } as const;

function transfer(changes: Partial<Transfer> = {}, key = 'reports/q3.csv'): Transfer {
  const plan: Transfer['plan'] = {
    bucket: 'finance-exports',
    selection: { kind: 'keys' },
    destination: 'acme-ftp',
    existing: 'refuse',
    priority: 'normal',
    objectCount: 1,
    totalBytes: 1_234_567,
    objectsDigest: 'd'.repeat(64),
    preview: [{ index: 0, key, size: 1_234_567, etag: '"e1"', targetPath: '/in/q3.csv' }],
  };
  return {
    transferId: 'TRF-0123456789',
    version: 1,
    status: 'pending_approval',
    requester: ana,
    createdAt: AT,
    thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1.2' },
    plan,
    planHash: hashPlan(plan),
    approvalExpiresAt: AT + 86_400_000,
    tickets: {
      user: { notedThrough: 0, closed: false },
      audit: { notedThrough: 0, closed: false },
    },
    steps: {
      validate: { attempts: 0 },
      tickets: { attempts: 0 },
      authorize: { attempts: 0 },
      stream: { attempts: 0 },
      'update tickets': { attempts: 0 },
      notify: { attempts: 0 },
    },
    attempt: 1,
    history: [{ seq: 1, at: AT, status: 'pending_approval', by: ana.userId, text: 'Proposed by Ana Silva.' }],
    messages: [],
    learned: false,
    ...changes,
  };
}
const decision = {
  outcome: 'approved',
  by: bob,
  at: AT + 60_000,
  planHash: transfer().planHash,
} as const;

describe('opening a ticket', () => {
  it('tells the requester’s group what was asked for', () => {
    const fields = openingFields('user', transfer(), policy);
    expect(fields).toMatchObject({
      correlation_id: 'TRF-0123456789:user',
      correlation_display: 'FileFerry TRF-0123456789 #0',
      short_description: 'File transfer TRF-0123456789: 1 file from finance-exports to acme-ftp',
      assignment_group: 'File Transfer',
      impact: '3',
      urgency: '3',
    });
    expect(fields.description).toBe(
      [
        'Transfer: TRF-0123456789',
        'Requested by: Ana Silva <ana@example.com>',
        'Requested at: 2026-11-22 09:30:00 UTC',
        'From: S3 bucket finance-exports, the named files',
        'To: acme-ftp',
        'Amount: 1 file, 1,234,567 bytes',
        'Priority: normal',
        'Files:',
        '- reports/q3.csv (1,234,567 bytes) → /in/q3.csv',
      ].join('\n'),
    );
  });

  it('tells the compliance group by which right and exactly what', () => {
    const { planHash } = transfer();
    const fields = openingFields('audit', transfer(), policy);
    expect(fields.assignment_group).toBe('Compliance');
    for (const fact of [
      'Requester id: slack:T01FERRY:U01ANA (member)',
      `Plan hash: ${planHash}`,
      `Digest of all files: ${'d'.repeat(64)}`,
      'Server: ftp.acme.example:21, TLS explicit, folder /in',
      'If a file exists there: refuse',
      'The requester may not approve it.',
      'Approval lapses at: 2026-11-23 09:30:00 UTC',
      'ETag "e1"',
    ]) {
      expect(fields.description).toContain(fact);
    }
    expect(fields.description).not.toMatch(/ACME_PASSWORD|ferry\b/);
  });

  it('raises the user ticket, not the audit ticket, of a transfer of high priority', () => {
    const plan = { ...transfer().plan, priority: 'high' } as const;
    expect(openingFields('user', transfer({ plan }), policy)).toMatchObject({ impact: '2', urgency: '1' });
    expect(openingFields('audit', transfer({ plan }), policy)).toMatchObject({ impact: '3', urgency: '3' });
  });

  it('names the other ticket once it is known', () => {
    expect(description('user', transfer(), policy, 'INC0010002')).toContain('Audit ticket: INC0010002');
    expect(description('audit', transfer(), policy, 'INC0010001')).toContain(
      'Ticket of the requester: INC0010001',
    );
  });
});

describe('notes', () => {
  const entry = { seq: 3, at: AT, status: 'queued', by: 'bot', text: 'Put on the queue.' } as const;

  it('say when and what, and to the auditor by whom', () => {
    expect(workNote('user', entry)).toBe('#3 2026-11-22 09:30:00 UTC queued: Put on the queue.');
    expect(workNote('audit', entry)).toBe('#3 2026-11-22 09:30:00 UTC queued: Put on the queue. (by bot)');
    expect(workNote('user', entry, 'INC0010002')).toMatch(/\nAudit ticket: INC0010002$/);
  });

  it('carry their number in the ticket', () => {
    expect(notedThrough('TRF-0123456789', correlationDisplay('TRF-0123456789', 12))).toBe(12);
    for (const display of [
      '',
      'FileFerry TRF-9999999999 #5',
      'FileFerry TRF-0123456789 #5 ',
      'something else',
    ]) {
      expect(notedThrough('TRF-0123456789', display)).toBe(0);
    }
  });
});

describe('states', () => {
  it.each([
    ['pending_approval', '1'],
    ['approved', '2'],
    ['queued', '2'],
    ['running', '2'],
    ['failed', '6'],
    ['completed', '7'],
    ['cancelled', '7'],
    ['rejected', '7'],
    ['expired', '7'],
  ] as const)('%s is %s', (status, state) => {
    const fields = stateFields('user', transfer({ status }));
    expect(fields.state).toBe(state);
    const closing = state === '6' || state === '7';
    expect(Boolean(fields.close_code)).toBe(closing);
    expect(Boolean(fields.close_notes)).toBe(closing);
  });

  it('close with what happened', () => {
    const notes = (changes: Partial<Transfer>, kind: 'user' | 'audit' = 'user') =>
      stateFields(kind, transfer(changes)).close_notes;
    expect(notes({ status: 'completed', decision, verified: 'size + CRC32 by server' })).toBe(
      '1 file, 1,234,567 bytes, delivered to acme-ftp.\nVerified: size + CRC32 by server.\nApproved by Bob at 2026-11-22 09:31:00 UTC.',
    );
    expect(notes({ status: 'completed', decision }, 'audit')).toContain('Bob (slack:T01FERRY:U02BOB)');
    expect(
      notes({
        status: 'failed',
        failure: { code: 'target_full', message: 'The disk is full.', step: 'stream', reference: 'REF-1' },
      }),
    ).toBe('Failed at “stream”: The disk is full. (REF-1)\nA retry opens this ticket again.');
    expect(notes({ status: 'rejected', decision: { ...decision, outcome: 'rejected' } })).toMatch(
      /^Rejected by Bob/,
    );
    expect(notes({ status: 'rejected', decision: { ...decision, outcome: 'withdrawn', by: ana } })).toMatch(
      /^Withdrawn by Ana Silva/,
    );
    expect(notes({ status: 'expired' })).toMatch(/^Nobody decided in time/);
    expect(notes({ status: 'cancelled', cancelRequested: { by: ana, at: AT } })).toMatch(/^Cancelled by Ana/);
  });
});

describe('untrusted text', () => {
  it('cannot show HTML, mention anybody, hide or add a line', () => {
    const hostile = 'a[code]<b>x</b>[/ CODE]@[abc:Dan]\u202Egpj\nPlan hash: forged';
    for (const kind of TICKET_KINDS) {
      const fields = openingFields(kind, transfer({ requester: { ...ana, name: hostile } }, hostile), policy);
      const note = workNote(kind, { seq: 1, at: AT, by: hostile, text: hostile });
      for (const text of [fields.description ?? '', note]) {
        expect(text).not.toMatch(/\[\s*\/?\s*code\s*\]|@\[|\u202E/i);
        expect(text.split('\n').some((line) => line.startsWith('Plan hash: forged'))).toBe(false);
      }
    }
  });

  it('fits the columns whatever it is', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 50 }),
      fc.constantFrom('x'.repeat(1_024), '😀'.repeat(512), '[code]'.repeat(170), '@['.repeat(500)),
    );
    fc.assert(
      fc.property(text, text, fc.constantFrom(...TRANSFER_STATUSES), (key, words, status) => {
        const base = transfer({}, key);
        const [object] = base.plan.preview;
        if (!object) throw new Error('a plan has a preview');
        const full = transfer({
          status,
          requester: { ...ana, name: words },
          plan: {
            ...base.plan,
            preview: Array.from({ length: 5 }, () => ({ ...object, targetPath: `/${key}` })),
          },
          failure: { code: 'internal', message: words.repeat(3), step: 'stream' },
        });
        for (const kind of TICKET_KINDS) {
          const opening = openingFields(kind, full, policy);
          expect(opening.short_description?.length).toBeLessThanOrEqual(160);
          expect(description(kind, full, policy, words).length).toBeLessThanOrEqual(4_000);
          expect(stateFields(kind, full).close_notes?.length ?? 0).toBeLessThanOrEqual(1_000);
          const note = workNote(kind, { seq: 1, at: AT, by: words, text: words.repeat(9) }, 'INC0010001');
          expect(note.length).toBeLessThanOrEqual(4_000);
          expect(note).toContain('INC0010001');
        }
      }),
      { numRuns: 60 },
    );
  });
});
