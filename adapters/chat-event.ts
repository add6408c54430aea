/** What people do in a chat, in neutral words: the only input that the bot knows. */
import { z } from 'zod';
import { personSchema } from '../core/person.ts';
import { messageRefSchema, threadRefSchema } from '../core/thread-ref.ts';
import { ACTION_IDS } from './card.ts';

/** Longest text that is kept of a message, in UTF-16 units; `truncated` tells that there was more. */
export const MAX_TEXT = 4_000;

const common = {
  /**
   * Identifies what the person did, however often and by whatever event it is delivered: a message by channel
   * and timestamp, a click by message, person and click time.
   */
  key: z.string().min(1).max(300),
  person: personSchema,
  /** Where a reply belongs. */
  thread: threadRefSchema,
  /** `dm`: only this person and the bot read it. */
  scope: z.enum(['channel', 'dm']),
  /** Epoch milliseconds at which it arrived here. */
  receivedAt: z.number().int(),
};

const messageEventSchema = z.strictObject({
  ...common,
  kind: z.literal('message'),
  /** It came by slash command. */
  command: z.boolean(),
  /** Plain text: the mention of the bot removed, the platform's mark-up and entities resolved. */
  text: z.string().max(MAX_TEXT),
  truncated: z.boolean(),
});
export type MessageEvent = z.infer<typeof messageEventSchema>;

const actionEventSchema = z.strictObject({
  ...common,
  kind: z.literal('action'),
  actionId: z.enum(ACTION_IDS),
  /** As the platform sent it back; may be forged or stale. */
  value: z.string().max(2_000),
  /** The message that held the button. */
  message: messageRefSchema,
  /** This person alone sees that message, and it is in no thread: it answered a slash command. */
  alone: z.literal(true).optional(),
});
export type ActionEvent = z.infer<typeof actionEventSchema>;

export const chatEventSchema = z.discriminatedUnion('kind', [messageEventSchema, actionEventSchema]);
export type ChatEvent = z.infer<typeof chatEventSchema>;
