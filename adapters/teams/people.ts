/** Who somebody in Teams is, from the roster of the conversation that they spoke in. */
import { FerryError } from '../../core/errors.ts';
import type { Person, Standing } from '../../core/person.ts';
import type { TeamsThreadRef } from '../../core/thread-ref.ts';
import { boundedCache } from '../bounded-cache.ts';
import type { RosterEntry, TeamsConnector } from './connector.ts';
import { plainText } from './text-runs.ts';

const KEEP_MS = 5 * 60_000;
const MAX_PEOPLE = 2_000;
const MAX_NAME = 80;

/** Who sent a genuine activity. */
export interface Sender {
  /** The id that the roster is asked with; differs from bot to bot. */
  readonly teamsId: string;
  /** Entra object id: the same in all apps, and what we know a person by. Where an activity lacks it, the roster has it. */
  readonly aadObjectId?: string | undefined;
  readonly thread: TeamsThreadRef;
}

const userIdOf = (tenantId: string, aadObjectId: string): string => `teams:${tenantId}:${aadObjectId}`;

/** Tenant and object id in a `teams:TENANT:OBJECT-ID`, or undefined for somebody of another platform. */
export function teamsUserOf(userId: string): { tenantId: string; aadObjectId: string } | undefined {
  const match = /^teams:([^:]+):([^:]+)$/.exec(userId);
  return match?.[1] && match[2] ? { tenantId: match[1], aadObjectId: match[2] } : undefined;
}

/** @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context */
function standingOf({ userRole = '', tenantId }: RosterEntry, conversationTenant: string): Standing {
  const role = userRole.toLowerCase();
  if (role === 'bot') return 'bot';
  if (tenantId && tenantId !== conversationTenant) return 'external';
  // Teams calls its guests what they are to us: people of another organisation.
  return role === 'user' || role === '' ? 'member' : 'external';
}

export interface People {
  /**
   * The person, or undefined for somebody without a directory account, such as an anonymous guest of a meeting. Throws
   * a retryable FerryError when Teams does not say: the id is never matched by anything else.
   */
  person(sender: Sender): Promise<Person | undefined>;
}

/**
 * @param now epoch milliseconds; answers are kept for five minutes
 * @param vouches whether the directory of this tenant is believed when it says whose an address is
 */
export function teamsPeople(
  connector: TeamsConnector,
  now: () => number,
  vouches: (tenantId: string) => boolean,
): People {
  const known = boundedCache<Promise<Person | undefined>>(MAX_PEOPLE, now);

  async function look({ teamsId, aadObjectId: told, thread }: Sender): Promise<Person | undefined> {
    const entry = await connector.rosterEntry(thread, teamsId);
    if (entry.aadObjectId && told && entry.aadObjectId !== told)
      throw new TypeError('the roster answered about somebody else');
    const aadObjectId = told ?? entry.aadObjectId;
    if (!aadObjectId) return undefined;
    // Not the user principal name, which looks like an address and need not be one.
    const { email } = entry;
    return {
      userId: userIdOf(thread.tenantId, aadObjectId),
      name: plainText(entry.name ?? '', MAX_NAME) || aadObjectId,
      ...(email?.includes('@') && vouches(thread.tenantId) && { email }),
      standing: standingOf(entry, thread.tenantId),
    };
  }

  return {
    person(sender) {
      // By conversation, for the roster also tells who is in it.
      const place = sender.thread.conversationId.split(';', 1)[0];
      const cacheKey = `${sender.thread.tenantId}:${place}:${sender.teamsId}`;
      const found = known.get(cacheKey);
      if (found) return found;
      const looking = look(sender).catch((cause) => {
        known.delete(cacheKey);
        throw new FerryError('unavailable', {
          retryable: true,
          userMessage: 'FileFerry could not ask Teams who you are. Nothing was done. Try again in a minute.',
          cause,
        });
      });
      known.set(cacheKey, looking, KEEP_MS);
      return looking;
    },
  };
}
