/** Two tickets against a ServiceNow on a real socket: whatever breaks, two tickets and every note once, in order. */
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type LocalIncident,
  type LocalServiceNow,
  type Outage,
  startServiceNow,
} from '../infra/local/servicenow.ts';
import { parsePolicy } from './config.ts';
import { createServiceNow, type ServiceNowOptions } from './servicenow.ts';
import {
  createTickets,
  type Tickets,
  type TicketsOptions,
  type TicketsOutcome,
  ticketsBehind,
} from './tickets.ts';
import { hashPlan, type Transfer, type TransferStatus } from './transfer.ts';
import { move, note } from './transfer-state.ts';

const policyFor = (auditGroup: string) =>
  parsePolicy(`
groups: { finance: ['slack:T01FERRY:U01ANA'], leads: ['slack:T01FERRY:U02BOB'] }
buckets: { finance-exports: {} }
destinations: { acme-ftp: { host: ftp.acme.example, user: ferry, password: 'env:ACME_PASSWORD' } }
rules: [{ request: [finance], from: [finance-exports], to: [acme-ftp], approve: [leads] }]
servicenow: { userGroup: File Transfer, auditGroup: ${auditGroup} }
`);

const AT = Date.UTC(2026, 10, 22, 9, 30);
const log = pino({ level: 'silent' });

function proposed(): Transfer {
  const plan: Transfer['plan'] = {
    bucket: 'finance-exports',
    selection: { kind: 'keys' },
    destination: 'acme-ftp',
    existing: 'refuse',
    priority: 'normal',
    objectCount: 1,
    totalBytes: 10,
    objectsDigest: 'd'.repeat(64),
    preview: [{ index: 0, key: 'q3.csv', size: 10, etag: '"e1"', targetPath: '/q3.csv' }],
  };
  const step = { attempts: 0 };
  return {
    transferId: 'TRF-0123456789',
    version: 1,
    status: 'pending_approval',
    requester: { userId: 'slack:T01FERRY:U01ANA', name: 'Ana', standing: 'member' },
    createdAt: AT,
    thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS' },
    plan,
    planHash: hashPlan(plan),
    approvalExpiresAt: AT + 1,
    tickets: { user: { notedThrough: 0, closed: false }, audit: { notedThrough: 0, closed: false } },
    steps: {
      validate: step,
      tickets: step,
      authorize: step,
      stream: step,
      'update tickets': step,
      notify: step,
    },
    attempt: 1,
    history: [{ seq: 1, at: AT, status: 'pending_approval', by: 'slack:T01FERRY:U01ANA', text: 'Proposed.' }],
    messages: [],
    learned: false,
  };
}

/** The record after these moves, each with its history entry. */
const through = (transfer: Transfer, ...statuses: TransferStatus[]): Transfer =>
  statuses.reduce(
    (record, status) => move(record, status, { at: AT, by: 'worker', text: `Now ${status}.` }),
    transfer,
  );
const told = (transfer: Transfer, { tickets, ticketsDelayed }: TicketsOutcome): Transfer => ({
  ...transfer,
  tickets,
  ticketsDelayed,
});

let server: LocalServiceNow;
beforeEach(async () => {
  server = await startServiceNow();
});
afterEach(() => server.stop());

function tickets(client: Partial<ServiceNowOptions> = {}, own: Partial<TicketsOptions> = {}): Tickets {
  const serviceNow = createServiceNow({
    url: server.url,
    auth: { kind: 'basic', user: server.user, password: server.password },
    now: Date.now,
    log,
    wait: async () => undefined,
    ...client,
  });
  return createTickets({ serviceNow, policy: policyFor('Compliance'), now: () => AT + 5, log, ...own });
}

