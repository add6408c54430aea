/** What each service may do, as plain data and as IAM statements: per table, index, queue, secret and role. */
import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { auditBucketName, type DataStack, type TableName } from './data-stack.ts';
import type { CloudOptions } from './options.ts';
import type { ServiceName } from './settings.ts';

type TableVerb = 'GetItem' | 'BatchGetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

interface TableNeed {
  readonly verbs: readonly TableVerb[];
  /** Indexes that may be queried; the tables themselves are never queried or scanned. */
  readonly indexes?: readonly string[];
}

const SESSIONS: TableNeed = { verbs: ['GetItem', 'PutItem', 'DeleteItem'] };

/** A table that is not named is out of reach. */
const TABLE_NEEDS: Readonly<Record<ServiceName, Readonly<Partial<Record<TableName, TableNeed>>>>> = {
  bot: {
    ActiveSessions: SESSIONS,
    UserContext: { verbs: ['GetItem', 'PutItem', 'DeleteItem'] },
    TransferRequests: {
      // Deleting is for the claim on a chat event whose turn failed, and for the pages of a proposal that was refused.
      verbs: ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
      indexes: ['UserIdIndex', 'DueIndex'],
    },
    AgentLearning: { verbs: ['GetItem'] },
    S3FileCache: { verbs: ['GetItem', 'PutItem', 'DeleteItem'] },
  },
  worker: {
    ActiveSessions: SESSIONS,
    // How the requester wants to be told.
    UserContext: { verbs: ['GetItem'] },
    TransferRequests: { verbs: ['GetItem', 'PutItem', 'UpdateItem'], indexes: ['DueIndex'] },
    AgentLearning: { verbs: ['GetItem', 'UpdateItem'] },
  },
};

const SENDING = ['sqs:GetQueueAttributes', 'sqs:SendMessage'];
const TAKING = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:ReceiveMessage'];

const QUEUE_NEEDS: Readonly<
  Record<ServiceName, { readonly queue: readonly string[]; readonly deadLetters: readonly string[] }>
> = {
  bot: { queue: SENDING, deadLetters: [] },
  // It sends too: again what was lost on the way, and to the dead letters what it cannot read.
  worker: { queue: [...SENDING, ...TAKING], deadLetters: ['sqs:SendMessage', ...TAKING] },
};

function secretArn(stack: Stack, name: string): string {
  if (name.startsWith('arn:')) return name;
  // Secrets Manager puts six random characters behind the name, and IAM sees them.
  const resourceName = `${name}-??????`;
  return stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Names or ARNs of the secrets that hold the destinations' passwords. */
function destinationSecrets({ policy }: CloudOptions): string[] {
  const references = Object.values(policy.destinations).map(({ password }) => password);
  const prefix = 'secretsmanager:';
  return [
    ...new Set(references.filter((ref) => ref.startsWith(prefix)).map((ref) => ref.slice(prefix.length))),
  ].sort();
}

function modelArns(stack: Stack, model: string): string[] {
  if (model.startsWith('arn:')) return [model];
  // `us.anthropic.…` is an inference profile, which calls the model of that name in several regions.
  const profile = /^(?:us|eu|apac|jp|au|global)\.(.+)$/.exec(model);
  const foundation = (region: string, id: string) =>
    stack.formatArn({
      service: 'bedrock',
      region,
      account: '',
      resource: 'foundation-model',
      resourceName: id,
    });
  return profile?.[1]
    ? [
        stack.formatArn({ service: 'bedrock', resource: 'inference-profile', resourceName: model }),
        foundation('*', profile[1]),
      ]
    : [foundation(stack.region, model)];
}

/** Where a service adds its audit events, and may do nothing else. */
const auditObjects = (service: ServiceName, stack: Stack) =>
  stack.formatArn({
    service: 's3',
    region: '',
    account: '',
    resource: auditBucketName(stack),
    resourceName: `${service}/*`,
  });

const passwordArns = (stack: Stack, options: CloudOptions) =>
  destinationSecrets(options).map((name) => secretArn(stack, name));

const allModelArns = (stack: Stack, options: CloudOptions) =>
  options.bedrockModels.flatMap((model) => modelArns(stack, model));

/** The wildcards among the resources below, each with the reason why. */
export function wildcardsOf(service: ServiceName, stack: Stack, options: CloudOptions) {
  const withWildcard = (arns: readonly string[]) => arns.filter((arn) => /[*?]/.test(arn));
  return [
    {
      resources: [auditObjects(service, stack)],
      reason: 'Audit events are added under names that nobody knows before.',
    },
    ...(service === 'worker'
      ? [
          {
            resources: withWildcard(passwordArns(stack, options)),
            reason: 'The six characters that Secrets Manager puts behind a name.',
          },
        ]
      : [
          {
            resources: withWildcard(allModelArns(stack, options)),
            reason: 'An inference profile calls its model in whichever of its regions has room.',
          },
        ]),
  ];
}

/** Everything that a service's role is allowed; what is not here is denied. */
export function statementsFor(
  service: ServiceName,
  stack: Stack,
  data: DataStack,
  options: CloudOptions,
  readOnlyRoleArn: string,
): PolicyStatement[] {
  const allow = (actions: readonly string[], resources: readonly string[]) =>
    actions.length > 0 && resources.length > 0
      ? [new PolicyStatement({ actions: [...actions], resources: [...resources] })]
      : [];
  const tables = Object.entries(TABLE_NEEDS[service]).flatMap(([name, need]) => {
    const arn = data.tables[name as TableName].tableArn;
    return [
      ...allow(
        need.verbs.map((verb) => `dynamodb:${verb}`),
        [arn],
      ),
      ...allow(
        ['dynamodb:Query'],
        (need.indexes ?? []).map((index) => `${arn}/index/${index}`),
      ),
    ];
  });
  const queues = QUEUE_NEEDS[service];
  return [
    ...tables,
    ...allow(queues.queue, [data.queue.queueArn]),
    ...allow(queues.deadLetters, [data.deadLetters.queueArn]),
    ...allow(['sts:AssumeRole', 'sts:TagSession'], [readOnlyRoleArn]),
    ...allow(['s3:PutObject'], [auditObjects(service, stack)]),
    ...(service === 'worker'
      ? allow(['secretsmanager:GetSecretValue'], passwordArns(stack, options))
      : [
          ...allow(
            ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
            allModelArns(stack, options),
          ),
          // It proves to the asker that the role cannot write.
          ...allow(['iam:SimulatePrincipalPolicy'], [readOnlyRoleArn]),
        ]),
  ];
}
