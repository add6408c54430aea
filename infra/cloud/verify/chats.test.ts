import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeServer, listenLocally } from '../../local/listen.ts';
import { lookAtTeams, lookAtTheWayIn } from './chats.ts';

const TENANT = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
const APP = '11111111-2222-3333-4444-555555555555';
const SECRET = 'the-value-of-the-secret';
const app = {
  TEAMS_APP_ID: APP,
  TEAMS_APP_PASSWORD: SECRET,
  TEAMS_TENANT_ID: TENANT,
  TEAMS_APP_TYPE: 'SingleTenant',
  TEAMS_LOCAL_NO_AUTH: false,
} as const;

async function bodyOf(req: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('credentials of Teams', () => {
  let microsoft: Server;
  let login: string;
  const asked: { readonly url: string | undefined; readonly form: URLSearchParams }[] = [];

  /** What Microsoft would say of this. */
  function refusal(url: string | undefined, form: URLSearchParams): string | undefined {
    if (url !== `/${TENANT}/oauth2/v2.0/token`) return 'AADSTS90002: Tenant not found.';
    if (form.get('client_id') !== APP) return 'AADSTS700016: Application was not found in the directory.';
    if (form.get('client_secret') === 'old')
      return 'AADSTS7000222: The provided client secret keys are expired.';
    if (form.get('client_secret') !== SECRET) return `AADSTS7000215: Invalid client secret for app '${APP}'.`;
    return undefined;
  }

  beforeAll(async () => {
    microsoft = createServer(async (req, res) => {
      const form = new URLSearchParams(await bodyOf(req));
      asked.push({ url: req.url, form });
      const refused = refusal(req.url, form);
      res.writeHead(refused ? 401 : 200, { 'content-type': 'application/json' });
      res.end(
        JSON.stringify(
          refused
            ? { error: 'invalid_client', error_description: refused }
            : { token_type: 'Bearer', expires_in: 3_599, access_token: 'eyJ-a-token' },
        ),
      );
    });
    login = await listenLocally(microsoft);
  });
  afterAll(() => closeServer(microsoft));

  it('get a token, which nobody is shown', async () => {
    const findings = await lookAtTeams(login, app);
    expect(findings).toMatchObject([
      { area: 'teams', status: 'ok', found: `a token for 60 minutes, for the app ${APP}` },
    ]);
    expect(JSON.stringify(findings)).not.toMatch(/eyJ|the-value/);
    expect(asked.at(-1)?.form.get('scope')).toBe('https://api.botframework.com/.default');
    expect(asked.at(-1)?.form.get('grant_type')).toBe('client_credentials');
  });

  it.each([
    ['a wrong secret', { TEAMS_APP_PASSWORD: 'its-id' }, 'AADSTS7000215', /value, not its id/],
    ['an expired secret', { TEAMS_APP_PASSWORD: 'old' }, 'AADSTS7000222', /"Rotate a secret"/],
    ['an unknown app', { TEAMS_APP_ID: TENANT }, 'AADSTS700016', /TEAMS_APP_ID/],
    ['an unknown tenant', { TEAMS_TENANT_ID: APP }, 'AADSTS90002', /TEAMS_TENANT_ID/],
  ])('say what to do about %s', async (_, change, code, todo) => {
    const [finding] = await lookAtTeams(login, { ...app, ...change });
    expect(finding).toMatchObject({ status: 'wrong', found: `refused: ${code}` });
    expect(finding?.todo).toMatch(todo);
    expect(JSON.stringify(finding)).not.toMatch(/its-id"|"old"/);
  });

  it('are not there in a local Teams, and cannot be looked at from outside Azure', async () => {
    expect(await lookAtTeams(login, { ...app, TEAMS_LOCAL_NO_AUTH: true })).toMatchObject([
      { status: 'unknown' },
    ]);
    const managed = { ...app, TEAMS_APP_TYPE: 'UserAssignedMSI', TEAMS_APP_PASSWORD: undefined } as const;
    expect(await lookAtTeams(login, managed)).toMatchObject([{ status: 'unknown' }]);
    expect(await lookAtTeams(login, { TEAMS_LOCAL_NO_AUTH: false })).toEqual([]);
  });

  it('cannot be judged when Microsoft is not reached', async () => {
    const [finding] = await lookAtTeams('http://127.0.0.1:1', app);
    expect(finding).toMatchObject({ status: 'wrong', todo: 'Can http://127.0.0.1:1 be reached from here?' });
  });
});

describe('the way in', () => {
  let bot: Server;
  let url: string;
  let status = 401;
  beforeAll(async () => {
    bot = createServer((_req, res) => res.writeHead(status).end());
    url = await listenLocally(bot);
  });
  afterAll(() => closeServer(bot));

  it.each([
    [401, 'ok', undefined],
    [404, 'wrong', /PublicUrl/],
    [200, 'wrong', /not FileFerry/],
  ])('that answers %d is %s', async (given, expected, todo) => {
    status = given;
    const findings = await lookAtTheWayIn(url, ['/slack/events', '/api/messages']);
    expect(findings.map((finding) => [finding.what, finding.status])).toEqual([
      ['/slack/events', expected],
      ['/api/messages', expected],
    ]);
    if (todo) expect(findings[0]?.todo).toMatch(todo);
  });

  it('is not looked at without its address, and is nothing in Socket Mode', async () => {
    expect(await lookAtTheWayIn(undefined, ['/api/messages'])).toMatchObject([{ status: 'unknown' }]);
    expect(await lookAtTheWayIn(url, [])).toEqual([]);
  });

  it('is missing where nobody listens', async () => {
    const [finding] = await lookAtTheWayIn('http://127.0.0.1:1', ['/api/messages']);
    expect(finding?.status).toBe('wrong');
  });
});
