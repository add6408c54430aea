/** Teams for the local stack: our fake Bot Connector with the demo's people in it, and the settings that lead to it. */
import { startTeamsConnector, type TeamsConnectorServer } from '../../test/fakes/teams-connector.ts';
import { TEAMS_APP, TEAMS_TENANT } from '../../test/fakes/teams-world.ts';
import { PEOPLE, type PersonName } from './slack-workspace.ts';

/** The same people as in the local Slack, by the object ids that they have in the directory of Teams. */
export const TEAMS_PEOPLE: Readonly<Record<PersonName, string>> = {
  ana: '00000000-0000-4000-8000-00000000000a',
  bob: '00000000-0000-4000-8000-00000000000b',
  cleo: '00000000-0000-4000-8000-00000000000c',
  dan: '00000000-0000-4000-8000-00000000000d',
};

export const TEAMS_CHANNEL = { id: '19:transfers@thread.tacv2', name: 'transfers' } as const;

/** A person's user id as FileFerry writes it. */
export const teamsUserId = (name: PersonName): string => `teams:${TEAMS_TENANT}:${TEAMS_PEOPLE[name]}`;

export interface LocalTeams extends TeamsConnectorServer {
  /** Settings of both programs. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** The settings of programs that speak to a Teams on this machine, wherever it listens. */
export const localTeamsSettings = (serviceUrl?: string): Readonly<Record<string, string>> => ({
  TEAMS_APP_ID: TEAMS_APP,
  TEAMS_LOCAL_NO_AUTH: 'true',
  ...(serviceUrl && { TEAMS_SERVICE_URL: serviceUrl, TEAMS_TENANT_ID: TEAMS_TENANT }),
});

export async function startLocalTeams(): Promise<LocalTeams> {
  const server = await startTeamsConnector();
  const names = Object.keys(PEOPLE) as PersonName[];
  for (const name of names) {
    const { realName, email } = PEOPLE[name];
    server.addUser({ aadObjectId: TEAMS_PEOPLE[name], name: realName, email });
  }
  server.addConversation({ id: TEAMS_CHANNEL.id, members: Object.values(TEAMS_PEOPLE) });
  return { ...server, settings: localTeamsSettings(server.serviceUrl), stop: () => server.close() };
}
