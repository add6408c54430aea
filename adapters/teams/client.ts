/** Posts and edits messages in Teams: the `ChatClient` of bot and worker. */
import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { FerryError } from '../../core/errors.ts';
import type { NoteStore } from '../../core/stores/note-store.ts';
import type { MessageRef, TeamsThreadRef, ThreadRef } from '../../core/thread-ref.ts';
import { boundedCache } from '../bounded-cache.ts';
import type { Card } from '../card.ts';
import type { ChatClient, PostOptions } from '../chat-client.ts';
import type { Clicks } from './clicks.ts';
import type { OutgoingActivity, TeamsConnector } from './connector.ts';
import { teamsUserOf } from './people.ts';
import { renderCard, type TeamsMessage } from './render.ts';
import type { Routes } from './routes.ts';

const KEEP_MS = 24 * 60 * 60_000;
const MAX_REMEMBERED = 5_000;
/** Times that a post is tried whose answer was lost. */
const MAX_POSTS = 2;

export interface TeamsChatClientOptions {
  readonly connector: TeamsConnector;
  readonly routes: Routes;
  /** Which message a key became: Teams lets no bot look through a conversation. */
  readonly notes: NoteStore;
  /** The clicks that this process answers. */
  readonly clicks?: Clicks;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

function teamsThread(thread: ThreadRef): TeamsThreadRef {
  if (thread.platform === 'teams') return thread;
  throw new FerryError('internal', {
    userMessage: 'FileFerry mixed up two chat platforms. Nothing was posted.',
    cause: new TypeError(`a ${thread.platform} thread was given to the Teams client`),
  });
}

const activityOf = ({ summary, card }: TeamsMessage): OutgoingActivity => ({
  type: 'message',
  summary,
  attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: card }],
});

/** The card as one sentence, where that says it all. */
function sentenceOf(card: Card): string | undefined {
  const [only, ...others] = card.elements;
  return only?.type === 'text' && only.lines.length <= 2 && others.length === 0
    ? renderCard(card).summary
    : undefined;
}

const CANNOT_WRITE =
  'I have an answer for you alone, but Teams does not let me write to you. Add FileFerry to your apps, then ask again.';
/** To the thread, when somebody's personal chat is closed to the bot. */
const NOT_REACHED: Card = { fallback: CANNOT_WRITE, elements: [{ type: 'text', lines: [[CANNOT_WRITE]] }] };

/** Whether a message or a conversation is not there, or the bot may not write to it. */
const isClosed = (error: unknown): boolean => error instanceof FerryError && error.code === 'not_found';

const isUncertain = (error: unknown): boolean =>
  error instanceof FerryError && (error.code === 'timeout' || error.code === 'unavailable');

/** The note in which a key's message is kept; conversation ids are long. */
const noteOf = (thread: TeamsThreadRef, key: string) =>
  `teams:message:${createHash('sha256').update(`${thread.tenantId}\n${thread.conversationId}\n${key}`).digest('hex')}`;

export class TeamsChatClient implements ChatClient {
  readonly platform = 'teams';
  readonly directory = 'the requester’s tenant of Teams';
  readonly #connector: TeamsConnector;
  readonly #routes: Routes;
  readonly #notes: NoteStore;
  readonly #clicks: Clicks | undefined;
  readonly #logger: Logger;
  /** Personal conversation by user id. */
  readonly #personal;

  constructor({ connector, routes, notes, clicks, logger, now }: TeamsChatClientOptions) {
    this.#connector = connector;
    this.#routes = routes;
    this.#notes = notes;
    this.#clicks = clicks;
    this.#logger = logger;
    this.#personal = boundedCache<string>(MAX_REMEMBERED, now);
  }

  /**
   * What was posted under a key is noted, so `lookFirst` finds it from any process; an edit tells whether it is there
   * still, for Teams shows a bot no message. When an answer is lost, or the process ends between Teams' answer and the note, nobody can tell whether the message is there: it is posted
   * again then, for a card that appears twice costs less than one that nobody sees. The buttons of both do the same
   * and count once.
   */
  async post(thread: ThreadRef, card: Card, options: PostOptions): Promise<MessageRef> {
    return this.#post(thread, renderCard(card), options);
  }

