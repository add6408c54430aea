/** Answers what concerns the memory of a person before any planner sees it; nothing is learned unless it is said. */
import { mayUse } from '../core/policy.ts';
import type { PolicyConfig } from '../core/policy-config.ts';
import { shownText } from '../core/shown-text.ts';
import type { UserContext, UserContextStore } from '../core/stores/user-context-store.ts';
import { instantInWords } from './commands/wording.ts';
import { checkPreference, type MemoryWish, type Preference, readMemoryWish } from './memory-wish.ts';
import type { Planner, Reply, Turn } from './planner.ts';
import { preferencesOf } from './preferences.ts';

const LABEL: Readonly<Record<Preference, string>> = {
  bucket: 'default bucket',
  destination: 'default destination',
  notifications: 'way to hear how a transfer ended',
  timeZone: 'time zone',
};

/** UTF-16 units of an earlier message that are shown again. */
const MAX_SHOWN = 80;

/** All that is stored of a person, for that person. */
function whatIsKnown({ preferences, exchanges }: UserContext): string {
  const zone = preferencesOf({ preferences }).timeZone;
  const told = Object.entries(preferences).map(
    ([name, value]) => `${LABEL[name as Preference] ?? name}: ${value}`,
  );
  const said = exchanges.map(
    ({ at, text }) => `${instantInWords(at, zone)}: ${shownText(text.replaceAll('\n', ' '), MAX_SHOWN)}`,
  );
  return [
    ...(told.length > 0 ? ['What you told me to remember:', ...told] : ['You told me no preferences.']),
    ...(said.length > 0
      ? [`Your latest messages to me, with what I answered; I keep the last 10, for 30 days:`, ...said]
      : ['Of our conversations I keep the last 10 exchanges, for 30 days; there are none now.']),
    '"forget me" erases all of it.',
  ].join('\n');
}

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
        return personal(whatIsKnown(await contexts.get(person.userId)));
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
