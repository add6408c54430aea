/** Reads all settings once: the policy file and the environment. Every fault is named at once. */
import { existsSync, readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { CrossCheck } from './cross-check.ts';
import { type PolicyConfig, policyConfigSchema } from './policy-config.ts';
import { teamsChecks, teamsEnv, teamsLoopback } from './teams-settings.ts';

const url = z.url({ protocol: /^https?$/ });
const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const commonEnv = {
  FILEFERRY_CONFIG: z.string().default('fileferry.config.yaml'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty']).default('json'),
  AWS_REGION: z.string().min(1),
  AWS_ENDPOINT_URL_DYNAMODB: url.optional(),
  AWS_ENDPOINT_URL_SQS: url.optional(),
  AWS_ENDPOINT_URL_S3: url.optional(),
  AWS_ENDPOINT_URL_STS: url.optional(),
  S3_FORCE_PATH_STYLE: flag.default(false),
  TABLE_PREFIX: z.string().default('FileFerry-'),
  QUEUE_URL: url,
  READ_ONLY_ROLE_ARN: z
    .string()
    .regex(/^arn:[^:]+:iam::\d{12}:role\/.+$/, 'expected the ARN of FileFerryReadOnlyRole'),
  READ_ONLY_ROLE_EXTERNAL_ID: z.string().optional(),
  /**
   * Seconds after which a transfer that still reads asks for a new session, and with it whether the policy and the
   * tickets still let it. The role's credentials would last 13 minutes.
   */
  S3_SESSION_RENEW_SECONDS: wholeNumber(15, 780).default(300),
  /** Portal of IAM Identity Center; with it people read S3 with their own sign-in instead of by the role. */
  IDENTITY_CENTER_START_URL: url.optional(),
  IDENTITY_CENTER_REGION: z.string().min(1).optional(),
  IDENTITY_CENTER_ACCOUNT_ID: z
    .string()
    .regex(/^\d{12}$/, 'expected the 12 digits of an account')
    .optional(),
  /** Name of a permission set that only reads. */
  IDENTITY_CENTER_ROLE: z.string().min(1).max(32).optional(),
  AWS_ENDPOINT_URL_SSO_OIDC: url.optional(),
  AWS_ENDPOINT_URL_SSO: url.optional(),
  /** Where `core/otel.ts` sends traces, over HTTP; none are made without it. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  /** Where audit events go; nothing is audited beside the record without it. */
  AUDIT_BUCKET: z.string().min(3).optional(),
  SERVICENOW_URL: url,
  SERVICENOW_USER: z.string().optional(),
  SERVICENOW_PASSWORD: z.string().optional(),
  SERVICENOW_CLIENT_ID: z.string().optional(),
  SERVICENOW_CLIENT_SECRET: z.string().optional(),
  SLACK_BOT_TOKEN: z
    .string()
    .regex(/^xoxb-/, 'expected a bot token, which begins with xoxb-')
    .optional(),
  SLACK_API_URL: url.default('https://slack.com/api/'),
  ...teamsEnv,
  /** Seconds between two looks for work that a crash left behind. */
  RECONCILE_SECONDS: wholeNumber(1, 300).default(15),
  /** Seconds after which another process may take over what one that died had in hand; renewed while it lives. */
  LEASE_SECONDS: wholeNumber(3, 600).default(30),
} as const;

const botEnv = {
  ...commonEnv,
  /** Socket Mode when the app token is set, HTTP when only the signing secret is. */
  SLACK_APP_TOKEN: z
    .string()
    .regex(/^xapp-/, 'expected an app-level token, which begins with xapp-')
    .optional(),
  SLACK_SIGNING_SECRET: z.string().min(1).optional(),
  HOST: z.string().default('0.0.0.0'),
  PORT: wholeNumber(0, 65_535).default(3978),
  /** Whether sentences go to a language model; without it fixed rules read them. */
  BEDROCK_ENABLED: flag.default(true),
  BEDROCK_REGION: z.string().min(1).optional(),
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url.optional(),
  /** Ids or ARNs of models or inference profiles. */
  BEDROCK_MODEL_ID: z.string().min(1).max(2_048).default('global.anthropic.claude-sonnet-5-5'),
  BEDROCK_FALLBACK_MODEL_ID: z.string().min(1).max(2_048).default('global.anthropic.claude-sonnet-4-6'),
  /** Most tokens of one answer of the model. */
  BEDROCK_MAX_TOKENS: wholeNumber(256, 64_000).default(2_048),
  BEDROCK_CACHE_POINTS: flag.default(true),
  BEDROCK_TURN_STEPS: wholeNumber(1, 50).default(8),
  BEDROCK_TURN_CALLS: wholeNumber(1, 200).default(20),
  BEDROCK_TURN_TOKENS: wholeNumber(1_000, 10_000_000).default(100_000),
  /** The rest of a turn's 90 seconds is for the fixed rules. */
  BEDROCK_TURN_SECONDS: wholeNumber(1, 60).default(40),
  BEDROCK_DAY_TOKENS: wholeNumber(0, 1_000_000_000).default(500_000),
  /** US dollars that one turn, and one person in a day, may cost. */
  BEDROCK_TURN_USD: z.coerce.number().nonnegative().default(1),
  BEDROCK_DAY_USD: z.coerce.number().nonnegative().default(10),
  /** US dollars for a million tokens, for the log and for those limits. */
  BEDROCK_PRICE_INPUT: z.coerce.number().nonnegative().default(3),
  BEDROCK_PRICE_OUTPUT: z.coerce.number().nonnegative().default(15),
  /** Whether IAM's policy simulator is asked for a proof that the role cannot write. */
  PROVE_READ_ONLY: flag.default(true),
  AWS_ENDPOINT_URL_IAM: url.optional(),
} as const;

const workerEnv = {
  ...commonEnv,
  DEAD_LETTER_QUEUE_URL: url,
  /** Transfers that one worker runs at once. */
  WORKER_CONCURRENCY: wholeNumber(1, 64).default(4),
  /** Least seconds between two edits of a progress message. */
  PROGRESS_SECONDS: wholeNumber(3, 60).default(3),
  /** Set by ECS itself: where a task asks not to be scaled in. */
  ECS_AGENT_URI: url.optional(),
  /** Port of the worker's /healthz and /readyz. */
  HEALTH_PORT: wholeNumber(0, 65_535).default(3979),
} as const;

type Env = Readonly<Record<string, string | undefined>>;

const serviceNowPair: CrossCheck = (given) =>
  (given.SERVICENOW_USER && given.SERVICENOW_PASSWORD) ||
  (given.SERVICENOW_CLIENT_ID && given.SERVICENOW_CLIENT_SECRET)
    ? undefined
    : {
        path: 'SERVICENOW_USER',
        message:
          'set SERVICENOW_USER and SERVICENOW_PASSWORD, or SERVICENOW_CLIENT_ID and SERVICENOW_CLIENT_SECRET for OAuth',
      };

const somePlatform: CrossCheck = (given) =>
  given.SLACK_BOT_TOKEN || given.TEAMS_APP_ID || given.TEAMS_LOCAL_NO_AUTH === 'true'
    ? undefined
    : {
        path: 'SLACK_BOT_TOKEN',
        message: 'set the settings of Slack, of Teams, or of both; FileFerry needs a chat',
      };

const identityCenter: CrossCheck = (given) =>
  given.IDENTITY_CENTER_START_URL && !(given.IDENTITY_CENTER_ACCOUNT_ID && given.IDENTITY_CENTER_ROLE)
    ? {
        path: 'IDENTITY_CENTER_START_URL',
        message: 'set IDENTITY_CENTER_ACCOUNT_ID and IDENTITY_CENTER_ROLE as well',
      }
    : undefined;

const slackConnection: CrossCheck = (given) =>
  !given.SLACK_BOT_TOKEN || given.SLACK_APP_TOKEN || given.SLACK_SIGNING_SECRET
    ? undefined
    : {
        path: 'SLACK_APP_TOKEN',
        message: 'set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP',
      };

const botEnvSchema = z.object(botEnv);
const workerEnvSchema = z.object(workerEnv);

/** Every setting's name, for the test that compares `.env.example`. */
export const SETTING_NAMES: readonly string[] = [
  ...new Set([...Object.keys(botEnv), ...Object.keys(workerEnv)]),
].sort();

export interface Config<E> {
  readonly env: Readonly<E>;
  readonly policy: PolicyConfig;
  /** The environment as it was, for `env:` secret references only. */
  readonly secretsFrom: Env;
}
export type BotConfig = Config<z.infer<typeof botEnvSchema>>;
export type WorkerConfig = Config<z.infer<typeof workerEnvSchema>>;

/** All that is wrong with the settings, one line each: where, and what was expected. */
export class ConfigFaults extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `${faults.length} wrong setting${faults.length === 1 ? '' : 's'}:\n${faults.map((fault) => `  • ${fault}`).join('\n')}`,
    );
    this.name = 'ConfigFaults';
    this.faults = faults;
  }
}

