/** Turns Teams' activities into neutral events; pure, so what needs a look at Teams is only said. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TeamsThreadRef } from '../../core/thread-ref.ts';
import { ACTION_IDS } from '../card.ts';
import type { ActionEvent, MessageEvent } from '../chat-event.ts';
import type { Sender } from './people.ts';
import { readText } from './text.ts';

/** A neutral event but for the person, who is looked up from `sender`. */
interface Taken {
  readonly kind: 'taken';
  readonly sender: Sender;
  readonly event: Omit<MessageEvent, 'person'> | Omit<ActionEvent, 'person'>;
}

/** The bot was added to a conversation, in which it may introduce itself. */
interface Added {
  readonly kind: 'added';
  readonly thread: TeamsThreadRef;
}

/** The bot was removed from a conversation, where nothing can be said any more. */
interface Removed {
  readonly kind: 'removed';
  readonly thread: TeamsThreadRef;
}

export type Normalized = Taken | Added | Removed | { readonly kind: 'ignored'; readonly why: string };

const ignored = (why: string): Normalized => ({ kind: 'ignored', why });

/** What every activity has that FileFerry looks at. @see https://learn.microsoft.com/azure/bot-service/bot-activities */
export const envelopeSchema = z.object({
  type: z.string().min(1).max(100),
  channelId: z.literal('msteams'),
  serviceUrl: z.string().min(1).max(500),
  id: z.string().max(200).optional(),
  conversation: z.object({
    id: z.string().min(1).max(400),
    tenantId: z.string().max(100).optional(),
    conversationType: z.string().optional(),
    isGroup: z.boolean().optional(),
  }),
  from: z.object({ id: z.string().min(1).max(400), aadObjectId: z.string().max(100).optional() }),
  recipient: z.object({ id: z.string().min(1).max(400) }),
  channelData: z.object({ tenant: z.object({ id: z.string().max(100) }).optional() }).optional(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** The tenant that the conversation belongs to; undefined when the activity names none, or two. */
export function tenantOf({ conversation, channelData }: Envelope): string | undefined {
  const given = new Set([conversation.tenantId, channelData?.tenant?.id].filter((id) => id !== undefined));
  return given.size === 1 ? [...given][0] : undefined;
}

function threadOf(envelope: Envelope, tenantId: string): TeamsThreadRef {
  return {
    platform: 'teams',
    tenantId,
    serviceUrl: envelope.serviceUrl,
    conversationId: envelope.conversation.id,
    botId: envelope.recipient.id,
  };
}

const isPersonal = ({ conversation }: Envelope): boolean =>
  conversation.conversationType === 'personal' ||
  (conversation.conversationType === undefined && conversation.id.startsWith('a:'));

/** Ids of conversations and people are long; an event's key has room for a hash of them. */
const keyOf = (tenantId: string, kind: string, ...parts: readonly string[]) =>
  `teams:${tenantId}:${kind}:${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 40)}`;

const mention = z
  .object({
    type: z.literal('mention'),
    mentioned: z.object({ id: z.string() }),
    text: z.string().optional(),
  })
  .transform(({ mentioned, text }) => ({ mentionedId: mentioned.id, text }));

const messageSchema = z.object({
  id: z.string(),
  text: z.string().default(''),
  entities: z.array(z.unknown()).default([]),
});

function normalizeMessage(raw: unknown, sender: Sender, envelope: Envelope, receivedAt: number): Normalized {
  const parsed = messageSchema.safeParse(raw);
  if (!parsed.success) return ignored('not a message of a known form');
  const { id, text, entities } = parsed.data;
  const mentions = entities.flatMap((entity) => mention.safeParse(entity).data ?? []);
  const { thread } = sender;
  const dm = isPersonal(envelope);
  const named = mentions.some(({ mentionedId }) => mentionedId === thread.botId);
  // Teams delivers what does not name the bot only where an administrator let it read along.
  if (!dm && !named) return ignored('not addressed to the bot');
  return {
    kind: 'taken',
    sender,
    event: {
      kind: 'message',
      key: keyOf(thread.tenantId, 'message', thread.conversationId, id),
      scope: dm ? 'dm' : 'channel',
      command: false,
      thread,
      receivedAt,
      ...readText(text, mentions, thread.botId),
    },
  };
}

/** @see https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model */
const clickSchema = z.object({
  id: z.string(),
  name: z.literal('adaptiveCard/action'),
  replyToId: z.string().min(1).max(200),
  value: z.object({
    action: z.object({
      type: z.literal('Action.Execute'),
      verb: z.enum(ACTION_IDS),
      data: z.object({ value: z.string().max(2_000), thread: z.string().min(1).max(400).optional() }),
    }),
  }),
});

/** Whether this is a click on a card, whatever is in it: it has to be answered. */
export const isClick = (raw: unknown): boolean =>
  z.object({ type: z.literal('invoke'), name: z.literal('adaptiveCard/action') }).safeParse(raw).success;

function normalizeClick(raw: unknown, sender: Sender, envelope: Envelope, receivedAt: number): Normalized {
  const parsed = clickSchema.safeParse(raw);
  if (!parsed.success) return ignored('not a button of ours');
  const { id, replyToId, value } = parsed.data;
  const { thread: shownIn, teamsId } = sender;
  const { data, verb } = value.action;
  // Whoever says so without being there is not found in that conversation's roster.
  const thread = data.thread ? { ...shownIn, conversationId: data.thread } : shownIn;
  return {
    kind: 'taken',
    sender: { ...sender, thread },
    event: {
      kind: 'action',
      key: keyOf(thread.tenantId, 'action', shownIn.conversationId, replyToId, teamsId, id),
      scope: isPersonal(envelope) && !data.thread ? 'dm' : 'channel',
      thread,
      receivedAt,
      actionId: verb,
      value: data.value,
      message: { thread: shownIn, messageId: replyToId },
    },
  };
}

const members = z.array(z.object({ id: z.string() })).default([]);
const changeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('installationUpdate'), action: z.string() }),
  z.object({ type: z.literal('conversationUpdate'), membersAdded: members, membersRemoved: members }),
]);

