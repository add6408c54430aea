/** Where a reply goes, and which posted message to edit: neutral, serialisable, tagged by platform. */
import { z } from 'zod';

const slackThreadRef = z.strictObject({
  platform: z.literal('slack'),
  teamId: z.string(),
  channelId: z.string(),
  /** Timestamp of the thread's first message; absent in a direct message without a thread. */
  threadTs: z.string().optional(),
});

const teamsThreadRef = z.strictObject({
  platform: z.literal('teams'),
  tenantId: z.string(),
  /** Where the Bot Connector of this conversation is; empty where only the policy names the channel. */
  serviceUrl: z.string(),
  /** A thread in a channel is `CHANNEL;messageid=ROOT`; without the root it is the channel itself. */
  conversationId: z.string(),
  botId: z.string(),
});

export const threadRefSchema = z.discriminatedUnion('platform', [slackThreadRef, teamsThreadRef]);
export type ThreadRef = z.infer<typeof threadRefSchema>;
export type SlackThreadRef = z.infer<typeof slackThreadRef>;
export type TeamsThreadRef = z.infer<typeof teamsThreadRef>;

/** A posted message: its thread and the platform's id of it (Slack: `ts`; Teams: activity id). */
export const messageRefSchema = z.strictObject({ thread: threadRefSchema, messageId: z.string() });
export type MessageRef = z.infer<typeof messageRefSchema>;

export type Platform = ThreadRef['platform'];

/** A conversation's name, for doing things in the order in which they were said there. */
export function threadKey(thread: ThreadRef): string {
  switch (thread.platform) {
    case 'slack':
      return `slack:${thread.teamId}:${thread.channelId}:${thread.threadTs ?? ''}`;
    case 'teams':
      return `teams:${thread.tenantId}:${thread.conversationId}`;
  }
}

/** Platform and tenant of the people who are there: what a `userId` of theirs begins with. */
export function directoryOfThread(thread: ThreadRef): string {
  return thread.platform === 'slack' ? `slack:${thread.teamId}` : `teams:${thread.tenantId}`;
}

/** A channel as the policy names it, `slack:TEAM:CHANNEL` or `teams:TENANT:CHANNEL`, or undefined for anything else. */
export function channelRef(text: string): ThreadRef | undefined {
  const slack = /^slack:([^:\s]+):([^:\s]+)$/.exec(text);
  if (slack) return { platform: 'slack', teamId: slack[1] ?? '', channelId: slack[2] ?? '' };
  const teams = /^teams:([^:\s]+):(19:[^\s;]+)$/.exec(text);
  if (!teams) return undefined;
  return {
    platform: 'teams',
    tenantId: teams[1] ?? '',
    conversationId: teams[2] ?? '',
    serviceUrl: '',
    botId: '',
  };
}

const isTeamsChannel = (conversationId: string) => /^19:[^;]+@thread\.(tacv2|skype)$/.test(conversationId);

/** Where replies to a message belong: a message that stands in a channel and in no thread begins one. */
export function repliesTo({ thread, messageId }: MessageRef): ThreadRef {
  switch (thread.platform) {
    case 'slack':
      return { ...thread, threadTs: thread.threadTs ?? messageId };
    case 'teams':
      return isTeamsChannel(thread.conversationId)
        ? { ...thread, conversationId: `${thread.conversationId};messageid=${messageId}` }
        : thread;
  }
}
