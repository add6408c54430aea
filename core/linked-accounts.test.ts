import { beforeEach, describe, expect, it } from 'vitest';
import { memoryNotes } from '../test/support/memory-notes.ts';
import { createLinkedAccounts, type LinkedAccounts } from './linked-accounts.ts';
import type { Person } from './person.ts';

const inSlack: Person = {
  userId: 'slack:T1:U1',
  name: 'Ana',
  email: 'Ana@example.com',
  standing: 'member',
};
const inTeams: Person = { ...inSlack, userId: 'teams:t:a', email: 'ana@example.com' };

describe('accounts of one person', () => {
  let linked: LinkedAccounts;
  beforeEach(() => {
    linked = createLinkedAccounts(memoryNotes());
  });

  it('are those that were seen with the same address', async () => {
    await linked.see(inSlack);
    expect(await linked.accountsOf(inTeams)).toEqual(['teams:t:a', 'slack:T1:U1']);
    expect(await linked.accountsOf(inSlack)).toEqual(['slack:T1:U1']);
    await linked.see(inTeams);
    expect(await linked.accountsOf(inSlack)).toEqual(['slack:T1:U1', 'teams:t:a']);
  });

  it.each<[string, Partial<Person>]>([
    ['a guest', { standing: 'guest' }],
    ['somebody of another organisation', { standing: 'external' }],
    ['somebody without an address', { email: undefined }],
    ['somebody with another address', { email: 'bob@example.com' }],
  ])('leave out %s', async (_, change) => {
    await linked.see(inSlack);
    expect(await linked.accountsOf({ ...inTeams, ...change })).toEqual(['teams:t:a']);
    await linked.see({ ...inTeams, ...change });
    expect(await linked.accountsOf(inSlack)).toEqual(['slack:T1:U1']);
  });

  it('follow the address to a new account', async () => {
    await linked.see(inSlack);
    await linked.see({ ...inSlack, userId: 'slack:T1:U2' });
    expect(await linked.accountsOf(inTeams)).toEqual(['teams:t:a', 'slack:T1:U2']);
  });
});
