/** The chat platforms of these settings: their clients for both services, and the bot's receivers. */
import type { Logger } from 'pino';
import type { NoteStore } from '../core/stores/note-store.ts';
import type { Platform } from '../core/thread-ref.ts';
import type { ChatClients } from './chat-client.ts';
import type { Receiver } from './receiver.ts';
import { slackClient, slackConnection } from './slack/slack.ts';
import { hasTeams, type TeamsEnv, teamsClient, teamsConnection } from './teams/teams.ts';

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

/** For the worker, which only speaks. */
export function chatClients(env: PlatformsEnv, deps: PlatformsDeps): ChatClients {
  const { SLACK_BOT_TOKEN } = env;
  return {
    ...(SLACK_BOT_TOKEN && { slack: slackClient({ ...env, SLACK_BOT_TOKEN }, deps) }),
    ...(hasTeams(env) && { teams: teamsClient(env, deps) }),
  };
}

/** For the bot, which listens too. */
export function chatConnections(
  env: PlatformsEnv & {
    readonly SLACK_APP_TOKEN?: string | undefined;
    readonly SLACK_SIGNING_SECRET?: string | undefined;
  },
  deps: PlatformsDeps,
): Connections {
  const { SLACK_BOT_TOKEN } = env;
  const slack = SLACK_BOT_TOKEN ? slackConnection({ ...env, SLACK_BOT_TOKEN }, deps) : undefined;
  const teams = hasTeams(env) ? teamsConnection(env, deps) : undefined;
  return {
    clients: { ...(slack && { slack: slack.client }), ...(teams && { teams: teams.client }) },
    receivers: { ...(slack && { slack: slack.receiver }), ...(teams && { teams: teams.receiver }) },
  };
}
