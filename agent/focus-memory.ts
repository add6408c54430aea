/** The planners' view of a person's context: what was spoken of in this thread, and what they prefer. */
import { focusIn } from '../core/focus.ts';
import type { UserContextStore } from '../core/stores/user-context-store.ts';
import { threadKey } from '../core/thread-ref.ts';
import type { PlannerDeps } from './ports.ts';
import { preferencesOf } from './preferences.ts';

export const focusMemory = (
  contexts: Pick<UserContextStore, 'get' | 'focusOn'>,
): NonNullable<PlannerDeps['focus']> => ({
  async recall({ person, thread }) {
    const context = await contexts.get(person.userId);
    const { question, ...focus } = focusIn(context.foci, thread);
    const here = context.exchanges.filter((one) => threadKey(one.thread) === threadKey(thread));
    // Whatever was said to a question, it is not asked any more.
    const isOpen = question !== undefined && here.at(-1)?.at === question.at;
    return {
      focus: { ...focus, ...(isOpen ? { question } : {}) },
      preferences: preferencesOf(context),
    };
  },
  keep: ({ person, thread }, news) => contexts.focusOn(person.userId, thread, news),
});
