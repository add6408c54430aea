/** Looks at the outside parties: Slack, ServiceNow, Bedrock, and each destination's login. */
import { BedrockRuntimeClient, CountTokensCommand } from '@aws-sdk/client-bedrock-runtime';
import type { Logger } from 'pino';
import type { PolicyConfig } from '../../../core/policy-config.ts';
import type { ResolveSecret } from '../../../core/secrets.ts';
import type { ServiceNow } from '../../../core/servicenow.ts';
import { createFtpTarget } from '../../../worker/ftp-target.ts';
import { type Finding, look, ok, reasonOf, unknown, wrong } from './finding.ts';

const LONGEST_MS = 15_000;

/** What the bot's calls and events need. https://docs.slack.dev/reference/scopes */
export const BOT_SCOPES = [
  'app_mentions:read',
  'channels:history',
  'chat:write',
  'commands',
  'groups:history',
  'im:history',
  'im:write',
  'users:read',
  'users:read.email',
] as const;

async function slackToken(apiUrl: string, token: string) {
  const response = await fetch(new URL('auth.test', apiUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(LONGEST_MS),
  });
  const answer = (await response.json()) as { ok?: boolean; error?: string; team?: string; user?: string };
  return { answer, scopes: response.headers.get('x-oauth-scopes') };
}

/** @param tokens by the setting's name, with the scopes that each needs */
export function lookAtSlack(
  apiUrl: string,
  tokens: readonly { readonly setting: string; readonly token: string; readonly scopes: readonly string[] }[],
): Promise<Finding[]> {
  const looks = tokens.map(({ setting, token, scopes: needed }) =>
    look('slack', setting, `Can ${apiUrl} be reached from here?`, async () => {
      const { answer, scopes } = await slackToken(apiUrl, token);
      if (!answer.ok) {
        return wrong(`refused: ${answer.error}`, `Put the token that the app's page shows into ${setting}.`);
      }
      const who = `${answer.user ?? 'app'} in ${answer.team ?? 'its workspace'}`;
      if (scopes === null) return unknown(`accepted as ${who}; this Slack does not tell its scopes`);
      const granted = scopes.split(',').map((scope) => scope.trim());
      const missing = needed.filter((scope) => !granted.includes(scope));
      return missing.length === 0
        ? ok(`${who}, with all scopes`)
        : wrong(`lacks ${missing.join(', ')}`, 'Add the scopes to the app and install it again.');
    }),
  );
  return Promise.all(looks);
}

export function lookAtServiceNow(serviceNow: ServiceNow, url: string): Promise<Finding> {
  const todo = 'Check SERVICENOW_URL, the account, and its role: it reads and writes incidents.';
  return look('servicenow', url, todo, async () => {
    await serviceNow.ping(AbortSignal.timeout(LONGEST_MS));
    return ok('answers, and the account may read incidents');
  });
}

/** Logs in and out again: no command is sent that could change anything. */
export function lookAtDestinations(
  policy: PolicyConfig,
  resolveSecret: ResolveSecret,
  log: Logger,
): Promise<Finding[]> {
  const looks = Object.entries(policy.destinations).map(([name, destination]) => {
    const { host, port, tls, user } = destination;
    const todo = `Can ${host}:${port} be reached from here, is its certificate trusted, and is ${destination.password} the password of ${user}?`;
    return look('destinations', name, todo, async () => {
      const target = createFtpTarget(destination, () => resolveSecret(destination.password), log, {
        name,
        times: { connectMs: LONGEST_MS, replyMs: LONGEST_MS },
      });
      const session = await target.connect(AbortSignal.timeout(LONGEST_MS));
      session.close();
      return ok(
        `logged in to ${host}:${port} as ${user}${tls === 'none' ? ', without TLS' : `, ${tls} TLS`}`,
      );
    });
  });
  return Promise.all(looks);
}

/** As the settings have it; all of it is absent where the planner has no model. */
export interface ModelSettings {
  readonly BEDROCK_ENABLED?: boolean;
  readonly BEDROCK_REGION?: string | undefined;
  readonly BEDROCK_MODEL_ID?: string;
  readonly AWS_ENDPOINT_URL_BEDROCK_RUNTIME?: string | undefined;
}

/** Has tokens counted, which is free and asks for the same access as a call. */
export function lookAtModel(settings: ModelSettings, region: string, emulated: boolean): Promise<Finding> {
  const {
    BEDROCK_ENABLED: enabled,
    BEDROCK_MODEL_ID: modelId,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: endpoint,
  } = settings;
  const todo =
    'Ask for access to the model in the Bedrock console, in this region. Without it people can use commands all the same.';
  return look('bedrock', modelId ?? 'model', todo, async () => {
    if (enabled === false || modelId === undefined)
      return unknown('no model is set: the command planner alone answers');
    if (emulated && endpoint === undefined) return unknown('there is no Bedrock here to ask');
    const client = new BedrockRuntimeClient({
      region: settings.BEDROCK_REGION ?? region,
      maxAttempts: 2,
      ...(endpoint ? { endpoint } : {}),
    });
    try {
      const messages = [{ role: 'user' as const, content: [{ text: 'ping' }] }];
      // Models are counted under their own name, not under a profile's.
      const plainId = modelId.replace(/^(us|eu|apac|jp|au|global)\./, '');
      await client.send(new CountTokensCommand({ modelId: plainId, input: { converse: { messages } } }), {
        abortSignal: AbortSignal.timeout(LONGEST_MS),
      });
      return ok('answers');
    } catch (error) {
      if (error instanceof Error && error.name === 'ValidationException') return unknown(reasonOf(error));
      throw error;
    } finally {
      client.destroy();
    }
  });
}
