/** Speaking to a chat platform: the one port that bot and worker post through. */
import type { MessageRef, Platform, ThreadRef } from '../core/thread-ref.ts';
import type { Card } from './card.ts';

export interface PostOptions {
  /**
   * Marks the message invisibly, so that it can be found again: unique per message that should exist, such as
   * `TRF-…/approval`. At most 100 characters of `[A-Za-z0-9:/.-]`.
   */
  readonly key: string;
  /**
   * Look for a message with this key in the thread before posting; set it when an earlier post may have
   * arrived without our knowing.
   */
  readonly lookFirst?: boolean;
}

/**
 * Every method throws a FerryError: `throttled`, `unavailable` and `timeout` are retryable; `not_found` when the
 * thread or message is gone or the bot may not write there.
 */
export interface ChatClient {
  readonly platform: Platform;
  /** What the directory in which one person has one account is called, in a sentence about a requester who is in it. */
  readonly directory: string;
  post(thread: ThreadRef, card: Card, options: PostOptions): Promise<MessageRef>;
  update(message: MessageRef, card: Card): Promise<void>;
  /** Posts to the person's direct messages with the bot, opening them if need be. */
  dm(userId: string, card: Card, options: PostOptions): Promise<MessageRef>;
  /** Shows the card to one person only, in the thread. Best effort: it is not kept and cannot be edited. */
  whisper(thread: ThreadRef, userId: string, card: Card): Promise<void>;
  /**
   * Answers a click on the message with its card as it is now, for the clicker, where the platform waits for an answer;
   * the message itself is edited by `update`. Never throws.
   */
  refresh?(message: MessageRef, card: Card): void;
  /**
   * Shows that the bot is at work on an answer; gone with the next post. Never throws.
   *
   * @returns whether the platform shows it in this thread
   */
  thinking?(thread: ThreadRef): Promise<boolean>;
  /**
   * Begins a message that grows, where the platform has such messages in this thread; undefined elsewhere. Never throws.
   *
   * @param text plain; the platform's own mark-up in it means nothing
   */
  stream?(thread: ThreadRef, text: string): Promise<TextStream | undefined>;
}

/** A message that grows before its reader's eyes. */
export interface TextStream {
  /** Adds plain text to its end. @throws FerryError */
  append(text: string): Promise<void>;
  /** Ends the growing; from then on the message can be edited. */
  stop(): Promise<MessageRef>;
}

/** The clients of the platforms that are configured. */
export type ChatClients = { readonly [P in Platform]?: ChatClient };

/** The client for a thread, message or user id, or undefined when its platform is not configured. */
export function clientFor(
  clients: ChatClients,
  where: ThreadRef | MessageRef | string,
): ChatClient | undefined {
  if (typeof where === 'string') return clients[where.slice(0, where.indexOf(':')) as Platform];
  return clients['thread' in where ? where.thread.platform : where.platform];
}
