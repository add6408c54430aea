/** Checks AWS Signature Version 4, in the header or in a presigned URL, against the keys of a key ring. */
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
  | 'expired_request'
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
  /** Seconds for which a presigned URL is good. */
  readonly expires?: number;
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

function claimOf(
  { headers }: SignedRequest,
  query: ReadonlyMap<string, string>,
): Claim | 'missing' | 'malformed' {
  const header = (name: string) => headers[name]?.toString();
  const authorization = header('authorization');
  if (authorization) {
    const match =
      /^AWS4-HMAC-SHA256 Credential=([^/\s,]+)\/([^\s,]+),\s*SignedHeaders=([^\s,]+),\s*Signature=([0-9a-f]{64})$/.exec(
        authorization,
      );
    const date = header('x-amz-date');
    if (!match || !date) return 'malformed';
    const [, accessKeyId = '', scope = '', signedHeaders = '', signature = ''] = match;
    return {
      accessKeyId,
      scope,
      signedHeaders: signedHeaders.split(';'),
      signature,
      date,
      token: header('x-amz-security-token'),
    };
  }
  const signature = query.get('X-Amz-Signature');
  if (!signature) return 'missing';
  const [accessKeyId = '', ...scope] = (query.get('X-Amz-Credential') ?? '').split('/');
  return {
    accessKeyId,
    scope: scope.join('/'),
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature,
    date: query.get('X-Amz-Date') ?? '',
    token: query.get('X-Amz-Security-Token'),
    expires: Number(query.get('X-Amz-Expires') ?? Number.NaN),
  };
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
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const headers = claim.signedHeaders.map(
    (name) => `${name}:${(request.headers[name]?.toString() ?? '').trim().replace(/\s+/g, ' ')}\n`,
  );
  const payload =
    request.headers['x-amz-content-sha256']?.toString() ??
    (claim.expires === undefined ? sha256(request.body ?? '') : 'UNSIGNED-PAYLOAD');
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

const instantOf = (date: string) =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** Who signed the request, or why it cannot be believed. The age of a signature in a header is not checked. */
export function verifySignature(request: SignedRequest, ring: KeyRing): AccessKey | SignatureFault {
  let pairs: [string, string][];
  try {
    pairs = queryPairs(request.url.split(/\?(.*)/s, 2)[1] ?? '');
    decodeURIComponent(request.url.split('?', 1)[0] ?? '');
  } catch {
    return 'malformed';
  }
  const claim = claimOf(request, new Map(pairs));
  if (typeof claim === 'string') return claim;
  const key = ring.find(claim.accessKeyId);
  if (!key) return 'unknown_key';
  if (claim.token !== key.session?.token) return 'wrong_token';
  if (key.session && ring.now() >= key.session.expiresAt) return 'expired_key';
  const expected = Buffer.from(signatureFor(request, claim, pairs, key.secretAccessKey));
  const given = Buffer.from(claim.signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return 'mismatch';
  if (claim.expires !== undefined && !(ring.now() < instantOf(claim.date) + claim.expires * 1000)) {
    return 'expired_request';
  }
  return key;
}
