/** The one error type: what went wrong, whether a retry can help, and the sentence the person sees. */

export type ErrorCode =
  | 'bad_input'
  | 'not_found'
  | 'not_allowed'
  | 'limit_exceeded'
  | 'source_changed'
  | 'source_archived'
  | 'source_unreadable'
  | 'target_exists'
  | 'target_refused'
  | 'target_unreachable'
  | 'target_login_refused'
  | 'target_full'
  | 'verification_failed'
  | 'unavailable'
  | 'throttled'
  | 'timeout'
  | 'cancelled'
  | 'lease_lost'
  | 'conflict'
  /** What is stored is not what this release can read. */
  | 'unreadable'
  | 'internal';

interface FerryErrorInit {
  /** Whether the same step may succeed later without anybody changing anything. */
  retryable?: boolean;
  /** For the person in the chat: what happened, what is safe, what to do next. Plain text, no secrets. */
  userMessage: string;
  cause?: unknown;
}

/**
 * A fault, translated at the edge where it entered. Expected outcomes (already decided, not allowed, not
 * found while browsing) are returned as unions instead.
 */
export class FerryError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly userMessage: string;

  constructor(code: ErrorCode, init: FerryErrorInit) {
    super(init.userMessage, { cause: init.cause });
    this.name = 'FerryError';
    this.code = code;
    this.retryable = init.retryable ?? false;
    this.userMessage = init.userMessage;
  }
}

/**
 * Any thrown value as a FerryError. An unknown one becomes `internal` and carries `reference`, which the
 * caller logs beside the original so that the person's report leads to the log line.
 */
export function toFerryError(thrown: unknown, reference: string): FerryError {
  if (thrown instanceof FerryError) return thrown;
  return new FerryError('internal', {
    userMessage: `Something went wrong on our side before this was finished. Please quote reference ${reference} to your FileFerry team.`,
    cause: thrown,
  });
}
