/** What FTP servers answer and sockets suffer, as FerryErrors with a sentence for the person. */
import { FTPError } from 'basic-ftp';
import { type ErrorCode, FerryError } from '../core/errors.ts';
import { shownText } from '../core/shown-text.ts';
import { stopReason } from '../core/stop-reason.ts';

/** What was being done, for the sentence. */
export interface FtpPlace {
  /** The destination's name, or its host where it has none. */
  readonly server: string;
  /** The path at hand; absent while connecting. */
  readonly path?: string;
}

interface Reply {
  readonly code: number;
  readonly message: string;
}

const NO_ROOM =
  /\b(disk|space|quota|storage|full)\b|failure writing to local file|error during write to file/i;
/** ftp-srv passes on its own system's words, with a code that otherwise means that the path is wrong. */
const CUT = /\b(ECONNRESET|ECONNABORTED|EPIPE)\b/;
const TOO_MANY = /too many|maximum|limit|try again later/i;
const SAFE = 'No file under its final name was touched.';

/** The server's own words: bounded, one line, and without what follows a PASS command that it may quote. */
function wordsOf(reply: Reply): string {
  const lines = reply.message.split('\n').map((line) => line.replace(/^\d{3}[ -]?/, ''));
  return shownText(lines.join(' ').replace(/\bPASS\s+\S+/gi, 'PASS ***'), 200);
}

/** Codes from RFC 959, section 4.2; 534 and 535 from RFC 2228; the rest from what servers really send. */
function meaningOf(code: number, words: string): { code: ErrorCode; retryable: boolean; advice: string } {
  if (code === 421 || (code === 530 && TOO_MANY.test(words))) {
    return {
      code: 'throttled',
      retryable: true,
      advice: 'It takes no more connections now; we can try again.',
    };
  }
  if (code === 530 || code === 332) {
    return {
      code: 'target_login_refused',
      retryable: false,
      advice: 'Please ask your FileFerry team to check the user and password of this destination.',
    };
  }
  if (code === 452 || code === 552 || (code >= 426 && NO_ROOM.test(words))) {
    return {
      code: 'target_full',
      retryable: false,
      advice: 'There is no room for the file. Please have space made on the server, then retry.',
    };
  }
  if (code === 425 || code === 426 || CUT.test(words)) {
    return {
      code: 'target_unreachable',
      retryable: true,
      advice: 'The data connection failed; we can try again.',
    };
  }
  if (code >= 400 && code < 500) {
    return { code: 'target_refused', retryable: true, advice: 'That may pass; we can try again.' };
  }
  if (code >= 500) {
    return {
      code: 'target_refused',
      retryable: false,
      advice: "Please check the path and our rights there with the server's owner.",
    };
  }
  return { code: 'target_unreachable', retryable: true, advice: 'We can try again.' };
}

/** A negative (or senseless) reply of the server. */
export function replyFault(reply: Reply, place: FtpPlace): FerryError {
  const words = wordsOf(reply);
  const meaning = meaningOf(reply.code, words);
  const about = place.path === undefined ? '' : ` for ${shownText(place.path)}`;
  return new FerryError(meaning.code, {
    retryable: meaning.retryable,
    userMessage: `${place.server} answered ${reply.code}${words ? ` "${words}"` : ''}${about}. ${SAFE} ${meaning.advice}`,
    cause: new Error(`FTP reply ${reply.code} ${words}`),
  });
}

/** The server refused AUTH TLS, with whatever code it has for commands that it does not know. */
export function noTlsFault(server: string, reply: Reply): FerryError {
  return new FerryError('target_refused', {
    userMessage: `${server} does not offer TLS, which this destination demands, so nothing was sent, not even the password. Please ask your FileFerry team to check it.`,
    cause: new Error(`FTP reply ${reply.code} ${wordsOf(reply)} to AUTH TLS`),
  });
}

