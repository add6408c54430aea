import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBotConfig, loadWorkerConfig } from '../../core/config.ts';
import { type Resource, type SynthesizedCloud, synthesize } from '../../test/support/cloud.ts';
import { worldPolicy } from '../local/world-policy.ts';
import { METRICS } from '../schema/metrics.ts';
import { QUEUE } from '../schema/queue.ts';
import { TABLES, type TableDefinition } from '../schema/tables.ts';
import { acknowledge } from './acknowledge.ts';
import { ROOT } from './options.ts';

const SYNTH_MS = 60_000;
const operations = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');

const GUID = '11111111-2222-3333-4444-555555555555';
const TEAMS = { TEAMS_APP_ID: GUID, TEAMS_APP_TYPE: 'SingleTenant', TEAMS_TENANT_ID: GUID } as const;

const variants = {
  default: {},
  'load balancer, private subnets': {
    ingress: 'alb',
    certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/example',
    network: 'private',
    account: '111122223333',
  },
  'bot as a function': {
    ingress: 'function-url',
    bedrockModels: 'us.anthropic.some-model',
    sourceKeys: 'arn:aws:kms:us-east-1:111122223333:key/example',
  },
  'Socket Mode': {
    ingress: 'none',
    serviceNowAuth: 'oauth',
    alarmEmail: 'ops@example.com',
    architecture: 'arm64',
  },
  'Teams alone': { chats: 'teams', settings: TEAMS },
  'Slack and Teams': {
    chats: ['slack', 'teams'],
    settings: TEAMS,
    ingress: 'alb',
    certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/example',
  },
} as const;
type Variant = keyof typeof variants;

const clouds = new Map<Variant, SynthesizedCloud>();
/** Every variant goes through all checks when it is made. */
const cloudOf = (variant: Variant): SynthesizedCloud => {
  const made = clouds.get(variant) ?? synthesize(variants[variant]);
  clouds.set(variant, made);
  return made;
};
const all = (variant: Variant, type: string): Resource[] => [...cloudOf(variant).resources(type).values()];

describe('every variant passes all checks of the synthesis', () => {
  it.each(Object.keys(variants) as Variant[])(
    '%s',
    (variant) => {
      expect(cloudOf(variant).findings).toEqual([]);
      expect(Object.keys(cloudOf(variant).services.Resources).length).toBeGreaterThan(30);
    },
    SYNTH_MS,
  );
});

describe('the checks find', () => {
  it('what cdk-nag knows', { timeout: SYNTH_MS }, () => {
    expect(() => synthesize({}, ({ data }) => new CfnBucket(data, 'Careless'))).toThrow(/AwsSolutions-S10/);
  });

  it('what CloudFormation would refuse', { timeout: SYNTH_MS }, () => {
    const impossible = { visibilityTimeout: 99_999, sqsManagedSseEnabled: true };
    expect(() => synthesize({}, ({ data }) => new CfnQueue(data, 'Impossible', impossible))).toThrow(
      /99999 is greater than the maximum/,
    );
  });

  it('what is a warning only', { timeout: SYNTH_MS }, () => {
    const code = { zipFile: 'exports.handler = 1' };
    const role = 'arn:aws:iam::111122223333:role/example';
    const outdated = { code, role, runtime: 'nodejs20.x', handler: 'index.handler' };
    const { findings } = synthesize({}, ({ services }) => {
      const made = new CfnFunction(services, 'Outdated', outdated);
      acknowledge(made, { 'AwsSolutions-L1': 'cdk-nag calls it an error; here the warning is looked for.' });
    });
    expect(findings.join()).toMatch(/nodejs20\.x/);
  });

  it.each([
    [{ ingress: 'carrier-pigeon' }, /ingress/],
    [{ ingress: 'alb' }, /certificateArn/],
    [{ settings: { SLACK_BOT_TOKEN: 'xoxb-1' } }, /SLACK_BOT_TOKEN is a secret/],
    [{ settings: { NO_SUCH: '1' } }, /there is no setting NO_SUCH/],
    [{ minWorkers: 9, maxWorkers: 3 }, /minWorkers/],
    [{ chats: 'pigeons' }, /chats/],
    [{ chats: 'teams' }, /TEAMS_APP_ID goes with teams/],
    [{ settings: TEAMS }, /TEAMS_TENANT_ID goes with teams/],
    [{ chats: 'slack,teams', settings: TEAMS, ingress: 'none' }, /Teams posts to an address/],
    [{ chats: 'teams', settings: { ...TEAMS, TEAMS_APP_TYPE: 'UserAssignedMSI' } }, /inside Azure only/],
    [{ chats: 'teams', settings: { ...TEAMS, TEAMS_APP_PASSWORD: 'x' } }, /TEAMS_APP_PASSWORD is a secret/],
  ])('wrong options: %j', (options, fault) => {
    expect(() => synthesize(options)).toThrow(fault);
  });
});

