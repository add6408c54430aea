import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigFaults, loadBotConfig, loadWorkerConfig, SETTING_NAMES } from './config.ts';

let folder: string;
let good: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fileferry-config-'));
  good = {
    FILEFERRY_CONFIG: 'fileferry.config.example.yaml',
    AWS_REGION: 'us-east-1',
    QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/FileFerry-Transfers',
    DEAD_LETTER_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/dead',
    READ_ONLY_ROLE_ARN: 'arn:aws:iam::000000000000:role/FileFerryReadOnlyRole',
    SERVICENOW_URL: 'https://example.service-now.com',
    SERVICENOW_USER: 'ferry',
    SERVICENOW_PASSWORD: 'secret',
    SLACK_BOT_TOKEN: 'xoxb-local',
    SLACK_SIGNING_SECRET: 'local-secret',
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function faultsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigFaults) return error.faults;
    throw error;
  }
  return [];
}

describe('good settings', () => {
  it('are read with their defaults, and frozen', () => {
    const bot = loadBotConfig(good);
    expect(bot.env).toMatchObject({ PORT: 3978, LOG_LEVEL: 'info', TABLE_PREFIX: 'FileFerry-' });
    expect(bot.policy.destinations).toHaveProperty('acme-ftp');
    expect(Object.isFrozen(bot.env)).toBe(true);
    expect(loadWorkerConfig({ ...good, WORKER_CONCURRENCY: '8' }).env.WORKER_CONCURRENCY).toBe(8);
  });

  it('count an empty one as not set', () => {
    expect(loadBotConfig({ ...good, PORT: '', SLACK_APP_TOKEN: '' }).env.PORT).toBe(3978);
  });

  it('take either pair for ServiceNow', () => {
    const oauth = { ...good, SERVICENOW_USER: '', SERVICENOW_CLIENT_ID: 'id', SERVICENOW_CLIENT_SECRET: 's' };
    expect(faultsOf(() => loadWorkerConfig(oauth))).toEqual([]);
  });
});

describe('wrong settings', () => {
  it('are named all at once: single ones, those that belong together, and the policy', () => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, 'rules: []\n');
    const faults = faultsOf(() =>
      loadBotConfig({
        FILEFERRY_CONFIG: file,
        QUEUE_URL: 'not a url',
        SERVICENOW_URL: 'https://example.service-now.com',
        SERVICENOW_USER: 'ferry',
        SERVICENOW_CLIENT_SECRET: 'half a pair',
        SLACK_BOT_TOKEN: 'xoxp-somebody',
        READ_ONLY_ROLE_ARN: 'FileFerryReadOnlyRole',
        PORT: '99999',
      }),
    );
    for (const about of [
      'environment AWS_REGION: is not set',
      'environment QUEUE_URL',
      'environment SLACK_BOT_TOKEN: expected a bot token',
      'environment READ_ONLY_ROLE_ARN: expected the ARN',
      'environment PORT',
      'environment SERVICENOW_USER: set SERVICENOW_USER and SERVICENOW_PASSWORD, or',
      'environment SLACK_APP_TOKEN: set SLACK_APP_TOKEN for Socket Mode, or',
      `${file} groups: is missing`,
      `${file} rules:`,
    ]) {
      expect(faults).toContainEqual(expect.stringContaining(about));
    }
    expect(faults.join()).not.toMatch(/xoxp-somebody|half a pair/);
  });

  it('ask the worker for no Slack connection, but for the dead-letter queue', () => {
    const faults = faultsOf(() =>
      loadWorkerConfig({ ...good, SLACK_SIGNING_SECRET: '', DEAD_LETTER_QUEUE_URL: '' }),
    );
    expect(faults).toEqual(['environment DEAD_LETTER_QUEUE_URL: is not set']);
  });

  it('tell the worker, which logs in, of a password that is not where the policy says', () => {
    const file = join(folder, 'by-environment.yaml');
    const example = readFileSync('fileferry.config.example.yaml', 'utf8');
    writeFileSync(file, example.replace('secretsmanager:fileferry/acme-ftp', 'env:ACME_PASSWORD'));
    const env = { ...good, FILEFERRY_CONFIG: file };
    expect(faultsOf(() => loadWorkerConfig({ ...env, AWS_REGION: '' }))).toEqual([
      'environment AWS_REGION: is not set',
      'environment ACME_PASSWORD: is not set; the policy keeps the password of acme-ftp there',
    ]);
    expect(faultsOf(() => loadWorkerConfig({ ...env, ACME_PASSWORD: 'x' }))).toEqual([]);
    expect(faultsOf(() => loadBotConfig(env))).toEqual([]);
  });

  it('name the file that cannot be read and the setting that names it', () => {
    const faults = faultsOf(() => loadBotConfig({ ...good, FILEFERRY_CONFIG: join(folder, 'none.yaml') }));
    expect(faults).toEqual([
      expect.stringMatching(/none\.yaml: cannot be read \(ENOENT\); FILEFERRY_CONFIG/),
    ]);
  });

  it('read as one list', () => {
    expect(() => loadBotConfig({ ...good, AWS_REGION: '', PORT: 'x' })).toThrow(
      /^2 wrong settings:\n {2}• .+\n {2}• /,
    );
  });
});

