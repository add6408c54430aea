/** Who is asked to sign in, where, and that nobody else sees the link. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { READ_ONLY_ROLE_POLICY } from '../infra/local/access-policy.ts';
import { createKeyRing, LOCAL_ACCOUNT } from '../infra/local/key-ring.ts';
import { startIdentityCenter } from '../test/fakes/identity-center.ts';
import { SLACK_BOT, startSlackServer } from '../test/fakes/slack-server.ts';
import type { FoundationEnv } from './foundation.ts';
import { personalCredentials } from './personal-credentials.ts';
import { SlackChatClient } from './slack/client.ts';
import { createSlackApi } from './slack/web-api.ts';

const log = pino({ level: 'silent' });
const startUrl = 'https://ferry.awsapps.com/start';

it('asks for nothing where the role is used', () => {
  const env = { AWS_REGION: 'us-east-1' } as FoundationEnv;
  expect(personalCredentials(env, { clients: {}, by: 'bot', now: Date.now, log })).toEqual({});
});

it('sends the link by direct message, and to nobody who cannot be written to', async () => {
  const fake = await startIdentityCenter({
    keys: createKeyRing(),
    startUrl,
    accountId: LOCAL_ACCOUNT,
    roleName: 'FileFerryReadOnly',
    policy: READ_ONLY_ROLE_POLICY,
    now: Date.now,
  });
  const slack = await startSlackServer();
  slack.addUser({ id: 'U01ANA', name: 'ana' });
  const api = createSlackApi({ token: SLACK_BOT.token, apiUrl: slack.url, logger: log });
  const env = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_SSO_OIDC: fake.endpoint,
    AWS_ENDPOINT_URL_SSO: fake.endpoint,
    IDENTITY_CENTER_START_URL: startUrl,
    IDENTITY_CENTER_ACCOUNT_ID: LOCAL_ACCOUNT,
    IDENTITY_CENTER_ROLE: 'FileFerryReadOnly',
  } as FoundationEnv;
  const { personal } = personalCredentials(env, {
    clients: { slack: new SlackChatClient({ api, logger: log, now: Date.now }) },
    by: 'bot',
    now: Date.now,
    log,
  });
  try {
    await expect(personal?.ready('slack:T01FERRY:U01ANA')).rejects.toMatchObject({ code: 'not_allowed' });
    const [message, ...others] = slack.messages('D01ANA');
    expect(others).toEqual([]);
    const buttons = JSON.stringify(message?.blocks);
    expect(buttons).toContain(`"url":"${startUrl}/device?user_code=`);
    expect(buttons).toContain('Sign in');
    await expect(personal?.ready('teams:tenant:dan')).rejects.toMatchObject({ code: 'not_found' });
  } finally {
    personal?.close();
    await Promise.all([fake.stop(), slack.close()]);
  }
});