/** EPSV and PASV are both unknown there: what remains would have the server connect to us. */
export function noPassiveFault(server: string, reply: Reply): FerryError {
  return new FerryError('target_refused', {
    userMessage: `${server} offers active mode only (it answered ${reply.code} "${wordsOf(reply)}" to PASV), where the server connects back to us; FileFerry does not take connections. Nothing was sent; please ask the server's owner to allow passive mode.`,
    cause: new Error(`FTP reply ${reply.code} ${wordsOf(reply)} to PASV`),
  });
}

/** The certificate is not the one that the destination pins. */
export function wrongPeerFault(server: string, found: string | undefined): FerryError {
  return new FerryError('target_refused', {
    userMessage: `The certificate of ${server} is not the one that is pinned for this destination, so nothing was sent, not even the password. Please ask your FileFerry team to check it.`,
    cause: new Error(`its SHA-256 fingerprint is ${found ?? 'unknown'}`),
  });
}

/** Node's codes for a certificate that cannot be trusted: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED =
  /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/;

const SOCKET_WORDS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it cut the connection',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ENOTFOUND: 'its name is unknown',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it does not answer',
};

/** A connection that could not be made, was cut, or answered nothing in time. */
export function connectionFault(thrown: unknown, place: FtpPlace): FerryError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const cause = new Error(shownText(`${error.name}: ${error.message}`, 500));
  if (UNTRUSTED.test(code)) {
    return new FerryError('target_refused', {
      userMessage: `The certificate of ${place.server} cannot be trusted (${code}), so nothing was sent, not even the password. Please ask your FileFerry team to check it.`,
      cause,
    });
  }
  if (/^(ERR_SSL|EPROTO)/.test(code)) {
    return new FerryError('target_refused', {
      userMessage: `${place.server} does not speak TLS the way this destination is set up, so nothing was sent. Please ask your FileFerry team to check the destination's settings.`,
      cause,
    });
  }
  const words =
    SOCKET_WORDS[code] ?? (/timeout/i.test(error.message) ? 'it does not answer' : 'the connection broke');
  return new FerryError('target_unreachable', {
    retryable: true,
    userMessage: `${place.server} cannot be reached: ${words}. ${SAFE} We can try again.`,
    cause,
  });
}

/**
 * Translates anything that an FTP step threw.
 *
 * @param signal the step's own; when it is aborted, its reason is the error
 */
export function translateFtpError(thrown: unknown, place: FtpPlace, signal?: AbortSignal): FerryError {
  if (signal?.aborted) return stopReason(signal);
  if (thrown instanceof FerryError) return thrown;
  if (thrown instanceof FTPError) return replyFault(thrown, place);
  return connectionFault(thrown, place);
}

/** No byte moved for too long. */
export function stalledFault(place: FtpPlace, waitingFor: 'source' | 'server', seconds: number): FerryError {
  const who = waitingFor === 'server' ? `${place.server} accepted no more data` : 'S3 delivered no more data';
  return new FerryError('timeout', {
    retryable: true,
    userMessage: `${who} for ${Math.round(seconds)} seconds, so we stopped. ${SAFE} We can try again.`,
  });
}

/** What the server has is not what was sent. */
export function verificationFault(place: FtpPlace, detail: string): FerryError {
  return new FerryError('verification_failed', {
    retryable: true,
    userMessage: `${shownText(place.path ?? '')} did not arrive whole at ${place.server}: ${detail}. ${SAFE} We can try again.`,
  });
}

/**
 * Refuses a path that could smuggle a command or cannot be said in UTF-8, before anything is sent.
 *
 * @throws FerryError `bad_input`
 */
export function checkPath(path: string): void {
  const fault = /\p{Cc}/u.test(path)
    ? 'control characters'
    : !path.isWellFormed()
      ? 'half a character'
      : !path.startsWith('/')
        ? 'no leading slash'
        : path.split('/').includes('..')
          ? '".."'
          : undefined;
  if (fault === undefined) return;
  throw new FerryError('bad_input', {
    userMessage: `The target path ${shownText(path)} has ${fault}, so nothing was sent. Please choose another name.`,
  });
}
