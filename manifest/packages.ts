/** Both platforms' app packages, file by file. */
import { colorIcon, outlineIcon } from './icon.ts';
import { slackManifest } from './slack-manifest.ts';
import { type TeamsManifestFacts, teamsManifest } from './teams-manifest.ts';
import { zip } from './zip.ts';

const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

/** Every file by its path under `manifest/`, those that are kept in the repository with the example's facts. */
export function packageFiles(facts: TeamsManifestFacts): Readonly<Record<string, Buffer>> {
  return {
    'slack.json': json(slackManifest(facts.baseUrl)),
    'slack-socket.json': json(slackManifest(undefined)),
    'teams/manifest.json': json(teamsManifest(facts)),
    'teams/color.png': colorIcon(),
    'teams/outline.png': outlineIcon(),
  };
}

/** The package that Teams takes as an upload. */
export function teamsPackage(facts: TeamsManifestFacts): Buffer {
  const files = packageFiles(facts);
  return zip(
    ['manifest.json', 'color.png', 'outline.png'].map((name) => ({
      name,
      data: files[`teams/${name}`] ?? Buffer.alloc(0),
    })),
  );
}

/** What the files in the repository are made with. */
export const EXAMPLE: TeamsManifestFacts = {
  baseUrl: 'https://fileferry.example.com',
  appId: '11111111-2222-3333-4444-555555555555',
  version: '1.0.0',
};
