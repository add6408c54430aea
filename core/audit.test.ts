import { describe, expect, it } from 'vitest';
import { bob, NOON, proposal } from '../test/support/transfers.ts';
import { auditBehind, withAudit } from './audit.ts';
import type { Transfer } from './transfer.ts';
import { move } from './transfer-state.ts';

const write = { at: NOON, by: 'worker' } as const;
const said = (transfer: Transfer) => transfer.audit?.pending.map(({ kind, text }) => `${kind}: ${text}`);

/** As if all that was pending had been brought in. */
const broughtIn = (transfer: Transfer): Transfer =>
  transfer.audit ? { ...transfer, audit: { ...transfer.audit, pending: [] } } : transfer;

describe('audit events', () => {
  const first = withAudit(undefined, proposal(), write);

  it('begin with the request and what exactly was asked for', () => {
    expect(first.audit?.pending).toMatchObject([
      { seq: 1, kind: 'state', by: first.requester.userId, planHash: first.planHash },
    ]);
    expect(first.audit?.pending[0]?.facts).toMatchObject({
      status: 'pending_approval',
      destination: 'acme-ftp',
      objectsDigest: first.plan.objectsDigest,
    });
  });

  it('tell who decided on which plan, once', () => {
    const decision = { outcome: 'approved', by: bob, at: NOON, planHash: first.planHash } as const;
    const entry = { at: NOON, by: bob.userId, text: 'Approved by Bob.' };
    const known = broughtIn(first);
    const decided = withAudit(known, move({ ...known, decision }, 'approved', entry), write);
    expect(said(decided)).toEqual(['decision: Decision: approved.', 'state: Approved by Bob.']);
    expect(decided.audit?.pending[0]).toMatchObject({
      seq: 2,
      by: bob.userId,
      facts: { shownPlanHash: first.planHash },
    });
    expect(withAudit(decided, { ...decided, version: 9 }, write)).toEqual({ ...decided, version: 9 });
  });

  it('tell tickets as they open and close, and each session', () => {
    const known = broughtIn(first);
    const open = { number: 'INC1', sysId: 'a', notedThrough: 0, closed: false };
    const opened = withAudit(known, { ...known, tickets: { ...known.tickets, user: open } }, write);
    expect(said(opened)).toEqual(['ticket: The user ticket INC1 is open.']);
    const closed = { ...opened.tickets, user: { ...open, closed: true } };
    const sessions = [
      { at: NOON, purpose: 'check' },
      { at: NOON + 1, purpose: 'stream' },
    ] as const;
    const later = broughtIn(opened);
    const told = withAudit(later, { ...later, tickets: closed, sessions: [...sessions] }, write);
    expect(said(told)).toEqual([
      "session: A session in the requester's name gave the right to look at its files in finance-exports.",
      "session: A session in the requester's name gave the right to read its files from finance-exports.",
      'ticket: The user ticket INC1 is closed.',
    ]);
    expect(told.audit?.pending[1]).toMatchObject({
      at: NOON + 1,
      facts: { user: first.requester.userId, purpose: 'stream', bucket: 'finance-exports', ticket: 'INC1' },
    });
    expect(withAudit(told, { ...told, version: 9 }, write)).toEqual({ ...told, version: 9 });
  });

  it('tell what was verified', () => {
    const running = broughtIn(withAudit(undefined, proposal({ status: 'running' }), write));
    const entry = { at: NOON, by: 'worker', text: 'Completed.' };
    const done = withAudit(running, { ...move(running, 'completed', entry), verified: 'size' }, write);
    expect(done.audit?.pending[0]?.facts).toEqual({ status: 'completed', attempt: 1, verified: 'size' });
  });

  it('begin with the whole history where a chain was not kept before', () => {
    const old = proposal({ status: 'running' });
    const entry = { at: NOON, by: 'worker', text: 'Completed.' };
    const events = withAudit(old, move(old, 'completed', entry), write).audit?.pending;
    expect(events?.map(({ kind }) => kind)).toEqual(['state', 'state']);
  });

  it('leave a record behind until they are brought in, and after streaming until files are listed', () => {
    expect(auditBehind(first)).toBe(true);
    const steps = { ...first.steps, stream: { attempts: 1 } };
    const ended = broughtIn({ ...first, status: 'failed', steps });
    expect(auditBehind(broughtIn(first))).toBe(false);
    expect(auditBehind(ended)).toBe(true);
    expect(auditBehind(proposal({ status: 'failed', steps }))).toBe(false);
  });
});
