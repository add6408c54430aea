import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { closeServer, listenLocally } from '../../local/listen.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import type { Finding } from './finding.ts';
import { BOT_SCOPES } from './parties.ts';
import { renderTable } from './report.ts';
import { verify } from './verify.ts';

const log = pino({ level: 'silent' });
let stack: Stack;
let slack: Server;
let settings: Record<string, string>;
let scopes: readonly string[];

beforeAll(async () => {
  scopes = BOT_SCOPES;
  slack = createServer((req, res) => {
    const known = req.headers.authorization === `Bearer ${settings.SLACK_BOT_TOKEN}`;
    res.setHeader('x-oauth-scopes', scopes.join(','));
    res.setHeader('content-type', 'application/json');
    res.end(
      JSON.stringify(
        known ? { ok: true, team: 'Ferry', user: 'fileferry' } : { ok: false, error: 'invalid_auth' },
      ),
    );
  });
  const [started, slackUrl] = await Promise.all([startStack({ slack: 'none' }), listenLocally(slack)]);
  stack = started;
  settings = {
    ...stack.environmentForBot(),
    ...stack.environmentForWorker(),
    SLACK_API_URL: `${slackUrl}/api/`,
  };
  delete settings.SLACK_APP_TOKEN;
  settings.SLACK_SIGNING_SECRET = 'local-secret';
  // Where the SDK looks for credentials.
  for (const [name, value] of Object.entries(settings)) if (name.startsWith('AWS_')) vi.stubEnv(name, value);
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await stack?.stop();
  await closeServer(slack);
});

const statusOf = (findings: readonly Finding[], area: string, what: string) =>
  findings.find((finding) => finding.area === area && finding.what === what)?.status;
const faults = (findings: readonly Finding[]) => findings.filter(({ status }) => status === 'wrong');

/** As `npm run verify` runs it. */
async function run(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  const [code] = (await once(child, 'exit')) as [number];
  return { code, output };
}

/** A second policy file, without the destination that is down. */
function policyWithoutTheOneThatIsDown(): string {
  const policy = parse(readFileSync(stack.configFile, 'utf8'));
  delete policy.destinations['offline-ftp'];
  for (const rule of policy.rules) rule.to = rule.to.filter((name: string) => name !== 'offline-ftp');
  const file = `${stack.configFile}.verify.yaml`;
  writeFileSync(file, stringify(policy));
  return file;
}

it('finds on the local stack all that is right, and the one destination that is down', async () => {
  const { code, output } = await run(settings, '--json');
  const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: Finding[] };
  expect(faults(findings).map(({ what }) => what)).toEqual(['offline-ftp']);
  expect(faults(findings)[0]?.todo).toMatch(/^Can 127\.0\.0\.1:1 be reached/);
  expect({ ok, code }).toEqual({ ok: false, code: 1 });

  const right = findings.filter(({ status }) => status === 'ok').map(({ what }) => what);
  expect(right).toEqual(
    expect.arrayContaining([
      'FileFerry-ActiveSessions',
      'FileFerry-TransferRequests',
      'FileFerry-TransferRequests DueIndex',
      'FileFerry-TransferRequests UserIdIndex',
      'FileFerry-Transfers',
      'redrive',
      'without session tags',
      'with session tags',
      'SLACK_BOT_TOKEN',
      'acme-ftp',
    ]),
  );
  // What emulators lack is neither passed nor failed.
  for (const what of ['FileFerry-UserContext TTL', 'FileFerry-UserContext PITR']) {
    expect(statusOf(findings, 'tables', what)).toBe('unknown');
  }
  expect(statusOf(findings, 'role', 'trust')).toBe('unknown');
  // The services may write audit events, and not look at them.
  expect(statusOf(findings, 'audit', 'fileferry-audit')).toBe('unknown');
});

it('exits 0 when nothing is wrong, and prints a table without secrets', async () => {
  const { code, output } = await run({ ...settings, FILEFERRY_CONFIG: policyWithoutTheOneThatIsDown() });
  expect(code).toBe(0);
  expect(output).toMatch(/✓ queues\s+redrive/);
  expect(output).toMatch(/\d+ right, 0 wrong, \d+ could not be looked at from here\./);
  for (const secret of [settings.SLACK_BOT_TOKEN, stack.ftp.password, settings.SERVICENOW_PASSWORD]) {
    expect(output).not.toContain(secret);
  }
});

