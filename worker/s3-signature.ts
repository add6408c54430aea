/** AWS Signature Version 4 for one GET: what the SDK does for half a millisecond, for objects by the thousand. */
import { createHash, createHmac } from 'node:crypto';

export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** RFC 3986, as the signature has it. */
export const escapeUri = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Request line and headers, signed, without the empty line at the end. `Range` may be added: S3 wants only `host` and
 * its own headers to be covered. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * @param get.path escaped, from the slash on
 * @param get.host with its port where that is not the protocol's own
 * @param at epoch milliseconds
 */
export function signGet(
  get: {
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
    readonly host: string;
    readonly ifMatch: string;
    readonly region: string;
  },
  keys: SigningKeys,
  at: number,
): string {
  const time = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const headers: [string, string][] = [
    ['host', get.host],
    ['if-match', get.ifMatch],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['x-amz-date', time],
  ];
  if (keys.sessionToken) headers.push(['x-amz-security-token', keys.sessionToken]);
  const query = Object.entries(get.query)
    .map(([name, value]) => `${escapeUri(name)}=${escapeUri(value)}`)
    .sort()
    .join('&');
  const names = headers.map(([name]) => name).join(';');
  const lines = headers.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = ['GET', get.path, query, lines, names, 'UNSIGNED-PAYLOAD'].join('\n');
  const scope = `${day}/${get.region}/s3/aws4_request`;
  const key = [get.region, 's3', 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(`AWS4${keys.secretAccessKey}`, day),
  );
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const sent = [...headers, ['authorization', authorization] as const, ['user-agent', 'fileferry'] as const];
  return `GET ${get.path}${query ? '?' : ''}${query} HTTP/1.1\r\n${sent.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
}
