/** The settings of Teams, and which of them belong together. */
import { z } from 'zod';
import type { CrossCheck } from './cross-check.ts';

const guid = z.guid('expected a GUID such as 11111111-2222-3333-4444-555555555555');
const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).min(1));
const host = z
  .string()
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'expected host names such as smba.trafficmanager.net');

/**
 * Hosts of the Bot Connector for Teams: the public cloud's, and those of the US government.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
 */
const SERVICE_HOSTS = [
  'smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
].join(',');

export const teamsEnv = {
  TEAMS_APP_ID: guid.optional(),
  TEAMS_APP_PASSWORD: z.string().min(1).optional(),
  TEAMS_APP_TYPE: z.enum(['SingleTenant', 'UserAssignedMSI']).optional(),
  TEAMS_TENANT_ID: guid.optional(),
  /** Tenants whose people may use FileFerry; the bot's own alone unless set, and any where nobody is authenticated. */
  TEAMS_ALLOWED_TENANTS: list(guid).optional(),
  /** Tenants whose directory vouches for the addresses in it; the bot's own alone unless set. */
  TEAMS_EMAIL_TENANTS: list(guid).optional(),
  /** Exact host names that the bot's token may go to. */
  TEAMS_SERVICE_HOSTS: z.string().default(SERVICE_HOSTS).pipe(list(host)),
  /** Where tenants are reached from which nothing came yet. */
  TEAMS_SERVICE_URL: z.url({ protocol: /^https?$/ }).default('https://smba.trafficmanager.net/teams/'),
  /** Authenticates nobody: for a local Teams on this machine. */
  TEAMS_LOCAL_NO_AUTH: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .default(false),
} as const;

const isLocal = (given: Readonly<Record<string, string | undefined>>) => given.TEAMS_LOCAL_NO_AUTH === 'true';
const isMeant = (given: Readonly<Record<string, string | undefined>>) =>
  Boolean(given.TEAMS_APP_ID ?? given.TEAMS_APP_PASSWORD ?? given.TEAMS_APP_TYPE ?? given.TEAMS_TENANT_ID);

/** Without an app id botbuilder would authenticate nobody and say nothing. */
const needed = (path: string, message: string): CrossCheck => {
  return (given) => (isMeant(given) && !isLocal(given) && !given[path] ? { path, message } : undefined);
};

const password: CrossCheck = (given) =>
  given.TEAMS_APP_TYPE === 'SingleTenant' && !given.TEAMS_APP_PASSWORD && !isLocal(given)
    ? { path: 'TEAMS_APP_PASSWORD', message: 'set it, for TEAMS_APP_TYPE is SingleTenant' }
    : undefined;

/** What the bot's token would be sent to must be on the list. */
const serviceUrl: CrossCheck = ({ TEAMS_SERVICE_URL: url, TEAMS_SERVICE_HOSTS: hosts, ...given }) => {
  if (!url || isLocal(given)) return undefined;
  const parsed = URL.parse(url);
  const known = (hosts ?? SERVICE_HOSTS).split(',').map((name) => name.trim().toLowerCase());
  return parsed?.protocol === 'https:' && known.includes(parsed.host)
    ? undefined
    : { path: 'TEAMS_SERVICE_URL', message: 'expected https and a host of TEAMS_SERVICE_HOSTS' };
};

export const teamsChecks: readonly CrossCheck[] = [
  needed('TEAMS_APP_ID', 'set it, for Teams is configured: without it nobody would be authenticated'),
  needed('TEAMS_APP_TYPE', 'set SingleTenant or UserAssignedMSI, as the app registration says'),
  needed('TEAMS_TENANT_ID', 'set the tenant of the app registration'),
  password,
  serviceUrl,
];

/** For the bot, which listens: who may speak to it unauthenticated must be on this machine, with nothing between. */
export const teamsLoopback: CrossCheck = (given) =>
  isLocal(given) &&
  (given.AWS_LAMBDA_RUNTIME_API || !['127.0.0.1', '::1', 'localhost'].includes(given.HOST ?? ''))
    ? { path: 'TEAMS_LOCAL_NO_AUTH', message: 'works with HOST=127.0.0.1 only, and not in Lambda' }
    : undefined;