function faultsOf(source: string, error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return `${source}${path ? ` ${path}` : ''}: ${issue.message}`;
  });
}

/** What is not there is said in the words of the reader, not in those of a type checker. */
const whenMissing = (message: string) => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? message : undefined),
});

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/** Parses the policy's YAML text. */
export function parsePolicy(text: string, source = 'fileferry.config.yaml'): PolicyConfig {
  let raw: unknown;
  try {
    raw = parseYaml(text);
  } catch (error) {
    throw new ConfigFaults([`${source}: not valid YAML: ${(error as Error).message.split('\n', 1)[0]}`]);
  }
  const parsed = policyConfigSchema.safeParse(raw, whenMissing('is missing'));
  if (!parsed.success) throw new ConfigFaults(faultsOf(source, parsed.error));
  return deepFreeze(parsed.data);
}

/** Reads and parses a policy file. @throws ConfigFaults, or what the file system says */
export const readPolicy = (file: string): PolicyConfig => parsePolicy(readFileSync(file, 'utf8'), file);

/** Passwords that the policy says are in the environment and that are not: found at the start, not at the first login. */
function missingPasswords(policy: PolicyConfig, given: Env): string[] {
  return Object.entries(policy.destinations).flatMap(([name, { password }]) => {
    const variable = /^env:(.+)$/.exec(password)?.[1];
    return variable === undefined || given[variable] !== undefined
      ? []
      : [`environment ${variable}: is not set; the policy keeps the password of ${name} there`];
  });
}

