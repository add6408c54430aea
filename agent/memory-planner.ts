/** Answers what concerns the memory of a person before any planner sees it; nothing is learned unless it is said. */
import { mayUse } from '../core/policy.ts';
import type { PolicyConfig } from '../core/policy-config.ts';
import type { UserContextStore } from '../core/stores/user-context-store.ts';
import { checkPreference, type MemoryWish, type Preference, readMemoryWish } from './memory-wish.ts';
import type { Planner, Reply, Turn } from './planner.ts';

const LABEL: Readonly<Record<Preference, string>> = {
  bucket: 'default bucket',
  destination: 'default destination',
  notifications: 'notifications',
  timeZone: 'time zone',
};

const personal = (text: string): Reply => ({ kind: 'answer', text, personal: true });

export function createMemoryPlanner(deps: {
  planner: Planner;
  contexts: Pick<UserContextStore, 'get' | 'prefer' | 'forget'>;
  policy: PolicyConfig;
}): Planner {
  const { planner, contexts, policy } = deps;

  async function answer(wish: MemoryWish, { person }: Turn): Promise<Reply> {
    switch (wish.kind) {
      case 'forget':
        await contexts.forget(person.userId);
        return {
          ...personal(
            'Forgotten: our conversations and your preferences. Records of transfers stay, as the audit needs them.',
          ),
          unremembered: true,
        };
      case 'show': {
        const { preferences } = await contexts.get(person.userId);
        const lines = Object.entries(preferences).map(
          ([name, value]) => `${LABEL[name as Preference] ?? name}: ${value}`,
        );
        return personal(
          lines.length > 0
            ? `What you told me to remember:\n${lines.join('\n')}\n"forget me" erases it.`
            : 'You told me no preferences. I keep our last 10 exchanges for 30 days; "forget me" erases them.',
        );
      }
      case 'prefer': {
        if (wish.value === undefined) {
          await contexts.prefer(person.userId, wish.name, undefined);
          return personal(`I no longer remember a ${LABEL[wish.name]}.`);
        }
        const checked = checkPreference(policy, person, wish.name, wish.value);
        if (!checked.ok) return { kind: 'refusal', reason: checked.reason };
        await contexts.prefer(person.userId, wish.name, checked.value);
        return personal(`Your ${LABEL[wish.name]} is now ${checked.value}. "forget me" erases it.`);
      }
    }
  }

  return {
    name: planner.name,
    async plan(turn, signal) {
      const wish = readMemoryWish(turn.text);
      return wish && mayUse(policy, turn.person).allowed ? answer(wish, turn) : planner.plan(turn, signal);
    },
  };
}
