/** What can be chosen about a deployment, read from the CDK's context (`cdk.json`, or `-c name=value`) and checked. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parsePolicy, SETTING_NAMES } from '../../core/config.ts';
import type { PolicyConfig } from '../../core/policy-config.ts';

/** The repository's folder: what the image is built from. */
export const ROOT = join(import.meta.dirname, '..', '..');

const count = (most: number) => z.coerce.number().int().min(1).max(most);
const list = z
  .union([z.array(z.string()), z.string()])
  .transform((value) => (typeof value === 'string' ? value.split(',').filter(Boolean) : value));

const CHATS = ['slack', 'teams'] as const;

/** What the bot has to know of its registration with Microsoft, beside the secret. */
const TEAMS_SETTINGS = ['TEAMS_APP_ID', 'TEAMS_APP_TYPE', 'TEAMS_TENANT_ID'] as const;

const optionsSchema = z
  .strictObject({
    /** Twelve digits. Without it the templates fit any account. */
    account: z
      .string()
      .regex(/^\d{12}$/, 'expected twelve digits')
      .optional(),
    region: z.string().default('us-east-1'),
    /** `slack`, `teams` or both; Teams also needs its three `settings`. */
    chats: list.pipe(z.array(z.enum(CHATS)).min(1)).default(['slack']),
    /**
     * How chat platforms reach the bot: `http-api` (API Gateway), `alb` (needs `certificateArn`), `function-url` (the
     * bot runs as a Lambda function), or `none` (Slack's Socket Mode: nothing is reachable from outside).
     */
    ingress: z.enum(['http-api', 'alb', 'function-url', 'none']).default('http-api'),
    certificateArn: z.string().startsWith('arn:').optional(),
    /** `public`: public addresses that nothing can connect to, no NAT. `private`: private subnets behind one NAT. */
    network: z.enum(['public', 'private']).default('public'),
    /** Processor of both services. `arm64` is cheaper, and the image has to be built for it. */
    architecture: z.enum(['x86_64', 'arm64']).default('x86_64'),
    serviceNowUrl: z.url({ protocol: /^https$/ }).default('https://example.service-now.com'),
    serviceNowAuth: z.enum(['basic', 'oauth']).default('basic'),
    /** Who is told about alarms; the address has to confirm it once. */
    alarmEmail: z.email().optional(),
    /** Worker tasks at least and at most. */
    minWorkers: count(100).default(1),
    maxWorkers: count(1_000).default(8),
    /** Bedrock model or inference profile ids that the bot may call; none: the command planner alone. */
    bedrockModels: list.default([]),
    /** ARNs of the KMS keys that source buckets are encrypted with, where they are not S3's own. */
    sourceKeys: list.default([]),
    /** Days that an audit event can be deleted by nobody. */
    auditDays: count(36_500).default(400),
    /** More settings of the two services, by name; secrets do not belong here. */
    settings: z.record(z.string(), z.string()).default({}),
    /** More fields of the services' secrets that become settings, by name. */
    secretSettings: list.default([]),
    /** The policy, below the repository's folder; the example where there is none yet. */
    policyFile: z.string().optional(),
  })
  .superRefine((options, context) => {
    const complain = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (options.ingress === 'alb' && !options.certificateArn) {
      complain('certificateArn', 'is needed with ingress alb');
    }
    const hasTeams = options.chats.includes('teams');
    if (hasTeams && options.ingress === 'none') {
      complain('ingress', 'none is for Slack alone: Teams posts to an address');
    }
    for (const name of TEAMS_SETTINGS) {
      const given = options.settings[name] !== undefined;
      if (given !== hasTeams) complain('settings', `${name} goes with teams among the chats`);
    }
    if (options.settings.TEAMS_APP_TYPE === 'UserAssignedMSI') {
      complain(
        'settings',
        'TEAMS_APP_TYPE: managed identities are inside Azure only; here it is SingleTenant',
      );
    }
    if (options.minWorkers > options.maxWorkers) complain('minWorkers', 'is more than maxWorkers');
    for (const path of ['settings', 'secretSettings'] as const) {
      const names = path === 'settings' ? Object.keys(options.settings) : options.secretSettings;
      for (const name of names) {
        if (!SETTING_NAMES.includes(name)) complain(path, `there is no setting ${name}`);
      }
    }
    for (const name of Object.keys(options.settings)) {
      if (/TOKEN|SECRET|PASSWORD/.test(name))
        complain('settings', `${name} is a secret: name it in secretSettings`);
    }
  });

export interface CloudOptions extends Omit<z.infer<typeof optionsSchema>, 'policyFile'> {
  readonly policyFile: string;
  readonly policy: PolicyConfig;
}

/**
 * @param contextOf answers with a context value, or undefined
 * @throws Error that names every wrong option
 */
export function readOptions(contextOf: (name: string) => unknown): CloudOptions {
  const given = Object.fromEntries(
    Object.keys(optionsSchema.shape)
      .map((name) => [name, contextOf(name)])
      .filter(([, value]) => value !== undefined),
  );
  const parsed = optionsSchema.safeParse(given);
  if (!parsed.success) throw new Error(`Wrong options of the deployment:\n${z.prettifyError(parsed.error)}`);
  const policyFile =
    parsed.data.policyFile ??
    (existsSync(join(ROOT, 'fileferry.config.yaml'))
      ? 'fileferry.config.yaml'
      : 'fileferry.config.example.yaml');
  const policy = parsePolicy(readFileSync(join(ROOT, policyFile), 'utf8'), policyFile);
  return { ...parsed.data, policyFile, policy };
}
