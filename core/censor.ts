/** Takes secrets out of a log line, whatever object or text they came in. */

const MARK = '[redacted]';

/** Names whose value is never logged, wherever in the line they stand, also in JSON inside a string. */
const SECRET_NAME =
  /(\\*")([^"\\]*(?:passw(?:or)?d|passphrase|secret|token|authorization|cookie|credential|signature|api[-_]?key|access[-_]?key)[^"\\]*)\1\s*:\s*(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\]|\1(?:(?!\1)(?:\\.|[^\\]))*\1)/gi;

/** Values that give themselves away: chat tokens, AWS key ids, bearer and basic headers, signed URLs, logins in URLs. */
const SECRET_VALUES: readonly [RegExp, string][] = [
  [/\bx(?:ox[a-z]|app)-[A-Za-z0-9-]+/g, MARK],
  [/\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b/g, MARK],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${MARK}`],
  [
    /\b(X-Amz-(?:Signature|Security-Token|Credential)|client_secret|password|access_token)=[^&\s"\\]+/gi,
    `$1=${MARK}`,
  ],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]+):[^\s@/"\\]+@/gi, `$1:${MARK}@`],
];

/**
 * The line without secrets; still valid JSON where it was. It works on the finished line because pino's own
 * redaction needs each path spelled out, and neither knows depths beyond those nor the text of messages and errors.
 */
export function censor(line: string): string {
  let text = line.replace(SECRET_NAME, (_match, quote: string, name: string) => {
    return `${quote}${name}${quote}:${quote}${MARK}${quote}`;
  });
  for (const [pattern, replacement] of SECRET_VALUES) text = text.replace(pattern, replacement);
  return text;
}
