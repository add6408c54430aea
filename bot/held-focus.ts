/** Holds back what a turn speaks of until its exchange is remembered: both go with one write. */
import { type Focus, refocused, withFocus } from '../core/focus.ts';
import type { UserContextStore } from '../core/stores/user-context-store.ts';
import { type ThreadRef, threadKey } from '../core/thread-ref.ts';

/** Threads for which something is held at most; what a failed turn spoke of waits for the next one there. */
const MOST = 1_000;

interface Held {
  readonly userId: string;
  readonly thread: ThreadRef;
  readonly news: Focus;
}

/** The same contexts, which show what is held as if it were written. */
export function holdFocus(contexts: UserContextStore): UserContextStore {
  const held = new Map<string, Held>();
  const keyOf = (userId: string, thread: ThreadRef) => `${userId} ${threadKey(thread)}`;

  return {
    ...contexts,
    async get(userId) {
      const context = await contexts.get(userId);
      let { foci } = context;
      for (const one of held.values()) {
        if (one.userId === userId) foci = withFocus(foci, one.thread, one.news);
      }
      return { ...context, foci };
    },
    async focusOn(userId, thread, news) {
      const key = keyOf(userId, thread);
      const before = held.get(key)?.news ?? {};
      held.delete(key);
      held.set(key, { userId, thread, news: refocused(before, news) });
      const [oldest] = held.keys();
      if (held.size > MOST && oldest !== undefined) held.delete(oldest);
    },
    async append(userId, exchange) {
      const key = keyOf(userId, exchange.thread);
      const one = held.get(key);
      await contexts.append(userId, exchange, one?.news);
      if (held.get(key) === one) held.delete(key);
    },
    async forget(userId) {
      for (const [key, one] of held) if (one.userId === userId) held.delete(key);
      await contexts.forget(userId);
    },
  };
}