/** @param logsIn whether this program logs in to the destinations */
function load<S extends z.ZodType>(
  schema: S,
  crossChecks: readonly CrossCheck[],
  environment: Env,
  logsIn = false,
): Config<z.infer<S>> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const faults: string[] = [];
  const env = schema.safeParse(given, whenMissing('is not set'));
  if (!env.success) faults.push(...faultsOf('environment', env.error));
  for (const check of crossChecks) {
    const fault = check(given);
    if (fault) faults.push(`environment ${fault.path}: ${fault.message}`);
  }
  const file = given.FILEFERRY_CONFIG ?? 'fileferry.config.yaml';
  let policy: PolicyConfig | undefined;
  try {
    policy = readPolicy(file);
    if (logsIn) faults.push(...missingPasswords(policy, given));
  } catch (error) {
    if (error instanceof ConfigFaults) faults.push(...error.faults);
    else
      faults.push(
        `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? error}); FILEFERRY_CONFIG names it`,
      );
  }
  if (faults.length > 0 || !env.success || !policy) throw new ConfigFaults(faults);
  return deepFreeze({ env: env.data, policy, secretsFrom: { ...given } });
}

/** The process's environment, completed by a file `.env` in the working directory; what is set already stays. */
export function ownEnvironment(): Env {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

export const loadBotConfig = (environment: Env = ownEnvironment()): BotConfig =>
  load(
    botEnvSchema,
    [serviceNowPair, somePlatform, identityCenter, slackConnection, ...teamsChecks, teamsLoopback],
    environment,
  );
export const loadWorkerConfig = (environment: Env = ownEnvironment()): WorkerConfig =>
  load(workerEnvSchema, [serviceNowPair, somePlatform, identityCenter, ...teamsChecks], environment, true);
