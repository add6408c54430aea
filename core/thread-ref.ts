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
  serviceUrl: z.string(),
  conversationId: z.string(),
  botId: z.string(),
});

export const threadRefSchema = z.discriminatedUnion('platform', [slackThreadRef, teamsThreadRef]);
export type ThreadRef = z.infer<typeof threadRefSchema>;
export type SlackThreadRef = z.infer<typeof slackThreadRef>;

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

/** A channel as the policy names it, `slack:TEAM:CHANNEL`, or undefined for anything else. */
export function channelRef(text: string): ThreadRef | undefined {
  const match = /^slack:([^:\s]+):([^:\s]+)$/.exec(text);
  return match ? { platform: 'slack', teamId: match[1] ?? '', channelId: match[2] ?? '' } : undefined;
}

/** Where replies to a message belong: on Slack, a message that stands in no thread begins one. */
export function repliesTo({ thread, messageId }: MessageRef): ThreadRef {
  switch (thread.platform) {
    case 'slack':
      return { ...thread, threadTs: thread.threadTs ?? messageId };
    case 'teams':
      return thread;
  }
}
