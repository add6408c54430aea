/** Teams' errors, translated where they enter: the one place that knows its statuses and codes. */
import { FerryError } from '../../core/errors.ts';
import { ConnectorFault, ConnectorTimeout } from './http.ts';

const UNREACHABLE =
  'Microsoft Teams could not be reached. Nothing is lost: FileFerry tries again, or try again in a minute.';

/** Whether nobody knows if Teams has acted. */
export const isUncertain = (thrown: unknown): boolean =>
  thrown instanceof ConnectorTimeout || thrown instanceof TypeError || statusOf(thrown) >= 500;

const statusOf = (thrown: unknown): number => (thrown instanceof ConnectorFault ? thrown.status : 0);

/**
 * Whether Microsoft says to make the same request again after a while, be it a post.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit#handle-http-429-responses
 */
export const isWorthRepeating = (thrown: unknown): boolean => [412, 429, 502, 504].includes(statusOf(thrown));

/** Whether Teams says that the same request will succeed later. */
const isThrottled = (thrown: unknown): boolean => [412, 429].includes(statusOf(thrown));

/** Microsoft's login gave the bot no token, as MSAL says it: the client secret is wrong or has expired. */
const isLoginRefused = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  thrown.name === 'ServerError' &&
  'status' in thrown &&
  (thrown.status === 400 || thrown.status === 401);

/** Any error of a call to Teams as a FerryError; `cause` keeps the original for the log. */
export function fromTeams(thrown: unknown): FerryError {
  if (thrown instanceof FerryError) return thrown;
  if (thrown instanceof ConnectorTimeout) {
    return new FerryError('timeout', { retryable: true, userMessage: UNREACHABLE, cause: thrown });
  }
  if (isLoginRefused(thrown) || statusOf(thrown) === 401) {
    return new FerryError('not_allowed', {
      userMessage:
        'Microsoft refuses FileFerry’s credentials. An administrator must check the app registration.',
      cause: thrown,
    });
  }
  if (!(thrown instanceof ConnectorFault)) {
    return new FerryError('unavailable', { retryable: true, userMessage: UNREACHABLE, cause: thrown });
  }
  const { status, code } = thrown;
  if (isThrottled(thrown)) {
    return new FerryError('throttled', {
      retryable: true,
      userMessage: 'Teams asks FileFerry to slow down. Nothing is lost: it goes on in a moment.',
      cause: thrown,
    });
  }
  if (status >= 500 || status === 408) {
    return new FerryError('unavailable', { retryable: true, userMessage: UNREACHABLE, cause: thrown });
  }
  if (status === 403) {
    return new FerryError('not_found', {
      userMessage:
        code === 'MessageWritesBlocked'
          ? 'This person has blocked FileFerry in Teams, so it cannot write to them.'
          : 'Teams does not let FileFerry write in this conversation. Add the app to it first.',
      cause: thrown,
    });
  }
  if (status === 404 || status === 410) {
    return new FerryError('not_found', {
      userMessage: 'That Teams conversation or message is not there any more, or FileFerry cannot see it.',
      cause: thrown,
    });
  }
  return new FerryError('internal', { userMessage: 'Teams refused what FileFerry sent.', cause: thrown });
}
