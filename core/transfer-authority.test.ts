/** What stops a transfer at its next session: another run, a policy that changed, a ticket that was cancelled. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { transferAt } from '../test/support/cards.ts';
import { policy } from '../test/support/transfers.ts';
import { scopeOf } from './policy.ts';
import { createPolicyFile } from './policy-file.ts';
import type { Tickets } from './tickets.ts';
import type { Transfer } from './transfer.ts';
import { createTransferAuthority } from './transfer-authority.ts';

type TicketState = Awaited<ReturnType<Tickets['readTicketState']>>;

const running = (changes: Partial<Transfer> = {}): Transfer =>
  transferAt('running', {
    lease: { owner: 'a worker', token: 3, expiresAt: 1 },
    tickets: {
      user: { number: 'INC1', sysId: 'a', notedThrough: 1, closed: false },
      audit: { number: 'INC2', sysId: 'b', notedThrough: 1, closed: false },
    },
    ...changes,
  });

function authority(
  current: Transfer | undefined,
  state: TicketState = { outcome: 'open' },
  now: () => typeof policy = () => policy,
) {
  return createTransferAuthority({
    transfers: { get: async () => current },
    tickets: { readTicketState: async () => state },
    loadScope: async (transfer) =>
      scopeOf(
        transfer,
        transfer.plan.preview.map(({ key }) => key),
      ),
    policy: now,
  });
}

test('a run under its lease, with open tickets and a policy that allows it, goes on under its ticket', async () => {
  const transfer = running();
  expect(await authority(transfer)(transfer)).toBe('INC1');
});

test.each<[string, (transfer: Transfer) => Transfer | undefined]>([
  ['is gone', () => undefined],
  ['is at a later attempt', (transfer) => ({ ...transfer, attempt: 2 })],
  ['was taken over', (transfer) => ({ ...transfer, lease: { owner: 'b', token: 4, expiresAt: 1 } })],
  ['has ended', (transfer) => ({ ...transfer, status: 'completed' })],
  ['was cancelled', (transfer) => ({ ...transfer, status: 'cancelled' })],
  ['has another plan', (transfer) => ({ ...transfer, planHash: 'other' })],
])('a run whose record %s is refused', async (_what, change) => {
  const transfer = running();
  await expect(authority(change(transfer))(transfer)).rejects.toMatchObject({
    code: 'not_allowed',
    retryable: false,
  });
});

test.each<[TicketState, string, boolean]>([
  [{ outcome: 'cancelled', kind: 'user', number: 'INC1' }, 'cancelled', false],
  [{ outcome: 'missing', missing: ['audit'] }, 'not_allowed', false],
  [{ outcome: 'unknown', reason: 'ServiceNow does not answer.' }, 'unavailable', true],
])('tickets that are %j end in %s', async (state, code, retryable) => {
  const transfer = running();
  await expect(authority(transfer, state)(transfer)).rejects.toMatchObject({ code, retryable });
});

test('a person who was taken out of the policy file is refused at the next session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fileferry-policy-'));
  try {
    const file = join(folder, 'policy.yaml');
    const write = (text: string) => writeFileSync(file, text);
    // JSON is YAML.
    write(JSON.stringify(policy));
    const now = createPolicyFile(file, policy, pino({ level: 'silent' }));
    const transfer = running();
    const authorize = authority(transfer, { outcome: 'open' }, now);
    expect(await authorize(transfer)).toBe('INC1');

    write('groups: [this is no policy');
    expect(await authorize(transfer)).toBe('INC1');

    write(JSON.stringify({ ...policy, groups: { ...policy.groups, finance: [] } }));
    await expect(authorize(transfer)).rejects.toMatchObject({
      code: 'not_allowed',
      userMessage: expect.stringContaining('Ana may no longer request this'),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
