/** The synthesized stacks, with CloudFormation's functions worked out, so that policies can be asked questions. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { addFileFerry, type Deployment } from '../../infra/cloud/deployment.ts';
import { type AccessPolicy, parseAccessPolicy } from '../../infra/local/access-policy.ts';

export const ACCOUNT = '111122223333';
export const TEST_REGION = 'us-east-1';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the properties of any resource type
  readonly Properties?: any;
  readonly DeletionPolicy?: string;
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { Name: string } }>
  >;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: Readonly<Record<string, string | readonly string[]>>;
  readonly Condition?: object;
}

export interface SynthesizedCloud {
  /** What the checks found without failing, that is, warnings. */
  readonly findings: readonly string[];
  readonly data: Template;
  readonly services: Template;
  /** All resources of a type, in both stacks, by logical id; functions are worked out. */
  resources(type: string): ReadonlyMap<string, Resource>;
  /** Everything that a role's policies say, the role named by its RoleName. */
  policyOf(roleName: string): AccessPolicy;
  trustOf(roleName: string): readonly Statement[];
  /** Every policy statement of the stacks, of roles, queues, buckets and topics alike. */
  statements(): readonly Statement[];
}

/** The options in cdk.json: an App that is made here does not read it. */
const CDK_JSON = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'infra', 'cloud', 'cdk.json'), 'utf8'),
) as { context: Record<string, unknown> };

/** How ARNs end, of the types that are asked for theirs. */
const ARN_OF: Readonly<Record<string, (name: string) => string>> = {
  'AWS::DynamoDB::Table': (name) => `dynamodb:${TEST_REGION}:${ACCOUNT}:table/${name}`,
  'AWS::SQS::Queue': (name) => `sqs:${TEST_REGION}:${ACCOUNT}:${name}`,
  'AWS::IAM::Role': (name) => `iam::${ACCOUNT}:role/${name}`,
  'AWS::S3::Bucket': (name) => `s3:::${name}`,
  'AWS::Logs::LogGroup': (name) => `logs:${TEST_REGION}:${ACCOUNT}:log-group:${name}:*`,
};

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': TEST_REGION,
  'AWS::URLSuffix': 'amazonaws.com',
};

const nameOf = (id: string, { Properties = {} }: Resource): unknown =>
  Properties.TableName ??
  Properties.QueueName ??
  Properties.RoleName ??
  Properties.BucketName ??
  Properties.Name ??
  id;

function resolver(templates: readonly Template[]) {
  const resources = new Map(templates.flatMap(({ Resources }) => Object.entries(Resources)));
  const exported = new Map(
    templates.flatMap(({ Outputs = {} }) =>
      Object.values(Outputs).map(({ Export, Value }) => [Export?.Name, Value]),
    ),
  );
  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve);
    if (value === null || typeof value !== 'object') return value;
    const [[fn, argument] = ['', undefined], ...others] = Object.entries(value) as [string, unknown][];
    if (others.length > 0) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
    }
    switch (fn) {
      case 'Ref': {
        const id = String(argument);
        const resource = resources.get(id);
        return PSEUDO[id] ?? (resource ? resolve(nameOf(id, resource)) : id);
      }
      case 'Fn::GetAtt': {
        const [id = '', attribute = ''] = argument as string[];
        const resource = resources.get(id);
        const arn = resource && attribute === 'Arn' ? ARN_OF[resource.Type] : undefined;
        return arn && resource
          ? `arn:aws:${arn(String(resolve(nameOf(id, resource))))}`
          : `${id}.${attribute}`;
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown[]];
        return parts.map(resolve).join(separator);
      }
      case 'Fn::ImportValue':
        return resolve(exported.get(String(argument)));
      default:
        return { [fn]: resolve(argument) };
    }
  }
  return resolve;
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

/**
 * Synthesizes the deployment with the checks that `npm run synth` makes.
 *
 * @param change what a test adds, to see that the checks find it
 * @throws Error when a check fails
 */
export function synthesize(
  options: Readonly<Record<string, unknown>> = {},
  change: (deployment: Deployment) => void = () => {},
): SynthesizedCloud {
  const outdir = mkdtempSync(join(tmpdir(), 'fileferry-cdk-'));
  try {
    const app = new App({ outdir, context: { ...CDK_JSON.context, ...options } });
    const deployment = addFileFerry(app);
    change(deployment);
    const assembly = app.synth();
    const templateOf = (stack: Stack) => assembly.getStackArtifact(stack.artifactId).template as Template;
    return {
      ...read(templateOf(deployment.data), templateOf(deployment.services)),
      findings: findingsIn(outdir),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Warnings do not stop a synthesis, but they are in its report. */
function findingsIn(outdir: string): readonly string[] {
  const report = join(outdir, 'validation-report.json');
  if (!existsSync(report)) throw new Error('nothing was validated');
  const { pluginReports } = JSON.parse(readFileSync(report, 'utf8')) as {
    pluginReports: { violations: { ruleName: string; description: string }[] }[];
  };
  return pluginReports.flatMap(({ violations }) =>
    violations.map(({ ruleName, description }) => `${ruleName}: ${description}`),
  );
}

function read(data: Template, services: Template): Omit<SynthesizedCloud, 'findings'> {
  const templates = [data, services];
  const resolve = resolver(templates);
  const resources = (type: string) =>
    new Map(
      templates
        .flatMap(({ Resources }) => Object.entries(Resources))
        .filter(([, { Type }]) => Type === type)
        .map(([id, resource]) => [id, { ...resource, Properties: resolve(resource.Properties) } as Resource]),
    );
  const role = (roleName: string) => {
    const found = [...resources('AWS::IAM::Role').values()].find(
      ({ Properties }) => Properties.RoleName === roleName,
    );
    if (!found) throw new Error(`there is no role ${roleName}`);
    return found;
  };
  const documentsOf = (resource: Resource): { Statement: Statement[] }[] => {
    const { PolicyDocument, AssumeRolePolicyDocument, Policies = [] } = resource.Properties ?? {};
    return [
      ...list(PolicyDocument),
      ...list(AssumeRolePolicyDocument),
      ...list<{ PolicyDocument: { Statement: Statement[] } }>(Policies).map(
        (policy) => policy.PolicyDocument,
      ),
    ] as { Statement: Statement[] }[];
  };
  return {
    data,
    services,
    resources,
    policyOf(roleName) {
      const own = role(roleName).Properties;
      if (list(own.ManagedPolicyArns).length > 0) throw new Error(`${roleName} has managed policies`);
      const attached = [...resources('AWS::IAM::Policy').values()].filter(({ Properties }) =>
        list<string>(Properties.Roles).includes(roleName),
      );
      const Statement = [
        ...attached.flatMap(documentsOf),
        ...list<{ PolicyDocument: { Statement: Statement[] } }>(own.Policies).map(
          (policy) => policy.PolicyDocument,
        ),
      ].flatMap((document) => document.Statement);
      const parsed = parseAccessPolicy(JSON.stringify({ Version: '2012-10-17', Statement }));
      if ('fault' in parsed) throw new Error(`${roleName}: ${parsed.fault}`);
      return parsed.policy;
    },
    trustOf: (roleName) => role(roleName).Properties.AssumeRolePolicyDocument.Statement as Statement[],
    statements: () =>
      templates
        .flatMap(({ Resources }) => Object.values(Resources))
        .map((resource) => ({ ...resource, Properties: resolve(resource.Properties) }))
        .flatMap(documentsOf)
        .flatMap(({ Statement }) => Statement),
  };
}
