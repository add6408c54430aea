/** Teams from its settings: the client that both services speak through, and the receiver of the bot. */
import type { Logger } from 'pino';
import type { NoteStore } from '../../core/stores/note-store.ts';
import type { ChatClient } from '../chat-client.ts';
import type { Receiver } from '../receiver.ts';
import { type Clicks, createClicks } from './clicks.ts';
import { TeamsChatClient } from './client.ts';
import { createTeamsConnector } from './connector.ts';
import { teamsReceiver } from './receiver.ts';
import { createRoutes } from './routes.ts';
import { knownServiceUrls } from './service-urls.ts';

export interface TeamsEnv {
  readonly TEAMS_APP_ID?: string | undefined;
  readonly TEAMS_APP_PASSWORD?: string | undefined;
  readonly TEAMS_APP_TYPE?: 'SingleTenant' | 'UserAssignedMSI' | undefined;
  readonly TEAMS_TENANT_ID?: string | undefined;
  readonly TEAMS_ALLOWED_TENANTS?: readonly string[] | undefined;
  readonly TEAMS_EMAIL_TENANTS?: readonly string[] | undefined;
  readonly TEAMS_SERVICE_HOSTS: readonly string[];
  readonly TEAMS_SERVICE_URL: string;
  readonly TEAMS_LOCAL_NO_AUTH: boolean;
}

interface TeamsDeps {
  readonly notes: NoteStore;
  readonly log: Logger;
  readonly now: () => number;
}

function speak(env: TeamsEnv, { notes, log, now }: TeamsDeps, clicks?: Clicks) {
  const local = env.TEAMS_LOCAL_NO_AUTH;
  const appId = local ? '' : (env.TEAMS_APP_ID ?? '');
  const serviceUrls = knownServiceUrls(env.TEAMS_SERVICE_HOSTS, local);
  const connector = createTeamsConnector({
    identity: {
      appId,
      appType: env.TEAMS_APP_TYPE ?? 'SingleTenant',
      appPassword: env.TEAMS_APP_PASSWORD,
      tenantId: env.TEAMS_TENANT_ID ?? '',
    },
    serviceUrls,
    now,
  });
  const routes = createRoutes({
    notes,
    appId: env.TEAMS_APP_ID ?? '',
    fallback: env.TEAMS_SERVICE_URL,
    now,
    logger: log,
  });
  const client = new TeamsChatClient({
    connector,
    routes,
    notes,
    ...(clicks && { clicks }),
    logger: log,
    now,
  });
  return { connector, routes, client, serviceUrls };
}

/** For the worker, which only speaks. */
export function teamsClient(env: TeamsEnv, deps: TeamsDeps): ChatClient {
  return speak(env, deps).client;
}

/** For the bot, which listens too. */
export function teamsConnection(
  env: TeamsEnv,
  deps: TeamsDeps,
): { readonly client: ChatClient; readonly receiver: Receiver } {
  const clicks = createClicks();
  const { connector, routes, client, serviceUrls } = speak(env, deps, clicks);
  const ownTenant = env.TEAMS_TENANT_ID ? [env.TEAMS_TENANT_ID] : [];
  const receiver = teamsReceiver({
    connector,
    client,
    clicks,
    routes,
    notes: deps.notes,
    serviceUrls,
    allowedTenants: env.TEAMS_ALLOWED_TENANTS ?? ownTenant,
    emailTenants: env.TEAMS_EMAIL_TENANTS ?? ownTenant,
    local: env.TEAMS_LOCAL_NO_AUTH,
    logger: deps.log,
    now: deps.now,
  });
  return { client, receiver };
}
