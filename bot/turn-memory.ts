/** What a turn spoke of, held back until its exchange is remembered: both go with one write. */
import { focusMemory } from '../agent/focus-memory.ts';
import type { PlannerDeps } from '../agent/ports.ts';
import { type Focus, refocused } from '../core/focus.ts';
import type { Person } from '../core/person.ts';
import type { Exchange, UserContextStore } from '../core/stores/user-context-store.ts';
import { type ThreadRef, threadKey } from '../core/thread-ref.ts';

/** `keep` only holds back: what a failed turn spoke of goes with the person's next exchange in the thread. */
export interface TurnMemory extends NonNullable<PlannerDeps['focus']> {
  remember(person: Person, exchange: Exchange): Promise<void>;
  /** Forgets the person altogether. */
  forget(userId: string): Promise<void>;
}

const keyOf = (userId: string, thread: ThreadRef) => `${userId}\n${threadKey(thread)}`;

export function createTurnMemory(
  contexts: Pick<UserContextStore, 'get' | 'append' | 'focusOn' | 'forget'>,
): TurnMemory {
  const spokenOf = new Map<string, Focus>();
  const stored = focusMemory(contexts);

  return {
    async recall(speaker) {
      const { focus, preferences } = await stored.recall(speaker);
      const news = spokenOf.get(keyOf(speaker.person.userId, speaker.thread));
      return { focus: news ? refocused(focus, news) : focus, preferences };
    },
    async keep({ person, thread }, news) {
      const key = keyOf(person.userId, thread);
      spokenOf.set(key, refocused(spokenOf.get(key) ?? {}, news));
    },
    async remember({ userId }, exchange) {
      const key = keyOf(userId, exchange.thread);
      const news = spokenOf.get(key);
      spokenOf.delete(key);
      await contexts.append(userId, exchange, news);
    },
    async forget(userId) {
      for (const key of spokenOf.keys()) if (key.startsWith(`${userId}\n`)) spokenOf.delete(key);
      await contexts.forget(userId);
    },
  };
}
