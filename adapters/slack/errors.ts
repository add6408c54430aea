/** Slack's errors, translated where they enter: the one place that knows its error codes. */
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { type ErrorCode, FerryError } from '../../core/errors.ts';

const UNREACHABLE =
  'Slack could not be reached. Nothing is lost: FileFerry tries again, or try again in a minute.';

interface Meaning {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly userMessage: string;
}

const gone: Meaning = {
  code: 'not_found',
  userMessage: 'That Slack conversation or message is not there any more, or FileFerry cannot see it.',
};
const refused: Meaning = {
  code: 'not_found',
  userMessage: 'Slack does not let FileFerry write in this conversation. Invite it with /invite @FileFerry.',
};
const archived: Meaning = {
  code: 'not_found',
  userMessage: 'This Slack channel is archived, so FileFerry cannot write in it.',
};
const unreachablePerson: Meaning = {
  code: 'not_found',
  userMessage: 'Slack does not let FileFerry write to this person.',
};
const unauthorised: Meaning = {
  code: 'not_allowed',
  userMessage: 'Slack refuses FileFerry’s token or its scopes. An administrator must install the app again.',
};
const down: Meaning = { code: 'unavailable', retryable: true, userMessage: UNREACHABLE };
const throttled: Meaning = {
  code: 'throttled',
  retryable: true,
  userMessage: 'Slack asks FileFerry to slow down. Nothing is lost: it goes on in a moment.',
};

/** @see https://docs.slack.dev/reference/methods/chat.postMessage#errors and its siblings */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  channel_not_found: gone,
  message_not_found: gone,
  thread_not_found: gone,
  cant_update_message: gone,
  edit_window_closed: gone,
  not_in_channel: refused,
  restricted_action: refused,
  restricted_action_read_only_channel: refused,
  restricted_action_thread_only_channel: refused,
  restricted_action_non_threadable_channel: refused,
  is_archived: archived,
  user_not_found: unreachablePerson,
  user_not_visible: unreachablePerson,
  user_not_in_channel: unreachablePerson,
  user_disabled: unreachablePerson,
  users_not_found: unreachablePerson,
  cannot_dm_bot: unreachablePerson,
  messages_tab_disabled: unreachablePerson,
  invalid_auth: unauthorised,
  not_authed: unauthorised,
  account_inactive: unauthorised,
  token_revoked: unauthorised,
  token_expired: unauthorised,
  missing_scope: unauthorised,
  ratelimited: throttled,
  rate_limited: throttled,
  internal_error: down,
  fatal_error: down,
  service_unavailable: down,
  request_timeout: down,
};

const fault = ({ code, retryable, userMessage }: Meaning, cause: unknown): FerryError =>
  new FerryError(code, { retryable: retryable ?? false, userMessage, cause });

const isTimeout = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'TimeoutError';

/** Any error of a Web API call as a FerryError; `cause` keeps the original for the log. */
export function fromSlack(thrown: unknown): FerryError {
  if (thrown instanceof FerryError) return thrown;
  if (thrown instanceof WebAPIPlatformError) {
    const meaning = MEANINGS[thrown.data.error];
    if (meaning) return fault(meaning, thrown);
    return fault({ code: 'internal', userMessage: 'Slack refused what FileFerry sent.' }, thrown);
  }
  if (thrown instanceof WebAPIRateLimitedError) return fault(throttled, thrown);
  if (thrown instanceof WebAPIHTTPError && thrown.statusCode < 500 && thrown.statusCode !== 408) {
    return fault({ code: 'internal', userMessage: 'Slack refused what FileFerry sent.' }, thrown);
  }
  const original = thrown instanceof WebAPIRequestError ? thrown.original : thrown;
  if (isTimeout(original)) return fault({ ...down, code: 'timeout' }, thrown);
  return fault(down, thrown);
}

/** Seconds that Slack wants us to wait, if that is why it refused. */
export const retryAfterOf = (thrown: unknown): number | undefined =>
  thrown instanceof WebAPIRateLimitedError ? thrown.retryAfter : undefined;
