/** The bot's and worker's environment on the local stack: the same settings as in the cloud, with local endpoints. */
import { join } from 'node:path';
import type { LocalFtp } from './ftp.ts';
import type { AccessKey } from './key-ring.ts';
import type { LocalServer } from './listen.ts';
import type { LocalSlack } from './local-slack.ts';
import type { LocalServiceNow } from './servicenow.ts';
import { SLACK_APP, type SlackDelivery } from './slack-workspace.ts';
import type { LocalSqs } from './sqs.ts';
import { FTP_PASSWORD_VARIABLE } from './world-policy.ts';

export const REGION = 'us-east-1';
export const TABLE_PREFIX = 'FileFerry-';

export type Environment = Readonly<Record<string, string>>;

/** Complete: a process needs PATH beside them at most, and nothing of the caller's own AWS settings. */
export interface Environments {
  environmentForBot(): Environment;
  environmentForWorker(): Environment;
}

interface Facts {
  readonly folder: string;
  readonly configFile: string;
  /** The programs' own key, which may assume the role and nothing else. */
  readonly service: AccessKey;
  readonly roleArn: string;
  readonly externalId: string;
  readonly delivery: SlackDelivery | 'none';
  readonly dynamoDb: LocalServer;
  readonly sqs: LocalSqs;
  readonly s3: LocalServer;
  readonly sts: LocalServer;
  readonly ftp: LocalFtp;
  readonly serviceNow: LocalServiceNow;
  readonly slack: LocalSlack | undefined;
  /** The bot's port, where others were told it; a free one unless given. */
  readonly port?: string;
  /** Settings of both programs for Teams; none without it. */
  readonly teamsSettings: Environment;
  /** A language model's stand-in, where one was asked for. */
  readonly model?: LocalServer | undefined;
}

/** Where nothing listens: a program that was not told its Slack must not speak to the real one. */
const NO_SLACK = 'http://127.0.0.1:1/api/';

/** The bot listens where the local Slack was told to post to. */
function botPort(delivery: SlackDelivery | 'none'): string {
  return typeof delivery === 'string' ? '0' : new URL(delivery.requestUrl).port || '0';
}

export function createEnvironments(facts: Facts): Environments {
  const { folder, service, serviceNow, delivery } = facts;
  /** A caller that brings a Slack of its own has no Teams here. */
  const withSlack = delivery !== 'none' || Object.keys(facts.teamsSettings).length === 0;
  const noFile = join(folder, 'no-aws-settings');
  const common: Environment = {
    FILEFERRY_CONFIG: facts.configFile,
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: service.accessKeyId,
    AWS_SECRET_ACCESS_KEY: service.secretAccessKey,
    // A person's own profile would win over the keys above.
    AWS_CONFIG_FILE: noFile,
    AWS_SHARED_CREDENTIALS_FILE: noFile,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_DYNAMODB: facts.dynamoDb.endpoint,
    AWS_ENDPOINT_URL_SQS: facts.sqs.endpoint,
    AWS_ENDPOINT_URL_S3: facts.s3.endpoint,
    AWS_ENDPOINT_URL_STS: facts.sts.endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    TABLE_PREFIX,
    QUEUE_URL: facts.sqs.queueUrl,
    READ_ONLY_ROLE_ARN: facts.roleArn,
    READ_ONLY_ROLE_EXTERNAL_ID: facts.externalId,
    SERVICENOW_URL: serviceNow.url,
    SERVICENOW_USER: serviceNow.user,
    SERVICENOW_PASSWORD: serviceNow.password,
    ...(withSlack && {
      SLACK_BOT_TOKEN: SLACK_APP.botToken,
      SLACK_API_URL: facts.slack?.apiUrl ?? NO_SLACK,
    }),
    ...facts.teamsSettings,
  };
  return {
    environmentForBot: () => ({
      ...common,
      ...(withSlack &&
        (typeof delivery === 'string'
          ? { SLACK_APP_TOKEN: SLACK_APP.appToken }
          : { SLACK_SIGNING_SECRET: SLACK_APP.signingSecret })),
      // The fixed rules understand the demo; a model is for those who ask for it.
      BEDROCK_ENABLED: facts.model ? 'true' : 'false',
      ...(facts.model ? { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: facts.model.endpoint } : {}),
      PROVE_READ_ONLY: 'false',
      HOST: '127.0.0.1',
      PORT: facts.port ?? botPort(delivery),
    }),
    environmentForWorker: () => ({
      ...common,
      DEAD_LETTER_QUEUE_URL: facts.sqs.deadLetterQueueUrl,
      HEALTH_PORT: '0',
      [FTP_PASSWORD_VARIABLE]: facts.ftp.password,
    }),
  };
}
