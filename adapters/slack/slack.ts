/** Slack from its settings: the client that both services speak through, and the receiver of the bot. */
import type { Logger } from 'pino';
import type { ChatClient } from '../chat-client.ts';
import type { Receiver } from '../receiver.ts';
import { SlackChatClient } from './client.ts';
import { slackHttpReceiver, slackSocketReceiver } from './receiver.ts';
import { createSlackApi, type SlackApi } from './web-api.ts';

interface SlackEnv {
  readonly SLACK_BOT_TOKEN: string;
  readonly SLACK_API_URL: string;
}

interface SlackReceiverEnv extends SlackEnv {
  readonly SLACK_APP_TOKEN?: string | undefined;
  readonly SLACK_SIGNING_SECRET?: string | undefined;
}

interface SlackDeps {
  readonly log: Logger;
  readonly now: () => number;
}

function apiOf(env: SlackEnv, { log }: SlackDeps): SlackApi {
  return createSlackApi({ token: env.SLACK_BOT_TOKEN, apiUrl: env.SLACK_API_URL, logger: log });
}

/** For the worker, which only speaks. */
export function slackClient(env: SlackEnv, deps: SlackDeps): ChatClient {
  return new SlackChatClient({ api: apiOf(env, deps), logger: deps.log, now: deps.now });
}

/**
 * For the bot, which listens too: over Socket Mode where there is an app token, else over HTTP.
 *
 * @throws Error when there is neither an app token nor a signing secret; the settings' check forbids it
 */
export function slackConnection(
  env: SlackReceiverEnv,
  deps: SlackDeps,
): { readonly client: ChatClient; readonly receiver: Receiver } {
  const api = apiOf(env, deps);
  const common = { api, logger: deps.log, now: deps.now };
  const client = new SlackChatClient(common);
  const { SLACK_APP_TOKEN: appToken, SLACK_SIGNING_SECRET: signingSecret } = env;
  if (appToken)
    return { client, receiver: slackSocketReceiver({ ...common, appToken, apiUrl: env.SLACK_API_URL }) };
  if (signingSecret) return { client, receiver: slackHttpReceiver({ ...common, signingSecret }) };
  throw new Error('set SLACK_APP_TOKEN or SLACK_SIGNING_SECRET');
}
