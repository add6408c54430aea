/** Looks at FileFerryReadOnlyRole: what it may do, whom it trusts, and whether it is refused without its tags. */
import {
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { type AccessPolicy, isAllowed, parseAccessPolicy } from '../../local/access-policy.ts';
import { READ_ONLY_ROLE, SESSION_TAGS } from '../../schema/role.ts';
import { compare, type Finding, look, ok, unknown, wrong } from './finding.ts';

const AREA = 'role';
const DEPLOY = 'Deploy FileFerry-Services again.';

/** Actions that would let it write, one of each kind. */
const WRITES = [
  's3:PutObject',
  's3:DeleteObject',
  's3:PutBucketPolicy',
  's3:PutObjectTagging',
  's3:RestoreObject',
];

interface RoleUnderTest {
  readonly arn: string;
  readonly externalId?: string | undefined;
  /** Names of the buckets that the policy names. */
  readonly buckets: readonly string[];
}

const isRefused = (error: unknown) => error instanceof Error && /AccessDenied/.test(error.name);

const nameOf = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1);

async function policiesOf(iam: IAMClient, RoleName: string): Promise<AccessPolicy> {
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const documents = await Promise.all(
    PolicyNames.map(async (PolicyName) => {
      const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
      const parsed = parseAccessPolicy(decodeURIComponent(PolicyDocument));
      if ('fault' in parsed) throw new Error(`${PolicyName}: ${parsed.fault}`);
      return parsed.policy;
    }),
  );
  return { Version: '2012-10-17', Statement: documents.flatMap(({ Statement }) => Statement) };
}

function rights(policy: AccessPolicy, { buckets }: RoleUnderTest) {
  const faults: string[] = [];
  const expectTo = (may: boolean, action: string, resource: string) => {
    if (isAllowed([policy], { action, resource }) !== may)
      faults.push(`${may ? 'cannot' : 'can'} ${action} ${resource}`);
  };
  for (const bucket of buckets) {
    expectTo(true, 's3:ListBucket', `arn:aws:s3:::${bucket}`);
    expectTo(true, 's3:GetObject', `arn:aws:s3:::${bucket}/any`);
    for (const action of WRITES) expectTo(false, action, `arn:aws:s3:::${bucket}/any`);
  }
  expectTo(false, 's3:GetObject', 'arn:aws:s3:::a-bucket-that-is-not-in-the-policy/any');
  return faults.length === 0
    ? ok(`reads ${buckets.length} buckets, writes nowhere`)
    : wrong(faults.join('; '), DEPLOY);
}

/** @param iam undefined where there is no IAM to ask, as on the local stack */
export async function lookAtRole(
  sts: STSClient,
  iam: IAMClient | undefined,
  role: RoleUnderTest,
): Promise<Finding[]> {
  const RoleName = nameOf(role.arn);
  const nobodyToAsk = async () => unknown('there is no IAM here to ask');

  const assume = (Tags: { Key: string; Value: string }[]) =>
    sts.send(
      new AssumeRoleCommand({
        RoleArn: role.arn,
        RoleSessionName: 'fileferry-verify',
        DurationSeconds: READ_ONLY_ROLE.sessionSeconds,
        Tags,
        ...(role.externalId ? { ExternalId: role.externalId } : {}),
      }),
    );
  const tags = Object.values(SESSION_TAGS).map((Key) => ({ Key, Value: 'verify' }));

  return Promise.all([
    look(AREA, 'who asks', 'Give this shell credentials: aws sso login, or AWS_PROFILE.', async () => {
      const { Arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
      return ok(Arn);
    }),
    look(
      AREA,
      'rights',
      DEPLOY,
      iam ? async () => rights(await policiesOf(iam, RoleName), role) : nobodyToAsk,
    ),
    look(
      AREA,
      'managed policies',
      DEPLOY,
      iam
        ? async () => {
            const { AttachedPolicies = [] } = await iam.send(
              new ListAttachedRolePoliciesCommand({ RoleName }),
            );
            const names = AttachedPolicies.map(({ PolicyName }) => PolicyName).join(', ');
            return names === ''
              ? ok('none')
              : wrong(names, 'Detach them: the role has policies of its own only.');
          }
        : nobodyToAsk,
    ),
    look(
      AREA,
      'trust',
      DEPLOY,
      iam
        ? async () => {
            const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
            const document = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '{}')) as {
              Statement?: { Principal?: { AWS?: string | string[] }; Condition?: Record<string, unknown> }[];
            };
            const statements = document.Statement ?? [];
            const trusted = statements.flatMap(({ Principal }) => [Principal?.AWS ?? '?'].flat()).map(nameOf);
            const untagged = statements.filter(({ Condition = {} }) =>
              Object.keys(READ_ONLY_ROLE.trustConditions.StringLike).some(
                (key) => !JSON.stringify(Condition.StringLike ?? {}).includes(key),
              ),
            );
            if (untagged.length > 0) return wrong('somebody is trusted without session tags', DEPLOY);
            return compare(
              [...new Set(trusted)].sort().join(', '),
              'FileFerry-bot, FileFerry-worker',
              DEPLOY,
            );
          }
        : nobodyToAsk,
    ),
    look(AREA, 'without session tags', DEPLOY, async () => {
      try {
        await assume([]);
        return wrong('the role is given', DEPLOY);
      } catch (error) {
        if (isRefused(error)) return ok('refused');
        throw error;
      }
    }),
    look(AREA, 'with session tags', DEPLOY, async () => {
      try {
        const { AssumedRoleUser } = await assume(tags);
        return ok(`given, as ${AssumedRoleUser?.Arn}`);
      } catch (error) {
        if (isRefused(error))
          return unknown('not given to you, as it should be; ask from a service to see it given');
        throw error;
      }
    }),
  ]);
}
