/** Signed GETs for objects, for which the SDK is asked once a bucket: where it is, in which region, and the keys. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { RangeServer } from './range-connection.ts';
import { escapeUri, SigningKeyCache, signGet } from './s3-signature.ts';
import type { SourceObject } from './source.ts';

/** What the SDK hands to its network layer. */
interface HttpRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a bucket's objects are. */
interface Place {
  readonly server: RangeServer;
  /** For the Host header. */
  readonly host: string;
  /** What the path has before the key. */
  readonly before: string;
}

/** Good for as long as S3 takes the signature: 15 minutes, or until its credentials end. */
export interface SignedGet {
  readonly server: RangeServer;
  /** Request line and headers, without `Range` and the empty line. */
  readonly head: string;
}

const escapedKey = (key: string) => key.split('/').map(escapeUri).join('/');

/** Where a bucket's objects are, as the SDK has it: which host, and what stands before the key. Sends nothing. */
async function locate(client: S3Client, source: SourceObject): Promise<Place> {
  const command = new GetObjectCommand({ Bucket: source.bucket, Key: source.object.key });
  let request: HttpRequest | undefined;
  command.middlewareStack.add(
    () => async (args) => {
      request = args.request as HttpRequest;
      return { output: { $metadata: {} }, response: {} };
    },
    { step: 'deserialize', priority: 'high', name: 'keepRequest' },
  );
  await client.send(command);
  const key = escapedKey(source.object.key);
  if (!request?.path.endsWith(key)) throw new Error('the SDK asks for another path');
  const { protocol, hostname, port, path, headers } = request;
  const secure = protocol === 'https:';
  return {
    server: { secure, host: hostname, port: port ?? (secure ? 443 : 80) },
    host: headers.host ?? hostname,
    before: path.slice(0, path.length - key.length),
  };
}

/** @param client that of a valid session; asked for at every signature, so that credentials may be renewed between */
export function createGetSigner(
  client: () => Promise<S3Client>,
): (source: SourceObject) => Promise<SignedGet> {
  const cache = new SigningKeyCache();
  const places = new Map<string, Promise<Place>>();

  return async (source) => {
    const { key, etag: ifMatch, versionId } = source.object;
    const session = await client();
    let located = places.get(source.bucket);
    if (!located) {
      located = locate(session, source);
      places.set(source.bucket, located);
      located.catch(() => places.delete(source.bucket));
    }
    const { server, host, before } = await located;
    const [region, keys] = await Promise.all([session.config.region(), session.config.credentials()]);
    const query: Record<string, string> = versionId === undefined ? {} : { versionId };
    const get = { path: `${before}${escapedKey(key)}`, query, host, ifMatch, region };
    return { server, head: signGet(get, keys, Date.now(), cache) };
  };
}