const noteNumbers = (incident: LocalIncident | undefined) =>
  incident?.notes.map((text) => Number(/^#(\d+) /.exec(text)?.[1]));
const ofKind = (kind: 'user' | 'audit') =>
  server.incidents().filter((incident) => incident.correlationId === `TRF-0123456789:${kind}`);

/** Exactly one user and one audit ticket, each with every entry once and in order, in this state. */
function expectInStep(transfer: Transfer, state: string): void {
  const wanted = transfer.history.map((entry) => entry.seq);
  for (const kind of ['user', 'audit'] as const) {
    const [incident, ...more] = ofKind(kind);
    expect(more).toEqual([]);
    expect(noteNumbers(incident)).toEqual(wanted);
    expect(incident?.state).toBe(state);
    expect(transfer.tickets[kind]).toMatchObject({
      number: incident?.number,
      sysId: incident?.sysId,
      notedThrough: wanted.length,
    });
  }
  expect(ticketsBehind(transfer)).toBe(false);
  expect(transfer.ticketsDelayed).toBeUndefined();
}

describe('in good weather', () => {
  it('opens both, linked to the transfer and to each other', async () => {
    const transfer = told(proposed(), await tickets().syncTickets(proposed()));
    expectInStep(transfer, '1');
    const [user] = ofKind('user');
    const [audit] = ofKind('audit');
    expect(user?.assignmentGroup).toBe('File Transfer');
    expect(audit?.assignmentGroup).toBe('Compliance');
    expect(user?.description).toContain(`Audit ticket: ${audit?.number}`);
    expect(audit?.description).toContain(`Ticket of the requester: ${user?.number}`);
    expect(user?.notes[0]).toContain(audit?.number);
    expect(audit?.notes[0]).toContain(user?.number);
  });

  it('asks nothing when nothing is left to do', async () => {
    const transfer = told(proposed(), await tickets().syncTickets(proposed()));
    const before = server.requests().length;
    expect(await tickets().syncTickets(transfer)).toEqual({ tickets: transfer.tickets });
    expect(server.requests().length).toBe(before);
  });

  it('works with OAuth and survives a token taken back', async () => {
    const { clientId, clientSecret } = server;
    const own = tickets({ auth: { kind: 'oauth', clientId, clientSecret } });
    const transfer = told(proposed(), await own.syncTickets(proposed()));
    server.revokeTokens();
    const next = through(transfer, 'approved');
    expectInStep(told(next, await own.syncTickets(next)), '2');
  });

  it.each([
    ['completed', ['approved', 'queued', 'running', 'completed'], '7', 'Solution provided'],
    ['failed', ['approved', 'queued', 'running', 'failed'], '6', 'No resolution provided'],
    ['cancelled', ['approved', 'queued', 'cancelled'], '7', 'Resolved by caller'],
    ['rejected', ['rejected'], '7', 'No resolution provided'],
    ['expired', ['expired'], '7', 'No resolution provided'],
  ] as const)('closes both when %s', async (_name, statuses, state, code) => {
    let transfer = proposed();
    for (const status of [undefined, ...statuses]) {
      if (status) transfer = through(transfer, status);
      expect(ticketsBehind(transfer)).toBe(true);
      transfer = told(transfer, await tickets().syncTickets(transfer));
    }
    expectInStep(transfer, state);
    expect(server.incidents().map(({ closeCode }) => closeCode)).toEqual([code, code]);
    expect(transfer.tickets.user.closed).toBe(true);
  });

  it('tells a story of which no part was told yet, and closes', async () => {
    const transfer = through(proposed(), 'approved', 'queued', 'running', 'completed');
    expectInStep(told(transfer, await tickets().syncTickets(transfer)), '7');
  });

  it('opens the tickets of a failed transfer again when it is retried', async () => {
    let transfer = through(proposed(), 'approved', 'queued', 'running', 'failed');
    transfer = told(transfer, await tickets().syncTickets(transfer));
    transfer = through(transfer, 'queued');
    expect(ticketsBehind(transfer)).toBe(true);
    transfer = told(transfer, await tickets().syncTickets(transfer));
    expectInStep(transfer, '2');
    expect(transfer.tickets.user.closed).toBe(false);
    transfer = through(transfer, 'running', 'completed');
    expectInStep(told(transfer, await tickets().syncTickets(transfer)), '7');
  });
});

describe('in an outage', () => {
  const story = through(proposed(), 'approved', 'queued', 'running', 'completed');

  it.each(['down', '503', '429', 'slow'] as const)('%s: delays, says why, and catches up', async (kind) => {
    server.setOutage(kind);
    const outcome = await tickets({ timeoutMs: 30 }).syncTickets(story);
    expect(outcome).toMatchObject({ tickets: story.tickets, ticketsDelayed: { since: AT + 5 } });
    expect(outcome.ticketsDelayed?.reason).toMatch(/ServiceNow/);

    const later = { ...told(story, outcome), ticketsDelayed: { since: 7, reason: 'earlier' } };
    const again = await tickets({ timeoutMs: 30 }).syncTickets(later);
    expect(again.ticketsDelayed?.since).toBe(7);

    server.setOutage(undefined);
    expectInStep(told(story, await tickets().syncTickets(told(story, outcome))), '7');
  });

  it('does not need a second try when every write is done but never answered', async () => {
    server.setOutage('accept-then-drop');
    expectInStep(told(story, await tickets().syncTickets(story)), '7');
  });

  it('ends by itself within the budget of the sync', async () => {
    server.setOutage('slow');
    const outcome = await tickets({}, { budgetMs: 30 }).syncTickets(story);
    expect(outcome.ticketsDelayed).toBeDefined();
  });

  it('cannot connect at all', async () => {
    await server.stop();
    const { ticketsDelayed } = await tickets().syncTickets(story);
    expect(ticketsDelayed?.reason).toContain('ECONNREFUSED');
  });
});

describe('interrupted at any request', () => {
  const story = through(proposed(), 'rejected');

  /** A fetch that begins an outage just before its request number `at`, counted from 1, and ends it after `length`. */
  function breaking(at: number, kind: Outage, length: number): { fetch: typeof fetch; count: () => number } {
    let count = 0;
    return {
      count: () => count,
      fetch: (input, init) => {
        count += 1;
        if (count === at) server.setOutage(kind, length);
        return fetch(input, init);
      },
    };
  }

  it.each([
    ['down', 1],
    ['down', 3],
    ['429', 2],
    ['slow', 1],
    ['accept-then-drop', 1],
    ['accept-then-drop', 3],
  ] as const)('%s for %i requests: two tickets, every note once', async (kind, length) => {
    for (const remembered of [true, false]) {
      for (const attempts of [1, 4]) {
        for (let at = 1; ; at += 1) {
          const broken = breaking(at, kind, length);
          const outcome = await tickets({
            attempts,
            fetch: broken.fetch,
            timeoutMs: kind === 'slow' ? 40 : 4_000,
          }).syncTickets(story);
          server.setOutage(undefined);
          // A process that was killed never wrote down what it had reached.
          const known = remembered ? told(story, outcome) : story;
          expectInStep(told(known, await tickets().syncTickets(known)), '7');
          const reached = broken.count() >= at;
          await server.stop();
          server = await startServiceNow();
          if (!reached) break;
        }
      }
    }
  });

  it('gives back what was reached', async () => {
    // Group, look, create, look: the user ticket is open; then the audit group is looked up.
    const outcome = await tickets({ attempts: 1, fetch: breaking(5, 'down', 1).fetch }).syncTickets(story);
    expect(outcome.ticketsDelayed).toBeDefined();
    expect(outcome.tickets.user).toMatchObject({ number: 'INC0010001', notedThrough: 0, closed: false });
    expect(outcome.tickets.audit.number).toBeUndefined();
    expect(ticketsBehind(told(story, outcome))).toBe(true);
  });
});

describe('when the operator is needed', () => {
  it('opens what can be opened, says what is wrong, and goes on when it is repaired', async () => {
    const wrong = tickets({}, { policy: policyFor('Complaints') });
    const outcome = await wrong.syncTickets(proposed());
    expect(outcome.ticketsDelayed?.reason).toContain('“Complaints”');
    expect(outcome.tickets.user.number).toBe('INC0010001');
    const transfer = told(proposed(), outcome);
    expectInStep(told(transfer, await tickets().syncTickets(transfer)), '1');
  });

  it('reports refused credentials as a delay', async () => {
    const auth = { kind: 'basic', user: 'fileferry', password: 'wrong' } as const;
    const outcome = await tickets({ auth }).syncTickets(proposed());
    expect(outcome.ticketsDelayed?.reason).toContain('SERVICENOW_');
    expect(outcome.ticketsDelayed?.reason).not.toContain('wrong');
  });
});

describe('two processes at once', () => {
  it('both create, one ticket stays, and nothing is noted twice', async () => {
    const waiting: (() => void)[] = [];
    // Holds the first create of each process until the other one is there, so that both have looked in vain.
    const meeting = (): typeof fetch => {
      let met = false;
      return async (input, init) => {
        if (init?.method === 'POST' && !met) {
          met = true;
          await new Promise<void>((go) => {
            waiting.push(go);
            if (waiting.length === 2) for (const resume of waiting) resume();
          });
        }
        return fetch(input, init);
      };
    };
    const outcomes = await Promise.all([
      tickets({ fetch: meeting() }).syncTickets(proposed()),
      tickets({ fetch: meeting() }).syncTickets(proposed()),
    ]);
    const [loser, ...others] = outcomes.filter((outcome) => outcome.ticketsDelayed);
    expect(others).toEqual([]);
    expect(ofKind('user')).toHaveLength(1);
    const retired = server.incidents().filter((one) => one.correlationId.endsWith(':duplicate'));
    expect(retired.map(({ state }) => state)).toEqual(['8']);

    for (const outcome of outcomes) {
      const transfer = told(proposed(), outcome);
      expectInStep(told(transfer, await tickets().syncTickets(transfer)), '1');
    }
    expect(loser?.ticketsDelayed?.reason).toContain('another process');
  });

  it('finds the kept ticket when the record knows the one that was retired', async () => {
    const transfer = told(proposed(), await tickets().syncTickets(proposed()));
    const retired = { sysId: 'f'.repeat(32), number: 'INC0019999', notedThrough: 1, closed: false };
    const mistaken = through({ ...transfer, tickets: { ...transfer.tickets, user: retired } }, 'approved');
    expectInStep(told(mistaken, await tickets().syncTickets(mistaken)), '2');
  });

  it('does not take a ticket back that is ahead of this copy of the record', async () => {
    const early = told(proposed(), await tickets().syncTickets(proposed()));
    const approved = through(early, 'approved');
    const done = through(approved, 'queued', 'running', 'failed');
    const after = told(done, await tickets().syncTickets(done));
    await tickets().syncTickets(approved);
    expectInStep(after, '6');
  });
});

describe('a create that lands after nobody waits for it any more', () => {
  /** Two user tickets: the record knows the one, and the other came late. */
  async function late(): Promise<Transfer> {
    let held = false;
    const slowCreate: typeof fetch = (input, init) => {
      if (init?.method === 'POST' && !held) {
        held = true;
        server.setOutage('slow', 1);
      }
      return fetch(input, init);
    };
    const first = await tickets({ attempts: 1, timeoutMs: 50, fetch: slowCreate }).syncTickets(proposed());
    expect(first.ticketsDelayed?.reason).toContain('did not answer');
    const transfer = told(proposed(), await tickets().syncTickets(told(proposed(), first)));
    expectInStep(transfer, '1');
    server.setOutage(undefined);
    await vi.waitFor(() => expect(ofKind('user')).toHaveLength(2));
    return transfer;
  }
  const lateOne = () => server.incidents().find(({ number }) => number === 'INC0010003');

  it('is retired when the transfer ends, and exactly two tickets tell its story', async () => {
    const early = await late();
    const transfer = through(early, 'approved', 'queued', 'running', 'completed');
    const after = told(transfer, await tickets().syncTickets(transfer));
    expectInStep(after, '7');
    expect(after.tickets.user.number).toBe(early.tickets.user.number);
    expect(lateOne()).toMatchObject({
      state: '8',
      correlationId: 'TRF-0123456789:user:duplicate',
      closeCode: 'Duplicate',
    });
    expect(server.incidents()).toHaveLength(3);
  });

  it('is retired later when ServiceNow does not answer at that moment', async () => {
    const transfer = through(await late(), 'rejected');
    let patches = 0;
    const cut: typeof fetch = (input, init) => {
      if (init?.method === 'PATCH') {
        patches += 1;
        if (patches === 1) server.setOutage('down', 1);
      }
      return fetch(input, init);
    };
    const outcome = await tickets({ attempts: 1, fetch: cut }).syncTickets(transfer);
    expect(outcome.ticketsDelayed).toBeDefined();
    expect(ofKind('user')).toHaveLength(2);
    const again = told(transfer, outcome);
    expectInStep(told(again, await tickets().syncTickets(again)), '7');
    expect(lateOne()?.state).toBe('8');
  });

  it('is left alone when a person cancelled it', async () => {
    const transfer = through(await late(), 'rejected');
    server.change('INC0010003', { state: '8', close_notes: 'Opened twice.' });
    const after = told(transfer, await tickets().syncTickets(transfer));
    expect(ticketsBehind(after)).toBe(false);
    expect(after.ticketsDelayed).toBeUndefined();
    expect(lateOne()).toMatchObject({ state: '8', closeNotes: 'Opened twice.' });
    expect(ofKind('user')[0]?.state).toBe('7');
  });
});

describe('people in ServiceNow', () => {
  it('is told whether both are there and whether a person cancelled one', async () => {
    const { readTicketState, syncTickets } = tickets();
    expect(await readTicketState(proposed())).toEqual({ outcome: 'missing', missing: ['user', 'audit'] });
    const transfer = told(proposed(), await syncTickets(proposed()));
    expect(await readTicketState(transfer)).toEqual({ outcome: 'open' });
    // Found by correlation id where the record does not know it yet.
    expect(await readTicketState(proposed())).toEqual({ outcome: 'open' });

    const number = transfer.tickets.audit.number ?? '';
    server.change(number, { state: '8' });
    expect(await readTicketState(transfer)).toEqual({ outcome: 'cancelled', kind: 'audit', number });
    server.remove(number);
    expect(await readTicketState(transfer)).toEqual({ outcome: 'missing', missing: ['audit'] });
    server.setOutage('503');
    expect(await readTicketState(transfer)).toMatchObject({ outcome: 'unknown' });
  });

  it('opens a deleted ticket anew with the whole story', async () => {
    const transfer = told(proposed(), await tickets().syncTickets(proposed()));
    server.remove(transfer.tickets.user.number ?? '');
    const next = through(transfer, 'approved');
    expectInStep(told(next, await tickets().syncTickets(next)), '2');
  });

  it('leaves a cancelled ticket cancelled and does not wait for it for ever', async () => {
    let transfer = told(proposed(), await tickets().syncTickets(proposed()));
    server.change(transfer.tickets.user.number ?? '', { state: '8' });
    transfer = through(transfer, 'approved', 'queued', 'cancelled');
    transfer = told(transfer, await tickets().syncTickets(transfer));
    expect(ticketsBehind(transfer)).toBe(false);
    expect(ofKind('user')[0]?.state).toBe('8');
    expect(ofKind('audit')[0]).toMatchObject({ state: '7', closeCode: 'Resolved by caller' });
  });

  it('notes into a cancelled ticket where that is allowed, and leaves it cancelled', async () => {
    await server.stop();
    server = await startServiceNow({ closedIsReadOnly: false });
    let transfer = told(proposed(), await tickets().syncTickets(proposed()));
    server.change(transfer.tickets.user.number ?? '', { state: '8' });
    transfer = through(transfer, 'rejected');
    transfer = told(transfer, await tickets().syncTickets(transfer));
    expect(ticketsBehind(transfer)).toBe(false);
    expect(ofKind('user')[0]?.state).toBe('8');
    expect(noteNumbers(ofKind('user')[0])).toEqual([1, 2]);
  });

  it('keeps counting when a person changed the correlation display', async () => {
    let transfer = told(proposed(), await tickets().syncTickets(proposed()));
    server.change(transfer.tickets.user.number ?? '', { correlation_display: 'mine' });
    transfer = through(transfer, 'approved');
    expectInStep(told(transfer, await tickets().syncTickets(transfer)), '2');
  });

  it('still accepts a late entry after the tickets were closed', async () => {
    let transfer = through(proposed(), 'rejected');
    transfer = told(transfer, await tickets().syncTickets(transfer));
    transfer = note(transfer, { at: AT, by: 'bot', text: 'The thread was told.' });
    transfer = told(transfer, await tickets().syncTickets(transfer));
    expect(ticketsBehind(transfer)).toBe(false);
    expect(transfer.ticketsDelayed).toBeUndefined();
  });
});
