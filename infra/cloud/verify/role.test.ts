import { createServer, type Server } from 'node:http';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ACCOUNT, synthesize } from '../../../test/support/cloud.ts';
import { ADMIN_POLICY, READ_ONLY_ROLE_POLICY, READ_ONLY_ROLE_TRUST } from '../../local/access-policy.ts';
import { createKeyRing, LOCAL_ACCOUNT } from '../../local/key-ring.ts';
import { closeServer, type LocalServer, listenLocally } from '../../local/listen.ts';
import { startSts } from '../../local/sts.ts';
import { READ_ONLY_ROLE } from '../../schema/role.ts';
import { lookAtRole } from './role.ts';

/** What IAM knows, as the deployment made it until a test changes it. */
let world: { policy: object; trust: object; attached: string[] };
let server: Server;
let sts: LocalServer;
let iamClient: IAMClient;
let stsClient: STSClient;
const arn = `arn:aws:iam::${LOCAL_ACCOUNT}:role/${READ_ONLY_ROLE.name}`;
const cloud = synthesize();

const xmlText = (document: object) => encodeURIComponent(JSON.stringify(document));
const answers: Readonly<Record<string, () => string>> = {
  ListRolePolicies: () =>
    '<PolicyNames><member>Default</member></PolicyNames><IsTruncated>false</IsTruncated>',
  GetRolePolicy: () =>
    `<PolicyName>Default</PolicyName><PolicyDocument>${xmlText(world.policy)}</PolicyDocument>`,
  ListAttachedRolePolicies: () =>
    `<AttachedPolicies>${world.attached.map((name) => `<member><PolicyName>${name}</PolicyName></member>`).join('')}</AttachedPolicies>`,
  GetRole: () => `<Role><AssumeRolePolicyDocument>${xmlText(world.trust)}</AssumeRolePolicyDocument></Role>`,
};

beforeEach(async () => {
  world = {
    policy: cloud.policyOf(READ_ONLY_ROLE.name),
    trust: { Version: '2012-10-17', Statement: cloud.trustOf(READ_ONLY_ROLE.name) },
    attached: [],
  };
  // IAM's query protocol: https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
  server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += String(part);
    const action = new URLSearchParams(body).get('Action') ?? '';
    const result = answers[action]?.() ?? '';
    res.setHeader('content-type', 'text/xml');
    res.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
  });
  const keys = createKeyRing();
  const operator = keys.addUser('operator', ADMIN_POLICY);
  const role = { arn, policy: READ_ONLY_ROLE_POLICY, trust: READ_ONLY_ROLE_TRUST };
  sts = await startSts({ keys, role });
  const common = { region: 'us-east-1', maxAttempts: 1, credentials: operator };
  iamClient = new IAMClient({ ...common, endpoint: await listenLocally(server) });
  stsClient = new STSClient({ ...common, endpoint: sts.endpoint });
});
afterEach(async () => {
  iamClient.destroy();
  stsClient.destroy();
  await Promise.all([closeServer(server), sts.stop()]);
});

async function wrongs() {
  const findings = await lookAtRole(stsClient, iamClient, { arn, buckets: ['finance-exports'] });
  return findings.filter(({ status }) => status !== 'ok').map(({ what, found }) => `${what}: ${found}`);
}

it('finds the role of the deployment right', async () => {
  expect(await wrongs()).toEqual([]);
});

it('finds a right too many, a policy that was attached, and somebody else who is trusted', async () => {
  const anything = { Effect: 'Allow', Action: ['s3:*'], Resource: ['*'] };
  world.policy = { Version: '2012-10-17', Statement: [anything] };
  world.attached = ['AdministratorAccess'];
  const stranger = { AWS: `arn:aws:iam::${ACCOUNT}:role/Stranger` };
  const [first] = cloud.trustOf(READ_ONLY_ROLE.name);
  world.trust = {
    Version: '2012-10-17',
    Statement: [...cloud.trustOf(READ_ONLY_ROLE.name), { ...first, Principal: stranger }],
  };
  const found = (await wrongs()).join('\n');
  expect(found).toContain('can s3:PutObject arn:aws:s3:::finance-exports/any');
  expect(found).toContain('can s3:GetObject arn:aws:s3:::a-bucket-that-is-not-in-the-policy/any');
  expect(found).toContain('managed policies: AdministratorAccess');
  expect(found).toContain('trust: FileFerry-bot, FileFerry-worker, Stranger, wanted');
});

it('finds trust without session tags, and a bucket that it cannot read', async () => {
  const statements = cloud.trustOf(READ_ONLY_ROLE.name).map(({ Condition, ...rest }) => rest);
  world.trust = { Version: '2012-10-17', Statement: statements };
  world.policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: ['s3:*'], Resource: ['*'] }],
  };
  const found = (await wrongs()).join('\n');
  expect(found).toContain('somebody is trusted without session tags');
  expect(found).toContain('cannot s3:ListBucket arn:aws:s3:::finance-exports');
});