it('looks at Teams where only Teams is configured', async () => {
  const GUID = '11111111-2222-3333-4444-555555555555';
  const teams = {
    SLACK_BOT_TOKEN: '',
    TEAMS_APP_ID: GUID,
    TEAMS_APP_PASSWORD: 'secret',
    TEAMS_APP_TYPE: 'SingleTenant',
    TEAMS_TENANT_ID: GUID,
  };
  const nowhere = 'http://127.0.0.1:1';
  const options = { microsoftLogin: nowhere, publicUrl: nowhere };
  const findings = await verify({ ...settings, ...teams }, log, options);
  expect(statusOf(findings, 'teams', 'credentials')).toBe('wrong');
  expect(statusOf(findings, 'way in', '/api/messages')).toBe('wrong');
  expect(findings.filter(({ area, what }) => area === 'slack' || what === '/slack/events')).toEqual([]);
});

describe('says what is wrong, and what to do:', () => {
  it.each([
    [
      'tables that are not there',
      { TABLE_PREFIX: 'Other-' },
      'tables',
      'Other-TransferRequests',
      /Deploy FileFerry-Data/,
    ],
    ['queues in the wrong place', { QUEUE_URL: 'nowhere' }, 'queues', 'redrive', /QUEUE_URL/],
    [
      'a role of another name',
      { READ_ONLY_ROLE_ARN: 'arn:aws:iam::000000000000:role/Admin' },
      'role',
      '',
      undefined,
    ],
    [
      'a token that Slack refuses',
      { SLACK_BOT_TOKEN: 'xoxb-other' },
      'slack',
      'SLACK_BOT_TOKEN',
      /app's page/,
    ],
    [
      'a wrong ServiceNow password',
      { SERVICENOW_PASSWORD: 'guessed' },
      'servicenow',
      '',
      /account, and its role/,
    ],
    ['a wrong FTP password', { DEMO_FTP_PASSWORD: 'guessed' }, 'destinations', 'acme-ftp', /the password of/],
  ])('%s', async (_what, change, area, what, todo) => {
    const changed: Record<string, string> = { ...settings, ...change };
    if (changed.QUEUE_URL === 'nowhere')
      changed.QUEUE_URL = settings.QUEUE_URL?.replace(/Transfers$/, 'Elsewhere') ?? '';
    const known = settings.SLACK_BOT_TOKEN;
    const findings = await verify(changed, log);
    expect(settings.SLACK_BOT_TOKEN).toBe(known);
    if (todo === undefined) {
      // Nobody here may become that role, which is as it should be; nothing can be said for it.
      expect(statusOf(findings, 'role', 'with session tags')).toBe('unknown');
      return;
    }
    const found = faults(findings).find((finding) => finding.area === area && finding.what.includes(what));
    expect(found?.todo).toMatch(todo);
    expect(JSON.stringify(findings)).not.toContain('guessed');
  });

  it('a scope that the token lacks', async () => {
    scopes = BOT_SCOPES.filter((scope) => scope !== 'users:read.email');
    const findings = await verify(settings, log);
    scopes = BOT_SCOPES;
    expect(faults(findings).find(({ area }) => area === 'slack')).toMatchObject({
      found: 'lacks users:read.email',
      todo: 'Add the scopes to the app and install it again.',
    });
  });

  it('settings, all at once', async () => {
    const findings = await verify({ AWS_REGION: 'us-east-1' }, log);
    expect(new Set(findings.map(({ area, status }) => `${area} ${status}`))).toEqual(
      new Set(['settings wrong']),
    );
    expect(findings.length).toBeGreaterThan(5);
  });
});

describe('it changes nothing:', () => {
  it('no call in it could', () => {
    const calls = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .flatMap((name) => [
        ...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/new (\w+)Command\(/g),
      ])
      .map(([, command]) => command ?? '');
    expect(calls.length).toBeGreaterThan(8);
    expect(calls.filter((command) => !/^(Describe|Get|List|AssumeRole$|CountTokens$)/.test(command))).toEqual(
      [],
    );
  });

  it('no table comes to be where one is missing', async () => {
    await verify({ ...settings, TABLE_PREFIX: 'Other-' }, log);
    const client = new DynamoDBClient({
      region: 'us-east-1',
      ...(settings.AWS_ENDPOINT_URL_DYNAMODB && { endpoint: settings.AWS_ENDPOINT_URL_DYNAMODB }),
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    client.destroy();
    expect(TableNames.filter((name) => name.startsWith('Other-'))).toEqual([]);
  });
});

it('shows what others said on one line, without signs that a terminal obeys', () => {
  const found = 'refused:\u001b[31m\nroot\u0007';
  const table = renderTable([{ area: 'slack', what: 'token', status: 'wrong', found, todo: 'Try.' }], false);
  expect(table.split('\n').slice(0, 2)).toEqual(['✗ slack  token  refused: root ', '                → Try.']);
});
