import { describe, expect, it } from 'vitest';
import type { Person } from '../core/person.ts';
import type { ThreadRef } from '../core/thread-ref.ts';
import { placeOfApproval } from './approval-place.ts';

const inSlack: ThreadRef = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1.1' };
const inTeams: ThreadRef = {
  platform: 'teams',
  tenantId: 'tenant-1',
  serviceUrl: 'https://smba.example',
  conversationId: 'a:1',
  botId: '28:bot',
};
const slackApprovals: ThreadRef = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C02APPROVE' };
const teamsApprovals: ThreadRef = {
  platform: 'teams',
  tenantId: 'tenant-1',
  serviceUrl: '',
  conversationId: '19:approvals@thread.tacv2',
  botId: '',
};

const anaIn = (directory: string, changes: Partial<Person> = {}): Person => ({
  userId: `${directory}:ana`,
  name: 'Ana',
  standing: 'member',
  ...changes,
});
const email = 'ana@example.com';
const dm = (thread: ThreadRef, person: Person, channel: ThreadRef | undefined) =>
  placeOfApproval({ scope: 'dm', thread, person }, channel);

const SLACK = 'slack:T01FERRY';
const TEAMS = 'teams:tenant-1';

describe('what is asked for in a direct message', () => {
  it.each([
    ['Slack', inSlack, SLACK, slackApprovals],
    ['Teams', inTeams, TEAMS, teamsApprovals],
  ] as const)(
    'in %s is approved in a channel there, by whatever email',
    (_where, thread, directory, channel) => {
      expect(dm(thread, anaIn(directory), channel)).toEqual({ proposalThread: channel });
    },
  );

  it.each([
    ['Slack', 'Teams', inSlack, SLACK, teamsApprovals],
    ['Teams', 'Slack', inTeams, TEAMS, slackApprovals],
  ] as const)(
    'in %s is approved in %s only when the email is trusted',
    (_here, _there, thread, directory, channel) => {
      expect(dm(thread, anaIn(directory, { email }), channel)).toEqual({ proposalThread: channel });
      for (const person of [anaIn(directory), anaIn(directory, { email, standing: 'guest' })]) {
        const { proposalThread, noApproval } = dm(thread, person, channel);
        expect(proposalThread).toBeUndefined();
        expect(noApproval?.reason).toContain('a channel of another chat or organisation');
        expect(noApproval?.reason).toContain('no email address that I may trust');
        expect(noApproval?.advice).toContain('your own organisation here by mentioning me');
      }
    },
  );

  it.each([
    ['Slack', inSlack, 'slack:T02OTHER', slackApprovals],
    ['Teams', inTeams, 'teams:tenant-2', teamsApprovals],
  ] as const)(
    'in another organisation of %s is held to the same',
    (_platform, thread, directory, channel) => {
      expect(dm(thread, anaIn(directory, { email }), channel)).toEqual({ proposalThread: channel });
      const { proposalThread, noApproval } = dm(thread, anaIn(directory), channel);
      expect(proposalThread).toBeUndefined();
      expect(noApproval?.reason).toContain('a channel of another chat or organisation');
      expect(noApproval?.advice).toContain('your own organisation here by mentioning me');
    },
  );

  it('has nowhere to go without a channel for approvals', () => {
    const { proposalThread, noApproval } = dm(inSlack, anaIn(SLACK, { email }), undefined);
    expect(proposalThread).toBeUndefined();
    expect(noApproval?.reason).toContain('Nobody else reads our direct messages');
  });
});

it('is approved where it is asked for in a channel, by whatever email', () => {
  for (const [thread, directory] of [
    [inSlack, SLACK],
    [inTeams, TEAMS],
  ] as const) {
    const event = { scope: 'channel', thread, person: anaIn(directory) } as const;
    expect(placeOfApproval(event, teamsApprovals)).toEqual({ proposalThread: thread });
  }
});
