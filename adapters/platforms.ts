/** The chat platforms of these settings: their clients for both services, and the bot's receivers. */
import type { Logger } from 'pino';
import type { NoteStore } from '../core/stores/note-store.ts';
import type { Platform } from '../core/thread-ref.ts';
import type { ChatClients } from './chat-client.ts';
import type { Receiver } from './receiver.ts';
import { slackClient, slackConnection } from './slack/slack.ts';
import type { TeamsEnv } from './teams/teams.ts';

interface PlatformsEnv extends TeamsEnv {
  readonly SLACK_BOT_TOKEN?: string | undefined;
  readonly SLACK_API_URL: string;
}

interface PlatformsDeps {
  readonly notes: NoteStore;
  readonly log: Logger;
  readonly now: () => number;
}

export interface Connections {
  readonly clients: ChatClients;
  readonly receivers: { readonly [P in Platform]?: Receiver };
}

/** Whether Teams is among the platforms of these settings. */
const hasTeams = (env: TeamsEnv): boolean => Boolean(env.TEAMS_APP_ID) || env.TEAMS_LOCAL_NO_AUTH;

/** Teams' library is large: loaded only by those who use it. */
const loadTeams = () => import('./teams/teams.ts');

/** For the worker, which only speaks. */
export async function chatClients(env: PlatformsEnv, deps: PlatformsDeps): Promise<ChatClients> {
  const { SLACK_BOT_TOKEN } = env;
  return {
    ...(SLACK_BOT_TOKEN && { slack: slackClient({ ...env, SLACK_BOT_TOKEN }, deps) }),
    ...(hasTeams(env) && { teams: (await loadTeams()).teamsClient(env, deps) }),
  };
}

/** For the bot, which listens too. */
export async function chatConnections(
  env: PlatformsEnv & {
    readonly SLACK_APP_TOKEN?: string | undefined;
    readonly SLACK_SIGNING_SECRET?: string | undefined;
  },
  deps: PlatformsDeps,
): Promise<Connections> {
  const { SLACK_BOT_TOKEN } = env;
  const slack = SLACK_BOT_TOKEN ? slackConnection({ ...env, SLACK_BOT_TOKEN }, deps) : undefined;
  const teams = hasTeams(env) ? (await loadTeams()).teamsConnection(env, deps) : undefined;
  return {
    clients: { ...(slack && { slack: slack.client }), ...(teams && { teams: teams.client }) },
    receivers: { ...(slack && { slack: slack.receiver }), ...(teams && { teams: teams.receiver }) },
  };
}
