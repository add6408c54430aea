/** Posts and edits messages in Slack: the `ChatClient` of bot and worker. */
import { randomUUID } from 'node:crypto';
import type { ConversationsRepliesResponse } from '@slack/web-api';
import type { Logger } from 'pino';
import { FerryError } from '../../core/errors.ts';
import type { MessageRef, SlackThreadRef, ThreadRef } from '../../core/thread-ref.ts';
import { boundedCache } from '../bounded-cache.ts';
import type { Card } from '../card.ts';
import type { ChatClient, PostOptions, TextStream } from '../chat-client.ts';
import { slackUserOf } from './people.ts';
import { keyOfMark, markOf, renderCard } from './render.ts';
import { startSlackStream } from './stream.ts';
import type { BotIdentity, SlackApi } from './web-api.ts';

const KEEP_MS = 24 * 60 * 60_000;
const MAX_REMEMBERED = 5_000;
/** Pages of 200 messages that are searched for one of our own. */
const MAX_PAGES = 5;
/** Times that a post is tried whose answer was lost. */
const MAX_POSTS = 3;

export interface SlackChatClientOptions {
  readonly api: SlackApi;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

type FoundMessage = NonNullable<ConversationsRepliesResponse['messages']>[number];

function slackThread(thread: ThreadRef): SlackThreadRef {
  if (thread.platform === 'slack') return thread;
  throw new FerryError('internal', {
    userMessage: 'FileFerry mixed up two chat platforms. Nothing was posted.',
    cause: new TypeError(`a ${thread.platform} thread was given to the Slack client`),
  });
}

const isOurs = ({ user, bot_id }: FoundMessage, { botUserId, botId }: BotIdentity): boolean =>
  user === botUserId || bot_id === botId;

/** An outage after which nobody knows whether Slack has acted. */
const isUncertain = (error: unknown): boolean =>
  error instanceof FerryError && (error.code === 'timeout' || error.code === 'unavailable');

export class SlackChatClient implements ChatClient {
  readonly platform = 'slack';
  readonly directory = 'Slack';
  readonly #api: SlackApi;
  readonly #logger: Logger;
  /** Direct-message channel by Slack user. */
  readonly #direct;
  /** Key by channel and timestamp of messages posted or seen, for edits; `''` where a message has none. */
  readonly #keys;
  #showsStatus = true;
  #streams = true;

  constructor({ api, logger, now }: SlackChatClientOptions) {
    this.#api = api;
    this.#logger = logger;
    this.#direct = boundedCache<string>(MAX_REMEMBERED, now);
    this.#keys = boundedCache<string>(MAX_REMEMBERED, now);
  }

  /** Whether Slack accepts our token now; for `/readyz`. */
  async ready(): Promise<boolean> {
    try {
      await this.#api.authTest();
      return true;
    } catch (err) {
      this.#logger.warn({ err }, 'Slack does not answer auth.test');
      return false;
    }
  }

  /**
   * A timeout or an outage leaves open whether the message was posted, so it is looked for before it is posted
   * again. One that Slack delays beyond that look can still appear twice.
   */
  async post(thread: ThreadRef, card: Card, options: PostOptions): Promise<MessageRef> {
    const where = slackThread(thread);
    const message = renderCard(card, options.key);
    let look = options.lookFirst ?? false;
    for (let attempt = 1; ; attempt += 1) {
      const found = look ? await this.#find(where, options.key) : undefined;
      if (found) return this.#posted(where, found, options.key);
      try {
        const { ts } = await this.#api.call(
          (web) =>
            web.chat.postMessage({
              channel: where.channelId,
              ...(where.threadTs && { thread_ts: where.threadTs }),
              ...message,
              unfurl_links: false,
              unfurl_media: false,
            }),
          { repeatable: false },
        );
        if (!ts) throw new FerryError('internal', { userMessage: 'Slack posted no message.' });
        return this.#posted(where, ts, options.key);
      } catch (error) {
        if (!isUncertain(error) || attempt === MAX_POSTS) throw error;
        this.#logger.warn({ err: error, key: options.key, attempt }, 'posting uncertain, looking for it');
        look = true;
      }
    }
  }

