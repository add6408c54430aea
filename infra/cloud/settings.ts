/** Which settings each service gets in the cloud: plain ones from the stacks, and fields of its secret. */
import type { CloudOptions } from './options.ts';

export const SERVICE_NAMES = ['bot', 'worker'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export const PORTS: Readonly<Record<ServiceName, number>> = { bot: 3978, worker: 3979 };

/** Names of the settings that a service's secret holds, one field each. */
export function secretFieldsOf(service: ServiceName, options: CloudOptions): string[] {
  const serviceNow =
    options.serviceNowAuth === 'basic'
      ? ['SERVICENOW_USER', 'SERVICENOW_PASSWORD']
      : ['SERVICENOW_CLIENT_ID', 'SERVICENOW_CLIENT_SECRET'];
  const listening = options.ingress === 'none' ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET';
  const slack = ['SLACK_BOT_TOKEN', ...(service === 'bot' ? [listening] : [])];
  return [
    ...(options.chats.includes('slack') ? slack : []),
    ...(options.chats.includes('teams') ? ['TEAMS_APP_PASSWORD'] : []),
    ...serviceNow,
    ...options.secretSettings,
  ];
}

/** What the stacks know about themselves; values may be CloudFormation's tokens. */
export interface DeployedFacts {
  readonly region: string;
  readonly tablePrefix: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly readOnlyRoleArn: string;
  readonly auditBucket: string;
}

/** The models that the bot may call are the ones that it asks, the second where the first is away. */
function modelSettings({ bedrockModels: [model, fallback] }: CloudOptions): Record<string, string> {
  if (!model) return { BEDROCK_ENABLED: 'false' };
  return { BEDROCK_MODEL_ID: model, BEDROCK_FALLBACK_MODEL_ID: fallback ?? model };
}

/** A service's settings that are no secrets. */
export function settingsOf(
  service: ServiceName,
  options: CloudOptions,
  facts: DeployedFacts,
): Record<string, string> {
  return {
    AWS_REGION: facts.region,
    TABLE_PREFIX: facts.tablePrefix,
    QUEUE_URL: facts.queueUrl,
    READ_ONLY_ROLE_ARN: facts.readOnlyRoleArn,
    SERVICENOW_URL: options.serviceNowUrl,
    AUDIT_BUCKET: facts.auditBucket,
    ...(service === 'worker'
      ? { DEAD_LETTER_QUEUE_URL: facts.deadLetterQueueUrl, HEALTH_PORT: String(PORTS.worker) }
      : { PORT: String(PORTS.bot), ...modelSettings(options) }),
    ...options.settings,
  };
}
