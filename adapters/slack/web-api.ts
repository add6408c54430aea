/** Calls to Slack's Web API: a deadline on each, bounded patience with rate limits, errors translated. */
import { setTimeout as delay } from 'node:timers/promises';
import { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { FerryError } from '../../core/errors.ts';
import { boltLogger } from './bolt-logger.ts';
import { fromSlack, retryAfterOf } from './errors.ts';

export interface SlackApiOptions {
  readonly token: string;
  /** `https://slack.com/api/`, or where a local Slack listens. */
  readonly apiUrl: string;
  readonly logger: Logger;
  /** Milliseconds for one request. */
  readonly timeoutMs?: number;
  /** Milliseconds that one call may wait in all for Slack's `Retry-After`. */
  readonly patienceMs?: number;
  /** Milliseconds before a second and a third attempt after an outage. */
  readonly backoffMs?: readonly number[];
}

/** The bot as Slack knows it. */
export interface BotIdentity {
  readonly teamId: string;
  readonly botUserId: string;
  readonly botId: string;
  /** Set where the workspace belongs to an Enterprise Grid. */
  readonly enterpriseId?: string;
}

interface CallOptions {
  /**
   * Whether the same call may be made twice. After an outage or a timeout nobody knows whether Slack acted, so
   * anything else than a read or an edit is left to the caller.
   */
  readonly repeatable: boolean;
}

export interface SlackApi {
  /** Throws FerryErrors only. */
  call<T>(make: (web: WebClient) => Promise<T>, options: CallOptions): Promise<T>;
  /** Who the token belongs to; asked once. */
  identity(): Promise<BotIdentity>;
  /** Asks Slack now whether the token works; for `/readyz`. */
  authTest(): Promise<BotIdentity>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_PATIENCE_MS = 20_000;
const DEFAULT_BACKOFF_MS = [500, 2_000];

export function createSlackApi(options: SlackApiOptions): SlackApi {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, patienceMs = DEFAULT_PATIENCE_MS } = options;
  const { backoffMs = DEFAULT_BACKOFF_MS } = options;
  const web = new WebClient(options.token, {
    slackApiUrl: options.apiUrl,
    logger: boltLogger(options.logger),
    timeout: timeoutMs,
    // The client's own retries pause all calls for one rate limit and repeat posts that may have arrived.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  let known: Promise<BotIdentity> | undefined;

  async function call<T>(make: (web: WebClient) => Promise<T>, { repeatable }: CallOptions): Promise<T> {
    let patience = patienceMs;
    let outages = 0;
    for (;;) {
      try {
        return await make(web);
      } catch (thrown) {
        const error = fromSlack(thrown);
        const retryAfter = retryAfterOf(thrown);
        if (retryAfter !== undefined) {
          const wait = retryAfter * 1_000;
          if (wait > patience) throw error;
          patience -= wait;
          await delay(wait);
          continue;
        }
        const backoff = backoffMs[outages];
        if (!error.retryable || !repeatable || backoff === undefined) throw error;
        outages += 1;
        await delay(backoff);
      }
    }
  }

  async function authTest(): Promise<BotIdentity> {
    const answer = await call((client) => client.auth.test(), { repeatable: true });
    if (!answer.team_id || !answer.user_id || !answer.bot_id) {
      throw new FerryError('not_allowed', {
        userMessage: 'SLACK_BOT_TOKEN is not the token of a bot. Use the one that begins with xoxb-.',
      });
    }
    return {
      teamId: answer.team_id,
      botUserId: answer.user_id,
      botId: answer.bot_id,
      ...(answer.enterprise_id && { enterpriseId: answer.enterprise_id }),
    };
  }

  return {
    call,
    authTest,
    identity() {
      known ??= authTest().catch((error) => {
        known = undefined;
        throw error;
      });
      return known;
    },
  };
}
