/** `npm run manifest -- --base-url https://…`: writes the app packages of Slack and Teams. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXAMPLE, packageFiles, teamsPackage } from './packages.ts';

const USAGE = `npm run manifest -- --base-url https://ferry.example.com [--teams-app-id GUID] [--app-version 1.0.0] [--out FOLDER]`;

function fail(why: string): never {
  process.stderr.write(`${why}\n${USAGE}\n`);
  process.exit(1);
}

let given: { 'base-url'?: string; 'teams-app-id'?: string; 'app-version'?: string; out?: string };
try {
  given = parseArgs({
    options: {
      'base-url': { type: 'string' },
      'teams-app-id': { type: 'string' },
      'app-version': { type: 'string' },
      out: { type: 'string' },
    },
  }).values;
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const url = URL.parse(given['base-url'] ?? '');
if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search || url.hash || url.username)
  fail('--base-url has to be the https address of the bot, without a path');
const appId = given['teams-app-id'] ?? EXAMPLE.appId;
if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(appId)) fail('--teams-app-id has to be a GUID');
const version = given['app-version'] ?? EXAMPLE.version;
if (!/^\d+\.\d+\.\d+$/.test(version)) fail('--app-version has to be of the form 1.0.0');

const facts = { baseUrl: url.origin, appId, version };
const out = given.out ?? join(import.meta.dirname, 'build');
const files = { ...packageFiles(facts), 'fileferry-teams.zip': teamsPackage(facts) };
for (const [name, data] of Object.entries(files)) {
  const path = join(out, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
  process.stdout.write(`${path}  ${data.length} bytes\n`);
}
if (appId === EXAMPLE.appId)
  process.stdout.write('The Teams package has an example’s app id: give yours with --teams-app-id.\n');
