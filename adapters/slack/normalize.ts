/** Turns Slack's payloads into neutral events; pure, so what needs a look at Slack is only said. */
import { z } from 'zod';
import { ACTION_IDS } from '../card.ts';
import type { ActionEvent, MessageEvent } from '../chat-event.ts';
import { mentions, readText } from './text.ts';
import type { BotIdentity } from './web-api.ts';

/** A neutral event but for the person, who is looked up by `slackUser`. */
interface Taken {
  readonly kind: 'taken';
  readonly slackUser: string;
  readonly event: Omit<MessageEvent, 'person'> | Omit<ActionEvent, 'person'>;
  /** The bot was named: from now on it takes part in this thread. */
  readonly joins?: ThreadPlace;
  /** Without a mention, the message counts only if the bot takes part in this thread. */
  readonly onlyIn?: ThreadPlace;
}

export interface ThreadPlace {
  readonly channelId: string;
  readonly threadTs: string;
}

export type Normalized = Taken | { readonly kind: 'ignored'; readonly why: string };

const ignored = (why: string): Normalized => ({ kind: 'ignored', why });

/** @see https://docs.slack.dev/reference/events/message and `app_mention` */
const messagePayload = z.object({
  type: z.enum(['message', 'app_mention']),
  subtype: z.string().optional(),
  user: z.string().optional(),
  bot_id: z.string().nullish(),
  text: z.string().default(''),
  ts: z.string(),
  thread_ts: z.string().optional(),
  channel: z.string(),
  channel_type: z.string().optional(),
  edited: z.unknown().optional(),
});

/** Subtypes that people's own new messages have; all others tell of edits, joins, bots and the like. */
const WRITTEN_BY_PEOPLE = new Set(['file_share', 'thread_broadcast']);

/** Direct messages have channel ids of their own; some events come without `channel_type`. */
const isDirect = (channelId: string, channelType?: string): boolean =>
  channelType === 'im' || channelId.startsWith('D');

/**
 * A `message` or `app_mention` event. Both come for one mention; they have the same key.
 *
 * @param receivedAt epoch milliseconds
 */
export function normalizeMessage(payload: unknown, bot: BotIdentity, receivedAt: number): Normalized {
  const parsed = messagePayload.safeParse(payload);
  if (!parsed.success) return ignored('not a message of a known form');
  const message = parsed.data;
  if (message.subtype && !WRITTEN_BY_PEOPLE.has(message.subtype)) return ignored(message.subtype);
  if (!message.user || message.bot_id || message.user === bot.botUserId) return ignored('written by a bot');
  if (message.edited) return ignored('edited');

  const direct = isDirect(message.channel, message.channel_type);
  const mentioned = message.type === 'app_mention' || mentions(message.text, bot.botUserId);
  if (!direct && !mentioned && !message.thread_ts) return ignored('not addressed to the bot');

  const threadTs = direct ? message.thread_ts : (message.thread_ts ?? message.ts);
  const place = { channelId: message.channel, threadTs: threadTs ?? message.ts };
  return {
    kind: 'taken',
    slackUser: message.user,
    event: {
      kind: 'message',
      key: `slack:${bot.teamId}:${message.channel}:${message.ts}`,
      scope: direct ? 'dm' : 'channel',
      command: false,
      thread: {
        platform: 'slack',
        teamId: bot.teamId,
        channelId: message.channel,
        ...(threadTs && { threadTs }),
      },
      receivedAt,
      ...readText(message.text, bot.botUserId),
    },
    ...(!direct && (mentioned ? { joins: place } : { onlyIn: place })),
  };
}

/** @see https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const actionsPayload = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: z.string() }),
  container: z.object({
    message_ts: z.string(),
    channel_id: z.string(),
    thread_ts: z.string().optional(),
    is_ephemeral: z.boolean().default(false),
  }),
  message: z.object({ thread_ts: z.string().optional() }).optional(),
  actions: z
    .array(
      z.object({
        type: z.literal('button'),
        action_id: z.string(),
        value: z.string().max(2_000).default(''),
        action_ts: z.string(),
      }),
    )
    .min(1),
});

/** Our action in a button's `action_id`, where the renderer may have numbered it. */
const actionIdOf = (slackActionId: string) => {
  const name = slackActionId.replace(/:\d+$/, '');
  return ACTION_IDS.find((known) => known === name);
};

/** A click on a button of ours. */
export function normalizeAction(payload: unknown, bot: BotIdentity, receivedAt: number): Normalized {
  const parsed = actionsPayload.safeParse(payload);
  if (!parsed.success) return ignored('not a click of a known form');
  const { user, container, message, actions } = parsed.data;
  const [click] = actions;
  const actionId = click && actionIdOf(click.action_id);
  if (!click || !actionId) return ignored('not a button of ours');

  const { channel_id: channelId, message_ts: messageTs } = container;
  const inThread = message?.thread_ts ?? container.thread_ts;
  // No thread can begin below what one person alone sees.
  const alone = container.is_ephemeral && !inThread;
  const threadTs = inThread ?? (isDirect(channelId) || alone ? undefined : messageTs);
  const thread = {
    platform: 'slack',
    teamId: bot.teamId,
    channelId,
    ...(threadTs && { threadTs }),
  } as const;
  const parts = [
    'slack',
    bot.teamId,
    'action',
    channelId,
    messageTs,
    user.id,
    click.action_id,
    click.action_ts,
  ];
  return {
    kind: 'taken',
    slackUser: user.id,
    event: {
      kind: 'action',
      key: parts.join(':'),
      scope: isDirect(channelId) ? 'dm' : 'channel',
      thread,
      receivedAt,
      actionId,
      value: click.value,
      message: { thread, messageId: messageTs },
      ...(alone && { alone }),
    },
  };
}

/** @see https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling */
const commandPayload = z.object({
  command: z.string(),
  text: z.string().default(''),
  user_id: z.string(),
  channel_id: z.string(),
  trigger_id: z.string().max(200),
});

/** A slash command. It is no message, so it has no thread: the reply begins one. */
export function normalizeCommand(payload: unknown, bot: BotIdentity, receivedAt: number): Normalized {
  const parsed = commandPayload.safeParse(payload);
  if (!parsed.success) return ignored('not a command of a known form');
  const { text, user_id: slackUser, channel_id: channelId, trigger_id: triggerId } = parsed.data;
  return {
    kind: 'taken',
    slackUser,
    event: {
      kind: 'message',
      key: `slack:${bot.teamId}:command:${triggerId}`,
      scope: isDirect(channelId) ? 'dm' : 'channel',
      command: true,
      thread: { platform: 'slack', teamId: bot.teamId, channelId },
      receivedAt,
      ...readText(text, bot.botUserId),
    },
  };
}
