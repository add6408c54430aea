/** What S3 and its SDK throw, as FerryErrors: the one translation for browsing and for streaming. */
import { type ErrorCode, FerryError } from './errors.ts';
import { shownText } from './shown-text.ts';
import { stopReason } from './stop-reason.ts';

/** What was asked of S3, for the sentence that the person reads. */
export interface S3Subject {
  readonly bucket: string;
  /** Absent when the bucket itself was asked, as in a listing. */
  readonly key?: string;
}

interface Fault {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly says: (place: string) => string;
}

const CHANGED: Fault = {
  code: 'source_changed',
  says: (place) =>
    `${place} has changed since the transfer was proposed, so it was not sent. Please ask for a new transfer of the file as it is now.`,
};
const MISSING: Fault = {
  code: 'not_found',
  says: (place) => `${place} does not exist in S3 (any more). Please check the name and ask again.`,
};
const DENIED: Fault = {
  code: 'not_allowed',
  says: (place) =>
    `S3 does not let FileFerry read ${place}, or it does not exist. Nothing was sent; please ask your FileFerry team for access.`,
};
const ARCHIVED: Fault = {
  code: 'source_archived',
  says: (place) =>
    `${place} is in an archived storage class and cannot be read until it is restored. Nothing was sent; please have it restored in S3 and ask again.`,
};
const BUSY: Fault = {
  code: 'throttled',
  retryable: true,
  says: (place) =>
    `S3 is limiting how fast we may read ${place}. Nothing is lost; it will work again shortly.`,
};
const DOWN: Fault = {
  code: 'unavailable',
  retryable: true,
  says: (place) => `S3 cannot be reached for ${place} right now. Nothing is lost; it can be tried again.`,
};
const SLOW: Fault = {
  code: 'timeout',
  retryable: true,
  says: (place) => `S3 did not answer in time for ${place}. Nothing is lost; it can be tried again.`,
};
const EXPIRED: Fault = {
  code: 'unavailable',
  retryable: true,
  says: (place) =>
    `Our permission to read ${place} ran out on the way. Nothing is lost; it can be tried again.`,
};
const UNREADABLE: Fault = {
  code: 'source_unreadable',
  says: (place) => `S3 refuses to hand out ${place}. Nothing was sent; please tell your FileFerry team.`,
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; only GET has a body that names the code. */
const BY_NAME: Readonly<Record<string, Fault>> = {
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  ExpiredToken: EXPIRED,
  InternalError: DOWN,
  InvalidObjectState: ARCHIVED,
  InvalidRange: CHANGED,
  NoSuchBucket: MISSING,
  NoSuchKey: MISSING,
  NoSuchVersion: MISSING,
  NotFound: MISSING,
  PreconditionFailed: CHANGED,
  RequestTimeTooSkewed: EXPIRED,
  RequestTimeout: SLOW,
  ServiceUnavailable: DOWN,
  SlowDown: BUSY,
  ThrottlingException: BUSY,
  TimeoutError: SLOW,
  TokenRefreshRequired: EXPIRED,
};

/** HEAD has no body: the SDK says `Unknown` and the status is all there is. */
const BY_STATUS: Readonly<Record<number, Fault>> = {
  403: DENIED,
  404: MISSING,
  405: MISSING,
  408: SLOW,
  409: DOWN,
  412: CHANGED,
  416: CHANGED,
  429: BUSY,
  500: DOWN,
  502: DOWN,
  503: BUSY,
  504: DOWN,
};

const BY_SOCKET: Readonly<Record<string, Fault>> = {
  EAI_AGAIN: DOWN,
  ECONNREFUSED: DOWN,
  ECONNRESET: DOWN,
  EHOSTUNREACH: DOWN,
  ENETUNREACH: DOWN,
  ENOTFOUND: DOWN,
  EPIPE: DOWN,
  ERR_STREAM_PREMATURE_CLOSE: DOWN,
  ETIMEDOUT: SLOW,
};

interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/**
 * Keeps what helps to find the cause and drops the rest: S3 answers some refusals with our access key id or
 * the signed text, and the SDK hangs both on its error.
 */
function safeCause(error: SdkError): Error {
  const status = error.$metadata?.httpStatusCode;
  const request = error.$metadata?.requestId;
  const cause = new Error(
    [
      shownText(`${error.name}: ${error.message}`, 500),
      status === undefined ? '' : `status ${status}`,
      request ? `request ${shownText(request, 100)}` : '',
    ]
      .filter(Boolean)
      .join(', '),
  );
  cause.name = 'S3Error';
  return cause;
}

/** `bucket/key` as people write it, bounded. */
const s3Place = (subject: S3Subject): string =>
  shownText(subject.key === undefined ? subject.bucket : `${subject.bucket}/${subject.key}`, 300);

function refusal(fault: Fault, subject: S3Subject, cause?: unknown): FerryError {
  return new FerryError(fault.code, {
    retryable: fault.retryable ?? false,
    userMessage: fault.says(s3Place(subject)),
    cause,
  });
}

/** The object is not the one that the plan pinned. */
export const sourceChanged = (subject: S3Subject, detail?: string): FerryError =>
  refusal(CHANGED, subject, detail ? new Error(detail) : undefined);

/** The object must be restored from an archive before anybody can read it. */
export const sourceArchived = (subject: S3Subject): FerryError => refusal(ARCHIVED, subject);

/** The connection to S3 broke or stood still, and reading on did not help. */
export const sourceInterrupted = (subject: S3Subject, cause: unknown): FerryError =>
  refusal(DOWN, subject, cause instanceof Error ? safeCause(cause) : cause);

/** STS refused, or could not be asked for, the read-only role. */
export function translateStsError(thrown: unknown, bucket: string): FerryError {
  if (thrown instanceof FerryError) return thrown;
  const error: SdkError = thrown instanceof Error ? thrown : new Error(String(thrown));
  const cause = safeCause(error);
  if (/^(AccessDenied|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken)/.test(error.name)) {
    return new FerryError('not_allowed', {
      userMessage: `AWS does not let FileFerry take its read-only role for ${bucket}. Nothing was changed; please tell your FileFerry team.`,
      cause,
    });
  }
  if (/^(MalformedPolicyDocument|PackedPolicyTooLarge|ValidationError|RegionDisabled)/.test(error.name)) {
    return new FerryError('internal', {
      userMessage: `AWS did not accept how FileFerry asked for access to ${bucket}. Nothing was changed; please tell your FileFerry team.`,
      cause,
    });
  }
  const slow = error.name === 'AbortError' || error.name === 'TimeoutError';
  const busy = /Throttl|TooManyRequests/.test(error.name);
  return new FerryError(slow ? 'timeout' : busy ? 'throttled' : 'unavailable', {
    retryable: true,
    userMessage: `AWS gave us no access to ${bucket} in time. Nothing was changed; it can be tried again.`,
    cause,
  });
}

/**
 * Translates anything thrown by an S3 call.
 *
 * @param signal the one given to the call; when it is aborted, its reason is the error
 */
export function translateS3Error(thrown: unknown, subject: S3Subject, signal?: AbortSignal): FerryError {
  if (signal?.aborted) return stopReason(signal);
  if (thrown instanceof FerryError) return thrown;
  if (!(thrown instanceof Error)) return refusal(UNREADABLE, subject, thrown);
  const error: SdkError = thrown;
  const status = error.$metadata?.httpStatusCode ?? 0;
  const fault =
    BY_NAME[error.name] ??
    (error.code === undefined ? undefined : BY_SOCKET[error.code]) ??
    // A refusal that S3 names, such as KMS.DisabledException, says more than its status does.
    (error.name === 'Unknown' || error.name === 'UnknownError' || status >= 500 || status === 429
      ? (BY_STATUS[status] ?? (status >= 500 ? DOWN : undefined))
      : undefined) ??
    UNREADABLE;
  return refusal(fault, subject, safeCause(error));
}