  async update(message: MessageRef, card: Card): Promise<void> {
    const { channelId } = slackThread(message.thread);
    const key = await this.#keyOf(message);
    const rendered = renderCard(card, key);
    await this.#api.call(
      (web) => web.chat.update({ channel: channelId, ts: message.messageId, ...rendered }),
      { repeatable: true },
    );
  }

  async dm(userId: string, card: Card, options: PostOptions): Promise<MessageRef> {
    const { teamId } = await this.#api.identity();
    const channelId = await this.#openDirect(this.#slackUser(userId));
    return this.post({ platform: 'slack', teamId, channelId }, card, options);
  }

  /** Ephemeral in the thread; a direct message where Slack refuses that, as for somebody outside the channel. */
  async whisper(thread: ThreadRef, userId: string, card: Card): Promise<void> {
    const where = slackThread(thread);
    const user = this.#slackUser(userId);
    try {
      await this.#api.call(
        (web) =>
          web.chat.postEphemeral({
            channel: where.channelId,
            user,
            ...(where.threadTs && { thread_ts: where.threadTs }),
            ...renderCard(card),
          }),
        // At worst the person reads it twice.
        { repeatable: true },
      );
    } catch (error) {
      if (!(error instanceof FerryError) || error.code !== 'not_found') throw error;
      await this.dm(userId, card, { key: `whisper/${randomUUID()}` });
    }
  }

  /**
   * Slack's status line of AI apps. Where the workspace or the app's scopes do not have it, it is not asked again.
   * https://docs.slack.dev/reference/methods/assistant.threads.setStatus
   */
  async thinking(thread: ThreadRef): Promise<boolean> {
    try {
      const { channelId, threadTs } = slackThread(thread);
      if (!this.#showsStatus || !threadTs) return false;
      await this.#api.call(
        (web) =>
          web.assistant.threads.setStatus({
            channel_id: channelId,
            thread_ts: threadTs,
            status: 'is thinking …',
          }),
        { repeatable: false },
      );
      return true;
    } catch (error) {
      if (!(error instanceof FerryError) || !error.retryable) this.#showsStatus = false;
      this.#logger.debug({ err: error }, 'Slack shows no status');
      return false;
    }
  }

  async stream(thread: ThreadRef, text: string): Promise<TextStream | undefined> {
    if (!this.#streams) return undefined;
    try {
      return await startSlackStream(this.#api, slackThread(thread), text);
    } catch (error) {
      if (!(error instanceof FerryError) || !error.retryable) this.#streams = false;
      this.#logger.debug({ err: error }, 'Slack streams no messages');
      return undefined;
    }
  }

  #slackUser(userId: string): string {
    const user = slackUserOf(userId);
    if (user) return user;
    throw new FerryError('not_found', {
      userMessage: 'This person is not in Slack, so FileFerry cannot write to them there.',
    });
  }

  async #openDirect(user: string): Promise<string> {
    const known = this.#direct.get(user);
    if (known) return known;
    const { channel } = await this.#api.call((web) => web.conversations.open({ users: user }), {
      repeatable: true,
    });
    if (!channel?.id) throw new FerryError('internal', { userMessage: 'Slack opened no conversation.' });
    this.#direct.set(user, channel.id, KEEP_MS);
    return channel.id;
  }

  #posted(thread: SlackThreadRef, ts: string, key: string): MessageRef {
    this.#keys.set(`${thread.channelId}:${ts}`, key, KEEP_MS);
    return { thread, messageId: ts };
  }

  /** Timestamp of our message with this key in the thread, or in the conversation where there is none. */
  async #find({ channelId, threadTs }: SlackThreadRef, key: string): Promise<string | undefined> {
    const bot = await this.#api.identity();
    const mark = markOf(key);
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const range = { channel: channelId, limit: 200, ...(cursor && { cursor }) };
      const { messages = [], response_metadata: more }: ConversationsRepliesResponse = await this.#api.call(
        (web) =>
          threadTs ? web.conversations.replies({ ...range, ts: threadTs }) : web.conversations.history(range),
        { repeatable: true },
      );
      const found = messages.find((one) => isOurs(one, bot) && one.blocks?.[0]?.block_id === mark);
      if (found) return found.ts;
      cursor = more?.next_cursor;
      if (!cursor) break;
    }
    return undefined;
  }

  /**
   * The key that a message was posted with, to keep it through the edit: another process may look for it. Read
   * from Slack once where another process posted the message.
   */
  async #keyOf({ thread, messageId }: MessageRef): Promise<string | undefined> {
    const where = slackThread(thread);
    const cacheKey = `${where.channelId}:${messageId}`;
    const known = this.#keys.get(cacheKey);
    if (known !== undefined) return known || undefined;
    let key: string | undefined;
    try {
      const { messages = [] } = await this.#api.call(
        (web) =>
          web.conversations.replies({
            channel: where.channelId,
            ts: where.threadTs ?? messageId,
            oldest: messageId,
            latest: messageId,
            inclusive: true,
            limit: 10,
          }),
        { repeatable: true },
      );
      key = keyOfMark(messages.find(({ ts }) => ts === messageId)?.blocks?.[0]?.block_id);
    } catch (err) {
      if (err instanceof FerryError && err.retryable) throw err;
      // The edit matters more than the mark, and says itself what is wrong.
      this.#logger.warn({ err, messageId }, 'could not read the key of a message');
    }
    this.#keys.set(cacheKey, key ?? '', KEEP_MS);
    return key;
  }
}
