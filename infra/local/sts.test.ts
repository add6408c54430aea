import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mayAssume, READ_ONLY_ROLE_POLICY, READ_ONLY_ROLE_TRUST } from './access-policy.ts';
import { type AccessKey, createKeyRing, LOCAL_ACCOUNT } from './key-ring.ts';
import type { LocalServer } from './listen.ts';
import { startSts } from './sts.ts';

const roleArn = `arn:aws:iam::${LOCAL_ACCOUNT}:role/FileFerryReadOnlyRole`;
const keys = createKeyRing();
const service = keys.addUser('fileferry', mayAssume(roleArn));
let sts: LocalServer;

beforeAll(async () => {
  sts = await startSts({
    keys,
    role: {
      arn: roleArn,
      externalId: 'fileferry-demo',
      policy: READ_ONLY_ROLE_POLICY,
      trust: READ_ONLY_ROLE_TRUST,
    },
  });
});
afterAll(() => sts.stop());

const client = ({ accessKeyId, secretAccessKey, session }: AccessKey) =>
  new STSClient({
    endpoint: sts.endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey, ...(session && { sessionToken: session.token }) },
  });
const TAGS = [
  { Key: 'fileferry-user', Value: 'slack:T01:U01' },
  { Key: 'fileferry-subject', Value: 'TRF-0000000001' },
];
const good = {
  Tags: TAGS,
  RoleArn: roleArn,
  RoleSessionName: 'TRF-0000000001',
  ExternalId: 'fileferry-demo',
  DurationSeconds: 900,
};
const assume = (input: Partial<typeof good> & { Policy?: string }) =>
  client(service).send(new AssumeRoleCommand({ ...good, ...input }));

it('issues keys that expire when they should, and knows their bearer', async () => {
  const before = Date.now();
  const { Credentials, AssumedRoleUser } = await assume({});
  const lifetime = (Credentials?.Expiration?.getTime() ?? 0) - before;
  expect(lifetime).toBeGreaterThanOrEqual(899_000);
  expect(lifetime).toBeLessThan(930_000);
  const arn = `arn:aws:sts::${LOCAL_ACCOUNT}:assumed-role/FileFerryReadOnlyRole/TRF-0000000001`;
  expect(AssumedRoleUser?.Arn).toBe(arn);

  const issued = keys.find(Credentials?.AccessKeyId ?? '');
  if (!issued) throw new Error('the key is not on the ring');
  const identity = await client(issued).send(new GetCallerIdentityCommand({}));
  expect(identity).toMatchObject({ Arn: arn, Account: LOCAL_ACCOUNT });
});

describe('AssumeRole refuses', () => {
  it.each([
    ['another ExternalId', { ExternalId: 'somebody-else' }, 'AccessDenied'],
    ['another role', { RoleArn: `${roleArn}2` }, 'AccessDenied'],
    ['a session without tags', { Tags: [] }, 'AccessDenied'],
    ['a session that lacks a tag', { Tags: TAGS.slice(1) }, 'AccessDenied'],
    ['an empty tag', { Tags: TAGS.map(({ Key }) => ({ Key, Value: '' })) }, 'AccessDenied'],
    ["a tag of the caller's own", { Tags: [...TAGS, { Key: 'admin', Value: 'yes' }] }, 'AccessDenied'],
    ['a session shorter than 15 minutes', { DurationSeconds: 899 }, 'ValidationError'],
    ['a session longer than the role allows', { DurationSeconds: 3601 }, 'ValidationError'],
    ['a session name with a space', { RoleSessionName: 'Ana Silva' }, 'ValidationError'],
    ['a policy that is not JSON', { Policy: '{' }, 'MalformedPolicyDocumentException'],
    ['a policy of another shape', { Policy: '{"Version":"2012-10-17"}' }, 'MalformedPolicyDocumentException'],
    ['a policy beyond 2,048 characters', { Policy: ' '.repeat(2049) }, 'ValidationError'],
  ])('%s', async (_what, input, name) => {
    await expect(assume(input)).rejects.toMatchObject({ name });
  });

  it('a key with a wrong secret', async () => {
    const forged = client({ ...service, secretAccessKey: 'guessed' });
    await expect(forged.send(new AssumeRoleCommand(good))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
  });

  it('an unknown key', async () => {
    const unknown = client({ ...service, accessKeyId: 'AKIAUNKNOWN' });
    await expect(unknown.send(new AssumeRoleCommand(good))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
  });

  it('the keys that it issued itself', async () => {
    const { Credentials } = await assume({});
    const issued = keys.find(Credentials?.AccessKeyId ?? '');
    if (!issued) throw new Error('the key is not on the ring');
    await expect(client(issued).send(new AssumeRoleCommand(good))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});
