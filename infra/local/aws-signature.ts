/** Checks AWS Signature Version 4, as it stands in the Authorization header, against the keys of a key ring. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AccessKey, KeyRing } from './key-ring.ts';

export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as they stood in the request line. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** What the signature covers when there is no `x-amz-content-sha256` header. */
  readonly body?: string;
}

export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'unknown_key'
  | 'wrong_token'
  | 'expired_key'
  | 'mismatch';

interface Claim {
  readonly accessKeyId: string;
  /** `20261122/us-east-1/s3/aws4_request` */
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261122T194500Z` */
  readonly date: string;
  readonly token: string | undefined;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** RFC 3986 encoding, as Signature Version 4 wants it. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function queryPairs(query: string): [string, string][] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', value = ''] = part.split(/=(.*)/s, 2);
      const decode = (text: string) => decodeURIComponent(text.replace(/\+/g, ' '));
      return [decode(name), decode(value)];
    });
}

function claimOf({ headers }: SignedRequest): Claim | 'missing' | 'malformed' {
  const authorization = headers.authorization;
  if (authorization === undefined) return 'missing';
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/\s,]+)\/([^\s,]+),\s*SignedHeaders=([^\s,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  const date = headers['x-amz-date']?.toString();
  if (!match || date === undefined) return 'malformed';
  const [, accessKeyId = '', scope = '', signedHeaders = '', signature = ''] = match;
  const token = headers['x-amz-security-token']?.toString();
  return { accessKeyId, scope, signedHeaders: signedHeaders.split(';'), signature, date, token };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signatureFor(
  request: SignedRequest,
  claim: Claim,
  pairs: [string, string][],
  secretKey: string,
): string {
  const path = (request.url.split('?', 1)[0] ?? '/')
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/');
  const query = pairs
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
  const headers = claim.signedHeaders.map(
    (name) => `${name}:${(request.headers[name]?.toString() ?? '').trim().replace(/\s+/g, ' ')}\n`,
  );
  const payload = request.headers['x-amz-content-sha256']?.toString() ?? sha256(request.body ?? '');
  const canonical = [
    request.method,
    path,
    query,
    headers.join(''),
    claim.signedHeaders.join(';'),
    payload,
  ].join('\n');
  const [day = '', region = '', service = '', end = ''] = claim.scope.split('/');
  const key = [region, service, end].reduce<Buffer>(
    (previous, part) => hmac(previous, part),
    hmac(`AWS4${secretKey}`, day),
  );
  return hmac(key, `AWS4-HMAC-SHA256\n${claim.date}\n${claim.scope}\n${sha256(canonical)}`).toString('hex');
}

/** Who signed the request, or why it cannot be believed. The age of a signature is not checked. */
export function verifySignature(request: SignedRequest, ring: KeyRing): AccessKey | SignatureFault {
  let pairs: [string, string][];
  try {
    pairs = queryPairs(request.url.split(/\?(.*)/s, 2)[1] ?? '');
    decodeURIComponent(request.url.split('?', 1)[0] ?? '');
  } catch {
    return 'malformed';
  }
  const claim = claimOf(request);
  if (typeof claim === 'string') return claim;
  const key = ring.find(claim.accessKeyId);
  if (!key) return 'unknown_key';
  if (claim.token !== key.session?.token) return 'wrong_token';
  if (key.session && ring.now() >= key.session.expiresAt) return 'expired_key';
  const expected = Buffer.from(signatureFor(request, claim, pairs, key.secretAccessKey));
  const given = Buffer.from(claim.signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return 'mismatch';
  return key;
}
