/** Looks at everything that FileFerry stands on, in the cloud or on the local stack, and changes nothing. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import type { Logger } from 'pino';
import { ConfigFaults, loadBotConfig, loadWorkerConfig } from '../../../core/config.ts';
import { createQueueClient } from '../../../core/queue.ts';
import { createStsClient } from '../../../core/s3-credentials.ts';
import { createSecretResolver, createSecretsClient } from '../../../core/secrets.ts';
import { createServiceNow } from '../../../core/servicenow.ts';
import { settingsFromSecret } from '../../../core/settings-secret.ts';
import { lookAtAuditBucket } from './audit-bucket.ts';
import { lookAtTeams, lookAtTheWayIn } from './chats.ts';
import { type Finding, ok, reasonOf, wrong } from './finding.ts';
import {
  BOT_SCOPES,
  lookAtDestinations,
  lookAtModel,
  lookAtServiceNow,
  lookAtSlack,
  type ModelSettings,
} from './parties.ts';
import { lookAtQueues } from './queues.ts';
import { lookAtRole } from './role.ts';
import { lookAtTables } from './tables.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const SETTINGS_TODO = 'See .env.example and fileferry.config.example.yaml.';

/** The environment, completed by settings from secrets; a secret that cannot be read is a finding. */
async function complete(environment: Environment, secrets: readonly string[]) {
  const region = environment.AWS_REGION ?? '';
  const resolve = createSecretResolver({
    environment: {},
    secretsManager: () => createSecretsClient(region),
  });
  const findings: Finding[] = [];
  let settings: Environment = environment;
  for (const id of secrets) {
    try {
      settings = { ...(await settingsFromSecret(resolve, id)), ...settings };
    } catch (error) {
      const todo =
        'Put its value in: docs/operations.md, "Install". Does this identity have the right to read it?';
      findings.push({ area: 'secrets', what: id, ...wrong(reasonOf(error), todo) });
    }
  }
  return { settings, findings };
}

/** The settings as both services read them, or a finding for each that is wrong. */
function readSettings(settings: Environment) {
  const faults = new Set<string>();
  const read = <T>(load: (environment: Environment) => T): T | undefined => {
    try {
      return load(settings);
    } catch (error) {
      if (!(error instanceof ConfigFaults)) throw error;
      for (const fault of error.faults) faults.add(fault);
      return undefined;
    }
  };
  const bot = read(loadBotConfig);
  const worker = read(loadWorkerConfig);
  return { bot, worker, faults: [...faults] };
}

export interface VerifyOptions {
  /** Names of secrets whose fields are settings as well; the environment wins. */
  readonly secrets?: readonly string[];
  /** Where chat platforms post to, such as `https://ferry.example.com`. */
  readonly publicUrl?: string | undefined;
  /** Where Microsoft gives tokens; another one for the clouds of governments. */
  readonly microsoftLogin?: string | undefined;
}

const MICROSOFT_LOGIN = 'https://login.microsoftonline.com';

/** The paths that the chats of these settings post to. */
const wayIn = (env: NonNullable<ReturnType<typeof readSettings>['bot']>['env']): string[] => [
  ...(env.SLACK_BOT_TOKEN && !env.SLACK_APP_TOKEN ? ['/slack/events'] : []),
  ...(env.TEAMS_APP_ID && !env.TEAMS_LOCAL_NO_AUTH ? ['/api/messages'] : []),
];

/** @param environment the settings of bot and worker together */
export async function verify(
  environment: Environment,
  log: Logger,
  { secrets = [], publicUrl, microsoftLogin = MICROSOFT_LOGIN }: VerifyOptions = {},
): Promise<Finding[]> {
  const { settings, findings } = await complete(environment, secrets);
  const { bot, worker, faults } = readSettings(settings);
  if (!bot || !worker) {
    return [
      ...findings,
      ...faults.map((fault) => ({ area: 'settings', what: '', ...wrong(fault, SETTINGS_TODO) })),
    ];
  }
  const { env, policy, secretsFrom } = worker;
  const region = env.AWS_REGION;
  const emulated = env.AWS_ENDPOINT_URL_DYNAMODB !== undefined;
  const endpoint = (address: string | undefined) => (address ? { endpoint: address } : {});

  const dynamoDb = new DynamoDBClient({ region, maxAttempts: 3, ...endpoint(env.AWS_ENDPOINT_URL_DYNAMODB) });
  const sqs = createQueueClient({ region, ...endpoint(env.AWS_ENDPOINT_URL_SQS) });
  const sts = createStsClient({ region, ...endpoint(env.AWS_ENDPOINT_URL_STS) });
  // Keys of an emulator must not be shown to the real IAM.
  const iam = env.AWS_ENDPOINT_URL_STS === undefined ? new IAMClient({ region, maxAttempts: 3 }) : undefined;
  const clientId = env.SERVICENOW_CLIENT_ID;
  const serviceNow = createServiceNow({
    url: env.SERVICENOW_URL,
    auth:
      clientId && env.SERVICENOW_CLIENT_SECRET
        ? { kind: 'oauth', clientId, clientSecret: env.SERVICENOW_CLIENT_SECRET }
        : { kind: 'basic', user: env.SERVICENOW_USER ?? '', password: env.SERVICENOW_PASSWORD ?? '' },
    now: Date.now,
    log,
  });
  const resolveSecret = createSecretResolver({
    environment: secretsFrom,
    secretsManager: () => createSecretsClient(region),
  });
  const { SLACK_APP_TOKEN: appToken, SLACK_BOT_TOKEN: botToken } = bot.env;
  try {
    const found = await Promise.all([
      lookAtTables(dynamoDb, env.TABLE_PREFIX, emulated),
      lookAtQueues(
        sqs,
        { queue: env.QUEUE_URL, deadLetters: env.DEAD_LETTER_QUEUE_URL },
        env.AWS_ENDPOINT_URL_SQS !== undefined,
      ),
      lookAtRole(sts, iam, {
        arn: env.READ_ONLY_ROLE_ARN,
        externalId: env.READ_ONLY_ROLE_EXTERNAL_ID,
        buckets: Object.keys(policy.buckets),
      }),
      lookAtAuditBucket(
        { region, ...endpoint(env.AWS_ENDPOINT_URL_S3), forcePathStyle: env.S3_FORCE_PATH_STYLE },
        env.AUDIT_BUCKET,
        emulated,
      ),
      lookAtSlack(env.SLACK_API_URL, [
        ...(botToken ? [{ setting: 'SLACK_BOT_TOKEN', token: botToken, scopes: BOT_SCOPES }] : []),
        ...(appToken ? [{ setting: 'SLACK_APP_TOKEN', token: appToken, scopes: ['connections:write'] }] : []),
      ]),
      lookAtTeams(microsoftLogin, bot.env),
      lookAtTheWayIn(publicUrl, wayIn(bot.env)),
      lookAtServiceNow(serviceNow, env.SERVICENOW_URL).then((finding) => [finding]),
      lookAtModel(bot.env as typeof bot.env & ModelSettings, region, emulated).then((finding) => [finding]),
      lookAtDestinations(policy, resolveSecret, log),
    ]);
    const settled: Finding = { area: 'settings', what: 'bot and worker', ...ok('complete') };
    return [...findings, settled, ...found.flat()];
  } finally {
    for (const client of [dynamoDb, sqs, sts, iam]) client?.destroy();
  }
}
