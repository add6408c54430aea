/** In which threads the bot takes part: there, people need not mention it again. */
import { FerryError } from '../../core/errors.ts';
import { boundedCache } from '../bounded-cache.ts';
import type { ThreadPlace } from './normalize.ts';
import { mentions } from './text.ts';
import type { SlackApi } from './web-api.ts';

const MAX_THREADS = 5_000;
const KEEP_MS = 24 * 60 * 60_000;
/** A thread without the bot is asked about again soon, for it may have been mentioned on another replica. */
const KEEP_ABSENT_MS = 30_000;

export interface Threads {
  /** Remembers that the bot was mentioned in the thread. */
  join(place: ThreadPlace): void;
  /**
   * Whether the bot wrote or was mentioned in the thread. Asks Slack at most once in 30 seconds for a thread; only
   * the first 200 messages count, so that a long talk among people costs one call.
   */
  takesPart(place: ThreadPlace): Promise<boolean>;
}

/** @param now epoch milliseconds */
export function slackThreads(api: SlackApi, now: () => number): Threads {
  const known = boundedCache<boolean>(MAX_THREADS, now);
  const keyOf = ({ channelId, threadTs }: ThreadPlace): string => `${channelId}:${threadTs}`;

  async function look({ channelId, threadTs }: ThreadPlace): Promise<boolean> {
    const { botUserId, botId } = await api.identity();
    try {
      const { messages = [] } = await api.call(
        (web) => web.conversations.replies({ channel: channelId, ts: threadTs, limit: 200 }),
        { repeatable: true },
      );
      return messages.some(
        ({ user, bot_id, text = '' }) => user === botUserId || bot_id === botId || mentions(text, botUserId),
      );
    } catch (error) {
      // Where the bot may not read, it was not invited to talk.
      if (error instanceof FerryError && !error.retryable) return false;
      throw error;
    }
  }

  return {
    join: (place) => known.set(keyOf(place), true, KEEP_MS),
    async takesPart(place) {
      const key = keyOf(place);
      const found = known.get(key);
      if (found !== undefined) return found;
      const there = await look(place);
      known.set(key, there, there ? KEEP_MS : KEEP_ABSENT_MS);
      return there;
    },
  };
}