describe('the data stack', () => {
  it.each(Object.entries(TABLES) as [string, TableDefinition][])(
    'has %s as the schema defines it',
    (name, table) => {
      const found = all('default', 'AWS::DynamoDB::Table').find(
        ({ Properties }) => Properties.TableName === `FileFerry-${name}`,
      );
      const keys = (of: { partitionKey: { name: string }; sortKey?: { name: string } }) => [
        { AttributeName: of.partitionKey.name, KeyType: 'HASH' },
        ...(of.sortKey ? [{ AttributeName: of.sortKey.name, KeyType: 'RANGE' }] : []),
      ];
      expect(found).toMatchObject({
        DeletionPolicy: 'Retain',
        Properties: {
          KeySchema: keys(table),
          BillingMode: table.billing,
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEEnabled: true },
        },
      });
      expect(found?.Properties.TimeToLiveSpecification).toEqual(
        table.ttl && { AttributeName: table.ttl.attribute, Enabled: true },
      );
      expect(found?.Properties.GlobalSecondaryIndexes ?? []).toEqual(
        table.indexes.map((index) => ({
          IndexName: index.name,
          KeySchema: keys(index),
          Projection: { ProjectionType: index.projection },
        })),
      );
    },
  );

  it('has the queue as the schema defines it, and keeps everything when the stack goes', () => {
    const queues = all('default', 'AWS::SQS::Queue');
    expect(queues.find(({ Properties }) => Properties.QueueName === QUEUE.name)?.Properties).toMatchObject({
      VisibilityTimeout: QUEUE.visibilityTimeout,
      MessageRetentionPeriod: QUEUE.retention,
      RedrivePolicy: { maxReceiveCount: QUEUE.maxReceiveCount },
    });
    const { data } = cloudOf('default');
    const lost = Object.entries(data.Resources).filter(
      ([, { Type, DeletionPolicy }]) =>
        !Type.endsWith('Policy') && !Type.startsWith('AWS::CDK') && DeletionPolicy !== 'Retain',
    );
    expect(lost.map(([id]) => id)).toEqual([]);
  });

  it('locks audit events, and makes no value for a secret that a later deployment could replace', () => {
    expect(all('default', 'AWS::S3::Bucket')[0]?.Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 400 } } },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    for (const { Properties } of all('default', 'AWS::SecretsManager::Secret')) {
      expect(Object.keys(Properties)).not.toContain('GenerateSecretString');
      expect(Object.keys(Properties)).not.toContain('SecretString');
    }
  });
});