describe('Teams', () => {
  const GUID = '11111111-2222-3333-4444-555555555555';
  const teams = {
    TEAMS_APP_ID: GUID,
    TEAMS_APP_PASSWORD: 'secret',
    TEAMS_APP_TYPE: 'SingleTenant',
    TEAMS_TENANT_ID: GUID,
  };
  const withoutSlack = { SLACK_BOT_TOKEN: '', SLACK_SIGNING_SECRET: '' };

  it('works alone and beside Slack', () => {
    const { env } = loadBotConfig({
      ...good,
      ...teams,
      ...withoutSlack,
      TEAMS_ALLOWED_TENANTS: `${GUID}, ${GUID}`,
      TEAMS_EMAIL_TENANTS: GUID,
    });
    expect(env.TEAMS_ALLOWED_TENANTS).toEqual([GUID, GUID]);
    expect(env.TEAMS_EMAIL_TENANTS).toEqual([GUID]);
    expect(env.TEAMS_SERVICE_HOSTS).toContain('smba.trafficmanager.net');
    expect(faultsOf(() => loadBotConfig({ ...good, ...teams }))).toEqual([]);
    const managed = { ...teams, TEAMS_APP_TYPE: 'UserAssignedMSI', TEAMS_APP_PASSWORD: '' };
    expect(faultsOf(() => loadWorkerConfig({ ...good, ...managed }))).toEqual([]);
  });

  it.each([
    [{ TEAMS_APP_ID: '' }, 'TEAMS_APP_ID: set it'],
    [{ TEAMS_APP_TYPE: '' }, 'TEAMS_APP_TYPE: set SingleTenant'],
    [{ TEAMS_TENANT_ID: '' }, 'TEAMS_TENANT_ID: set the tenant'],
    [{ TEAMS_APP_PASSWORD: '' }, 'TEAMS_APP_PASSWORD: set it'],
    [{ TEAMS_APP_TYPE: 'MultiTenant' }, 'TEAMS_APP_TYPE'],
    [{ TEAMS_APP_ID: 'me' }, 'TEAMS_APP_ID: expected a GUID'],
    [{ TEAMS_SERVICE_URL: 'https://evil.example/' }, 'TEAMS_SERVICE_URL: expected https'],
    [{ TEAMS_SERVICE_HOSTS: '*.example' }, 'TEAMS_SERVICE_HOSTS'],
    [{ TEAMS_LOCAL_NO_AUTH: 'true' }, 'TEAMS_LOCAL_NO_AUTH: works with HOST=127.0.0.1 only'],
    [{ TEAMS_LOCAL_NO_AUTH: 'true', HOST: '0.0.0.0' }, 'TEAMS_LOCAL_NO_AUTH: works with HOST'],
    [
      { TEAMS_LOCAL_NO_AUTH: 'true', HOST: '127.0.0.1', AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001' },
      'TEAMS_LOCAL_NO_AUTH: works with HOST=127.0.0.1 only, and not in Lambda',
    ],
  ])('does not start with %j', (change, fault) => {
    const faults = faultsOf(() => loadBotConfig({ ...good, ...teams, ...change }));
    expect(faults).toEqual([expect.stringContaining(`environment ${fault}`)]);
  });

  it('is needed where Slack is not', () => {
    for (const load of [loadBotConfig, loadWorkerConfig]) {
      expect(faultsOf(() => load({ ...good, ...withoutSlack }))).toEqual([
        'environment SLACK_BOT_TOKEN: set the settings of Slack, of Teams, or of both; FileFerry needs a chat',
      ]);
    }
  });
});

describe('.env.example', () => {
  const lines = readFileSync('.env.example', 'utf8').split('\n');
  const setting = /^#?([A-Z][A-Z0-9_]*)=/;

  it('has every setting once and no other', () => {
    const named = lines.flatMap((line) => setting.exec(line)?.[1] ?? []);
    expect(named.sort()).toEqual([...SETTING_NAMES]);
  });

  it('explains each: a sentence stands before it or before the block it is in', () => {
    lines.forEach((line, at) => {
      if (!setting.test(line)) return;
      const block = lines.slice(0, at).findLast((before) => !setting.test(before));
      expect(block, line).toMatch(/^# \S.*/);
    });
  });

  it('shows the defaults that the schema has', () => {
    const shown = Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^#([A-Z][A-Z0-9_]*)=(.+)$/.exec(line) ?? [];
        return name && value ? [[name, value]] : [];
      }),
    );
    const defaults: Record<string, unknown> = { ...loadBotConfig(good).env, ...loadWorkerConfig(good).env };
    for (const [name, value] of Object.entries(shown)) {
      if (name === 'FILEFERRY_CONFIG' || name.startsWith('AWS_ENDPOINT')) continue;
      expect(`${name}=${defaults[name]}`).toBe(`${name}=${value}`);
    }
  });
});
