/** AWS Signature Version 4 for one GET: what the SDK does for half a millisecond, for objects by the thousand. */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

const hmac = (key: string | Buffer | KeyObject, text: string) =>
  createHmac('sha256', key).update(text).digest();

/** RFC 3986, as the signature has it. */
export const escapeUri = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Derives the keys that sign, each for one day and region, and keeps the last: four HMACs of five in a signature. */
export class SigningKeyCache {
  private last: { readonly name: string; readonly key: KeyObject } | undefined;

  key({ secretAccessKey }: SigningKeys, day: string, region: string): KeyObject {
    const name = `${day}/${region}/${secretAccessKey}`;
    if (this.last?.name !== name) {
      const derived = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
        hmac,
        `AWS4${secretAccessKey}`,
      );
      this.last = { name, key: createSecretKey(derived as Buffer) };
    }
    return this.last.key;
  }
}

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
  cache: SigningKeyCache,
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
  const signature = hmac(
    cache.key(keys, day, get.region),
    `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical)}`,
  ).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const sent = [...headers, ['authorization', authorization] as const, ['user-agent', 'fileferry'] as const];
  return `GET ${get.path}${query ? '?' : ''}${query} HTTP/1.1\r\n${sent.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
}