  async #post(thread: ThreadRef, rendered: TeamsMessage, options: PostOptions): Promise<MessageRef> {
    const given = teamsThread(thread);
    const note = noteOf(given, options.key);
    const posted = this.#clicks?.posting(given);
    const where = await this.#routes.resolve(given);
    const found = options.lookFirst ? await this.#notes.get(note) : undefined;
    if (found && (await this.#stands(where, found, rendered))) return { thread: where, messageId: found };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const messageId = await this.#connector.send(where, activityOf(rendered));
        await this.#remember(note, messageId);
        posted?.();
        return { thread: where, messageId };
      } catch (error) {
        if (!isUncertain(error) || attempt === MAX_POSTS) throw error;
        this.#logger.warn({ err: error, key: options.key, attempt }, 'posting uncertain, posting again');
      }
    }
  }

  async update(message: MessageRef, card: Card): Promise<void> {
    const rendered = renderCard(card);
    const updated = this.#clicks?.updating(message);
    const where = await this.#routes.resolve(teamsThread(message.thread));
    await this.#connector.update(where, message.messageId, activityOf(rendered));
    updated?.(rendered);
  }

  /** Whether the message is there, which shows the card then. */
  async #stands(where: TeamsThreadRef, messageId: string, rendered: TeamsMessage): Promise<boolean> {
    try {
      await this.#connector.update(where, messageId, activityOf(rendered));
      return true;
    } catch (error) {
      if (isClosed(error)) return false;
      throw error;
    }
  }

  /** "FileFerry is typing", for some seconds. https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability */
  async thinking(thread: ThreadRef): Promise<boolean> {
    try {
      await this.#connector.typing(await this.#routes.resolve(teamsThread(thread)));
      return true;
    } catch (err) {
      this.#logger.debug({ err }, 'Teams shows no typing');
      return false;
    }
  }

  refresh(message: MessageRef, card: Card): void {
    this.#clicks?.updating(message)(renderCard(card));
  }

  async dm(userId: string, card: Card, options: PostOptions): Promise<MessageRef> {
    return this.post(await this.#openPersonal(userId), card, options);
  }

  /**
   * The answer to a click that is open, which only the clicker sees; else a message in the personal chat, for Teams
   * shows a bot's message in a channel to everybody. Where Teams does not let the bot write there, the thread is told
   * how to change that, and nothing of the card.
   */
  async whisper(thread: ThreadRef, userId: string, card: Card): Promise<void> {
    const about = teamsThread(thread);
    if (this.#clicks?.whispered(about, userId, sentenceOf(card))) return;
    // What is pressed there is still said here.
    const rendered = renderCard(card, about.conversationId);
    const options = { key: `whisper/${randomUUID()}` };
    try {
      await this.#post(await this.#openPersonal(userId), rendered, options);
    } catch (error) {
      if (!isClosed(error)) throw error;
      this.#logger.warn({ err: error, userId }, 'may not write to this person');
      await this.#post(about, renderCard(NOT_REACHED), options);
    }
  }

  async #openPersonal(userId: string): Promise<TeamsThreadRef> {
    const user = teamsUserOf(userId);
    if (!user) {
      throw new FerryError('not_found', {
        userMessage: 'This person is not in Teams, so FileFerry cannot write to them there.',
      });
    }
    const { tenantId, aadObjectId } = user;
    const serviceUrl = await this.#routes.serviceUrlOf(tenantId);
    let conversationId = this.#personal.get(userId);
    if (!conversationId) {
      conversationId = await this.#connector.openPersonal(serviceUrl, tenantId, aadObjectId);
      this.#personal.set(userId, conversationId, KEEP_MS);
    }
    const botId = this.#routes.botId;
    return { platform: 'teams', tenantId, serviceUrl, conversationId, botId };
  }

  /** The message stands; that a later look may miss it must not make the post fail. */
  async #remember(note: string, messageId: string): Promise<void> {
    await this.#notes.put(note, messageId).catch((err: unknown) => {
      this.#logger.warn({ err, messageId }, 'could not note which message a key became');
    });
  }
}
