/** Who somebody in Slack is, from Slack's directory. */
import type { UsersInfoResponse } from '@slack/web-api';
import { FerryError } from '../../core/errors.ts';
import type { Person, Standing } from '../../core/person.ts';
import { boundedCache } from '../bounded-cache.ts';
import { plainText } from './mrkdwn.ts';
import type { BotIdentity, SlackApi } from './web-api.ts';

const KEEP_MS = 5 * 60_000;
const MAX_PEOPLE = 2_000;
const MAX_NAME = 80;

/** `slack:TEAM:USER`. The team is always the one that the app is installed in. */
const userIdOf = (teamId: string, slackUser: string): string => `slack:${teamId}:${slackUser}`;

/** Slack's own id in a `slack:TEAM:USER`, or undefined for somebody of another platform. */
export const slackUserOf = (userId: string): string | undefined => /^slack:[^:]+:([^:]+)$/.exec(userId)?.[1];

type User = NonNullable<UsersInfoResponse['user']>;

/** @see https://docs.slack.dev/reference/objects/user-object */
function standingOf(user: User, bot: BotIdentity): Standing {
  if (user.deleted) return 'deactivated';
  if (user.is_bot || user.id === 'USLACKBOT') return 'bot';
  const ours = user.team_id === bot.teamId;
  const enterprise = user.enterprise_user?.enterprise_id;
  const sameEnterprise = enterprise !== undefined && enterprise === bot.enterpriseId;
  if (user.is_stranger || !(ours || sameEnterprise)) return 'external';
  return user.is_restricted || user.is_ultra_restricted ? 'guest' : 'member';
}

export interface People {
  /**
   * The person behind a user id of a signed payload. Throws a retryable FerryError when Slack does not say: the
   * id is never matched by anything else.
   */
  person(slackUser: string): Promise<Person>;
}

/** @param now epoch milliseconds; answers are kept for five minutes */
export function slackPeople(api: SlackApi, now: () => number): People {
  const known = boundedCache<Promise<Person>>(MAX_PEOPLE, now);

  async function look(slackUser: string): Promise<Person> {
    const bot = await api.identity();
    const { user } = await api.call((web) => web.users.info({ user: slackUser }), { repeatable: true });
    if (user?.id !== slackUser) throw new TypeError('users.info answered about somebody else');
    const { profile } = user;
    const name = profile?.display_name || profile?.real_name || user.real_name || user.name || slackUser;
    return {
      userId: userIdOf(bot.teamId, slackUser),
      name: plainText(name, MAX_NAME),
      ...(profile?.email && { email: profile.email }),
      standing: standingOf(user, bot),
    };
  }

  return {
    person(slackUser) {
      const found = known.get(slackUser);
      if (found) return found;
      const looking = look(slackUser).catch((cause) => {
        known.delete(slackUser);
        throw new FerryError('unavailable', {
          retryable: true,
          userMessage: 'FileFerry could not ask Slack who you are. Nothing was done. Try again in a minute.',
          cause,
        });
      });
      known.set(slackUser, looking, KEEP_MS);
      return looking;
    },
  };
}
