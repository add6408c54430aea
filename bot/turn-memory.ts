/** What a turn spoke of, held back until its exchange is remembered: both go with one write. */
import { type Focus, refocused } from '../core/focus.ts';
import type { Person } from '../core/person.ts';
import type { Exchange, UserContextStore } from '../core/stores/user-context-store.ts';

export interface TurnMemory {
  /** What the person spoke of last, this turn included. */
  recall(person: Person): Promise<Focus>;
  /** To be written with the exchange; what a failed turn spoke of goes with the person's next one. */
  keep(person: Person, news: Focus): Promise<void>;
  remember(person: Person, exchange: Exchange): Promise<void>;
  /** Forgets the person altogether. */
  forget(userId: string): Promise<void>;
}

export function createTurnMemory(contexts: Pick<UserContextStore, 'get' | 'append' | 'forget'>): TurnMemory {
  const spokenOf = new Map<string, Focus>();

  return {
    async recall({ userId }) {
      const { focus } = await contexts.get(userId);
      return refocused(focus, spokenOf.get(userId) ?? {});
    },
    async keep({ userId }, news) {
      spokenOf.set(userId, refocused(spokenOf.get(userId) ?? {}, news));
    },
    async remember({ userId }, exchange) {
      const news = spokenOf.get(userId);
      spokenOf.delete(userId);
      await contexts.append(userId, exchange, news);
    },
    async forget(userId) {
      spokenOf.delete(userId);
      await contexts.forget(userId);
    },
  };
}
