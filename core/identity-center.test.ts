/** Signing in to a fake IAM Identity Center over real sockets, at the pace that it wants. */
import { inspect } from 'node:util';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { READ_ONLY_ROLE_POLICY } from '../infra/local/access-policy.ts';
import { createKeyRing, LOCAL_ACCOUNT } from '../infra/local/key-ring.ts';
import { type FakeIdentityCenter, startIdentityCenter } from '../test/fakes/identity-center.ts';
import { createIdentityCenter, createIdentityCenterClients, type IdentityCenter } from './identity-center.ts';

const ANA = 'slack:T01FERRY:U01ANA';
const startUrl = 'https://ferry.awsapps.com/start';
const roleName = 'FileFerryReadOnly';
let clock: number;
/** What happens while the program waits; the clock has moved on by then. */
let meanwhile: (waits: number) => void;
let pauses: number[];
let fake: FakeIdentityCenter;
let centre: IdentityCenter;
const lines: string[] = [];

beforeEach(async () => {
  clock = Date.now();
  meanwhile = () => {};
  pauses = [];
  const now = () => clock;
  fake = await startIdentityCenter({
    keys: createKeyRing(now),
    startUrl,
    accountId: LOCAL_ACCOUNT,
    roleName,
    policy: READ_ONLY_ROLE_POLICY,
    now,
  });
  centre = createIdentityCenter({
    ...createIdentityCenterClients({
      region: 'us-east-1',
      oidcEndpoint: fake.endpoint,
      ssoEndpoint: fake.endpoint,
    }),
    startUrl,
    accountId: LOCAL_ACCOUNT,
    roleName,
    now,
    async pause(ms, signal) {
      signal.throwIfAborted();
      pauses.push(ms);
      clock += ms;
      meanwhile(pauses.length);
    },
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
  });
});
afterEach(async () => {
  centre.close();
  await fake.stop();
});

const signal = () => AbortSignal.timeout(10_000);
async function signedIn(): Promise<void> {
  const { signIn, done } = await centre.signIn(ANA);
  fake.decide(signIn.code, 'allowed');
  await done;
}

it('asks until the person has signed in, and then has the credentials of the role', async () => {
  let code = '';
  meanwhile = (waits) => {
    if (waits === 3) fake.decide(code, 'allowed');
  };
  const opening = centre.signIn(ANA);
  const { signIn, done } = await opening;
  code = signIn.code;
  expect(signIn.url).toBe(`${startUrl}/device?user_code=${code}`);
  await done;
  expect(pauses).toEqual([5_000, 5_000, 5_000]);
  expect(centre.isSignedIn(ANA)).toBe(true);
  expect(await centre.roleCredentials(ANA, signal())).toMatchObject({
    accessKeyId: expect.stringMatching(/^ASIA/),
    sessionToken: expect.any(String),
    expiration: expect.any(Date),
  });
  expect(centre.isSignedIn('slack:T01FERRY:U02BOB')).toBe(false);
});

it('slows down when it is told to', async () => {
  // The first wait was cut short, as a clock that jumps would.
  meanwhile = (waits) => {
    if (waits === 1) clock -= 3_000;
    if (waits === 2) fake.decide(code, 'allowed');
  };
  let code = '';
  const { signIn, done } = await centre.signIn(ANA);
  code = signIn.code;
  await done;
  expect(pauses).toEqual([5_000, 10_000]);
});

it('gives up when the person refuses', async () => {
  const { signIn, done } = await centre.signIn(ANA);
  fake.decide(signIn.code, 'denied');
  await expect(done).rejects.toMatchObject({ code: 'not_allowed', retryable: false });
  await expect(centre.roleCredentials(ANA, signal())).rejects.toMatchObject({ code: 'not_allowed' });
});

it('gives up when the code has lapsed, and begins anew when asked again', async () => {
  const first = await centre.signIn(ANA);
  await expect(first.done).rejects.toMatchObject({ code: 'not_allowed' });
  expect(pauses.length).toBeGreaterThan(100);
  const second = await centre.signIn(ANA);
  expect(second.signIn.code).not.toBe(first.signIn.code);
  fake.decide(second.signIn.code, 'allowed');
  await second.done;
});

it('has one sign-in open for a person, and registers once', async () => {
  const [one, other] = await Promise.all([centre.signIn(ANA), centre.signIn(ANA)]);
  expect(other.signIn).toEqual(one.signIn);
  fake.decide(one.signIn.code, 'allowed');
  await one.done;
  expect(fake.calls.filter((path) => path === '/client/register')).toHaveLength(1);
});

it('asks to sign in again when the token has ended, here or in the portal', async () => {
  await signedIn();
  clock += 3_600_000;
  expect(centre.isSignedIn(ANA)).toBe(false);
  await signedIn();
  fake.signOutAll();
  await expect(centre.roleCredentials(ANA, signal())).rejects.toMatchObject({ code: 'not_allowed' });
  expect(centre.isSignedIn(ANA)).toBe(false);
});

it('registers anew when the service has forgotten it', async () => {
  await signedIn();
  fake.forgetClients();
  await signedIn();
  expect(fake.calls.filter((path) => path === '/client/register')).toHaveLength(2);
});

it('waits for an outage to pass, and says when there is one from the start', async () => {
  const { signIn, done } = await centre.signIn(ANA);
  fake.failNext(2);
  fake.decide(signIn.code, 'allowed');
  await done;
  fake.failNext(9);
  await expect(centre.roleCredentials(ANA, signal())).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
  });
});

it('writes no token, no secret and no code into the log', async () => {
  await signedIn();
  const { secretAccessKey, sessionToken } = await centre.roleCredentials(ANA, signal());
  const said = lines.join('\n') + inspect(centre, { depth: 9 });
  for (const secret of [secretAccessKey, sessionToken]) expect(said).not.toContain(secret);
  expect(said).not.toMatch(/accessToken|deviceCode|clientSecret/);
});