describe('the service stack', () => {
  let folder: string;
  let policyFile: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fileferry-cloud-'));
    policyFile = join(folder, 'policy.yaml');
    writeFileSync(policyFile, worldPolicy({ host: '127.0.0.1', port: 21, user: 'ferry' }));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What stands in for the secrets' fields, each in the shape that the settings ask for. */
  const VALUES: Readonly<Record<string, string>> = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' };

  /** Whose secrets the services get. */
  const CHATS_OF = {
    default: ['SLACK'],
    'Socket Mode': ['SLACK'],
    'Teams alone': ['TEAMS'],
    'Slack and Teams': ['SLACK', 'TEAMS'],
  } as const;

  it.each([
    ['default', 'bot', loadBotConfig],
    ['default', 'worker', loadWorkerConfig],
    ['Socket Mode', 'bot', loadBotConfig],
    ['Socket Mode', 'worker', loadWorkerConfig],
    ['Teams alone', 'bot', loadBotConfig],
    ['Teams alone', 'worker', loadWorkerConfig],
    ['Slack and Teams', 'bot', loadBotConfig],
    ['Slack and Teams', 'worker', loadWorkerConfig],
  ] as const)('%s: gives the %s settings that it accepts', (variant, service, load) => {
    const task = all(variant, 'AWS::ECS::TaskDefinition').find(
      ({ Properties }) => Properties.Family === `FileFerry-${service}`,
    );
    const container = task?.Properties.ContainerDefinitions[0];
    const given: { Name: string; Value?: string }[] = [...container.Environment, ...container.Secrets];
    const environment = Object.fromEntries(
      given.map(({ Name, Value }) => [Name, Value ?? VALUES[Name] ?? 'secret']),
    );
    const queueUrl = 'https://sqs.us-east-1.amazonaws.com/111122223333/queue';
    const urls = Object.fromEntries(
      ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL']
        .filter((name) => name in environment)
        .map((name) => [name, queueUrl]),
    );
    // The demo's policy keeps its passwords in the environment.
    const passwords = { DEMO_FTP_PASSWORD: 'secret' };
    const { env } = load({ ...environment, ...urls, ...passwords, FILEFERRY_CONFIG: policyFile });
    const names = container.Secrets.map(({ Name }: { Name: string }) => Name.split('_', 1)[0]);
    const chats = ['SLACK', 'TEAMS'].filter((chat) => names.includes(chat));
    expect(chats).toEqual(CHATS_OF[variant]);
    expect(env.TEAMS_APP_ID).toBe(chats.includes('TEAMS') ? GUID : undefined);
    expect(env.READ_ONLY_ROLE_ARN).toBe('arn:aws:iam::111122223333:role/FileFerryReadOnlyRole');
    expect(container).toMatchObject({ ReadonlyRootFilesystem: true, Command: [`${service}/main.ts`] });
  });

  it('shows every metric that the services emit, under the name that they give it', () => {
    const [dashboard] = all('default', 'AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.Properties.DashboardBody).replaceAll('\\', '');
    const shown = new Set(
      [...body.matchAll(/"FileFerry","(\w+)","(\w+)","(\w+)"/g)].map(([, name, dimension, service]) => {
        expect(dimension).toBe(METRICS.dimension);
        expect(['bot', 'worker']).toContain(service);
        return name;
      }),
    );
    expect([...shown].sort()).toEqual(Object.values(METRICS.names).sort());
  });

  it('gives a worker 120 seconds to hand over, and scales by backlog per task', () => {
    const tasks = all('default', 'AWS::ECS::TaskDefinition').flatMap(
      ({ Properties }) => Properties.ContainerDefinitions,
    );
    expect(tasks.find(({ Name }) => Name === 'worker').StopTimeout).toBe(120);
    const policy = all('default', 'AWS::ApplicationAutoScaling::ScalingPolicy')[0]?.Properties;
    const { CustomizedMetricSpecification, TargetValue } = policy.TargetTrackingScalingPolicyConfiguration;
    expect(TargetValue).toBe(4);
    const used = CustomizedMetricSpecification.Metrics.filter(
      ({ ReturnData }: { ReturnData: boolean }) => ReturnData,
    );
    expect(used).toMatchObject([
      { Id: 'backlog', Expression: expect.stringMatching(/waiting.*running.*\/.*tasks/) },
    ]);
  });

  it('has no NAT unless asked, and reaches S3 and DynamoDB without one', () => {
    expect(all('default', 'AWS::EC2::NatGateway')).toHaveLength(0);
    expect(all('load balancer, private subnets', 'AWS::EC2::NatGateway')).toHaveLength(1);
    for (const variant of Object.keys(variants) as Variant[]) {
      const services = all(variant, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => Properties.ServiceName);
      expect(services.sort()).toEqual(['com.amazonaws.us-east-1.dynamodb', 'com.amazonaws.us-east-1.s3']);
    }
  });

  it('lets nothing in but the way in, and nothing at all for Socket Mode', () => {
    const open = (variant: Variant) =>
      all(variant, 'AWS::EC2::SecurityGroup').flatMap(
        ({ Properties }) => Properties.SecurityGroupIngress ?? [],
      );
    expect(open('Socket Mode')).toEqual([]);
    expect(all('Socket Mode', 'AWS::EC2::SecurityGroupIngress')).toEqual([]);
    expect(open('default')).toEqual([]);
    expect(open('load balancer, private subnets')).toMatchObject([
      { CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 },
    ]);
    const routes = (variant: Variant) =>
      all(variant, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);
    expect(routes('default')).toEqual(['POST /slack/events']);
    expect(routes('Teams alone')).toEqual(['POST /api/messages']);
    const paths = (variant: Variant) =>
      all(variant, 'AWS::ElasticLoadBalancingV2::ListenerRule').map(
        ({ Properties }) => Properties.Conditions[0].PathPatternConfig.Values,
      );
    expect(paths('load balancer, private subnets')).toEqual([['/slack/events']]);
    expect(paths('Slack and Teams')).toEqual([['/slack/events', '/api/messages']]);
  });

  it('runs the bot as a function where asked, and wakes it for what an ended sandbox left', () => {
    expect(all('bot as a function', 'AWS::Lambda::Url')[0]?.Properties.InvokeMode).toBe('RESPONSE_STREAM');
    expect(all('bot as a function', 'AWS::Events::Rule')[0]?.Properties.ScheduleExpression).toBe(
      'rate(1 minute)',
    );
    expect(all('bot as a function', 'AWS::ECS::Service')).toHaveLength(1);
  });

  it.each([
    [
      'default',
      ['BotDown', 'BotFaults', 'DeadLetters', 'FailedTransfers', 'OldestMessage', 'Throttled', 'WorkerDown'],
    ],
    [
      'Socket Mode',
      ['BotDown', 'DeadLetters', 'FailedTransfers', 'OldestMessage', 'Throttled', 'WorkerDown'],
    ],
  ] as const)('%s: wakes somebody up for %j', (variant, names) => {
    const alarms = all(variant, 'AWS::CloudWatch::Alarm');
    expect(alarms.map(({ Properties }) => Properties.AlarmName.replace('FileFerry-', '')).sort()).toEqual(
      names,
    );
    for (const { Properties } of alarms) {
      expect(Properties.AlarmActions).toHaveLength(1);
      const chapter = /docs\/operations\.md, "([^"]+)"/.exec(Properties.AlarmDescription)?.[1];
      expect(operations).toContain(`\n## ${chapter}\n`);
    }
  });
});
