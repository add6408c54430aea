/** The demo's people for Microsoft's Agents Playground, which reads them from the folder that it is started in. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { TEAMS_TENANT } from '../../test/fakes/teams-world.ts';
import { TEAMS_PEOPLE } from './local-teams.ts';
import { PEOPLE, type PersonName } from './slack-workspace.ts';

/** @see https://learn.microsoft.com/microsoft-365/agents-sdk/test-with-toolkit-project */
export async function writePlaygroundFile(folder: string): Promise<void> {
  const names = Object.keys(PEOPLE) as PersonName[];
  const users = names.map((name) => ({
    id: `29:${TEAMS_PEOPLE[name]}`,
    name: PEOPLE[name].realName,
    givenName: PEOPLE[name].realName.split(' ', 1)[0],
    userPrincipleName: PEOPLE[name].email,
    email: PEOPLE[name].email,
    aadObjectId: TEAMS_PEOPLE[name],
  }));
  const file = {
    version: '0.1.1',
    tenantId: TEAMS_TENANT,
    bot: { id: '00000000-0000-4000-8000-0000000000f0', name: 'FileFerry' },
    currentUser: users[0],
    users: users.slice(1),
  };
  await writeFile(join(folder, '.m365agentsplayground.yml'), stringify(file));
}
