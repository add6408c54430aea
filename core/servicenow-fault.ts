/** Why an exchange with ServiceNow failed, as the one error type, with what is needed to decide on a repeat. */
import { FerryError } from './errors.ts';
import { plainText } from './shown-text.ts';

/** A failed exchange. */
export interface Fault {
  readonly error: FerryError;
  /**
   * Whether the request may have taken effect. `no`: it surely did not. `maybe`: it did or did not, and is over.
   * `pending`: it may take effect even later, so a write must not be repeated soon.
   */
  readonly effect: 'no' | 'maybe' | 'pending';
  /** HTTP status, when there was an answer. */
  readonly status?: number;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

const LATER = 'Nothing is lost: tickets are brought up to date as soon as it answers.';

/** Errors of the connection that happen before a request is sent. https://nodejs.org/api/errors.html */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const CERTIFICATE = /^(CERT_|ERR_TLS_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

/** The fault behind a rejected `fetch`. */
export function networkFault(thrown: unknown, timedOut: boolean, stopped: boolean): Fault {
  if (timedOut || stopped) {
    const error = new FerryError('timeout', {
      retryable: true,
      userMessage: stopped
        ? `ServiceNow took too long and was not waited for. ${LATER}`
        : `ServiceNow did not answer in time. ${LATER}`,
      cause: thrown,
    });
    return { error, effect: 'pending' };
  }
  const code = networkCode(thrown);
  if (CERTIFICATE.test(code)) {
    const error = new FerryError('unavailable', {
      userMessage: `ServiceNow's TLS certificate is not trusted (${code}). Please check SERVICENOW_URL and the certificates of this machine.`,
      cause: thrown,
    });
    return { error, effect: 'no' };
  }
  const error = new FerryError('unavailable', {
    retryable: true,
    userMessage: `ServiceNow cannot be reached (${code}). ${LATER}`,
    cause: thrown,
  });
  return { error, effect: NEVER_SENT.has(code) ? 'no' : 'maybe' };
}

/** `fetch` hides the socket's error as a cause, and an AggregateError when a name has several addresses. */
function networkCode(thrown: unknown): string {
  let current: unknown = thrown;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    const { code } = current as NodeJS.ErrnoException;
    if (typeof code === 'string') return plainText(code, 40);
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return 'connection failed';
}

/**
 * The fault behind an answer other than 2xx. Statuses by the Table API's list of response codes
 * (ServiceNow API reference, "REST API HTTP response codes").
 *
 * @param what the words of the answer, untrusted
 */
export function statusFault(status: number, what: string, retryAfterMs: number | undefined): Fault {
  const said = what === '' ? '' : ` ServiceNow said: “${plainText(what, 200)}”.`;
  const refused = (
    code: 'not_allowed' | 'not_found' | 'bad_input' | 'unavailable',
    advice: string,
  ): Fault => ({
    error: new FerryError(code, { userMessage: `${advice}${said}` }),
    effect: 'no',
    status,
  });
  if (status === 429) {
    const error = new FerryError('throttled', {
      retryable: true,
      userMessage: `ServiceNow asks FileFerry to slow down. ${LATER}`,
    });
    return { error, effect: 'no', status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (status >= 500) {
    const error = new FerryError('unavailable', {
      retryable: true,
      userMessage: `ServiceNow is out of order (HTTP ${status}). ${LATER}`,
    });
    return { error, effect: 'maybe', status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  switch (status) {
    case 401:
      return refused(
        'not_allowed',
        'ServiceNow does not accept the account that FileFerry uses. Its operator has to check the SERVICENOW_ settings.',
      );
    case 403:
      return refused(
        'not_allowed',
        'ServiceNow forbids FileFerry this change. Its operator has to check the roles of the account (itil) and the data policies of incidents.',
      );
    case 404:
      return refused('not_found', 'ServiceNow has no such record, or hides it from FileFerry.');
    default:
      return refused(
        status >= 300 && status < 400 ? 'unavailable' : 'bad_input',
        status >= 300 && status < 400
          ? 'ServiceNow sends FileFerry to another address. Its operator has to check SERVICENOW_URL.'
          : `ServiceNow does not understand FileFerry's request (HTTP ${status}). Its operator has to look at the log.`,
      );
  }
}

/** A 2xx answer that is no JSON: a hibernating instance or a login page answers with HTML and 200. */
export function notDataFault(status: number): Fault {
  const error = new FerryError('unavailable', {
    retryable: true,
    userMessage: `ServiceNow answers with a web page instead of data; the instance may be asleep, or SERVICENOW_URL wrong. ${LATER}`,
  });
  return { error, effect: 'maybe', status };
}