/** Teams tells of an installation twice: as such, and as a member that was added. Of other members it tells once. */
function normalizeChange(raw: unknown, thread: TeamsThreadRef): Normalized {
  const change = changeSchema.safeParse(raw).data;
  if (!change) return ignored('a change of an unknown form');
  const isBot = ({ id }: { readonly id: string }) => id === thread.botId;
  const [added, removed] =
    change.type === 'installationUpdate'
      ? [/^add(-upgrade)?$/.test(change.action), /^remove(-upgrade)?$/.test(change.action)]
      : [change.membersAdded.some(isBot), change.membersRemoved.some(isBot)];
  if (added) return { kind: 'added', thread };
  return removed ? { kind: 'removed', thread } : ignored('a change that is not about the bot');
}

/**
 * An activity whose envelope and sender are known to be genuine.
 *
 * @param receivedAt epoch milliseconds
 */
export function normalizeActivity(
  raw: unknown,
  envelope: Envelope,
  tenantId: string,
  receivedAt: number,
): Normalized {
  const thread = threadOf(envelope, tenantId);
  if (envelope.type === 'conversationUpdate' || envelope.type === 'installationUpdate')
    return normalizeChange(raw, thread);
  if (envelope.type !== 'message' && envelope.type !== 'invoke') return ignored(envelope.type);
  const { id: teamsId, aadObjectId } = envelope.from;
  const sender: Sender = { teamsId, aadObjectId, thread };
  if (envelope.type === 'message') return normalizeMessage(raw, sender, envelope, receivedAt);
  return isClick(raw) ? normalizeClick(raw, sender, envelope, receivedAt) : ignored('another invoke');
}
