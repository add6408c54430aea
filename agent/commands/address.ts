/** Reads where S3 objects are, in every form in which people paste it. */
import { escapeGlob, isGlob } from '../../core/glob.ts';
import type { Source } from './command.ts';

/** `%XX` decoded where it is valid UTF-8, and the text as it is where it is not. */
function decode(text: string): string {
  // Told apart first, because a thousand exceptions take longer than a turn may.
  if (!text.includes('%') || /%(?![0-9a-f]{2})/i.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether the text begins like an address, complete or not. */
export function isAddress(text: string): boolean {
  return /^(s3[an]?:\/\/|arn:[a-z-]{1,20}:s3:::|https?:\/\/[^/?#\s]{0,255}(amazonaws\.com|aws\.amazon\.com))/i.test(
    text,
  );
}

/** What is behind the bucket's name: nothing or a final slash means everything below, wildcards a pattern. */
export function sourceFrom(rest: string, options: { encoded: boolean }): Source {
  if (isGlob(rest)) {
    // A wildcard that was percent-encoded is the character itself.
    const pattern = options.encoded
      ? rest.replace(/(%[0-9a-f]{2})+/gi, (encoded) => escapeGlob(decode(encoded)))
      : rest;
    return { kind: 'glob', pattern: pattern.endsWith('/') ? `${pattern}**` : pattern };
  }
  return literalSource(options.encoded ? decode(rest) : rest);
}

function literalSource(key: string): Source {
  return key === '' || key.endsWith('/') ? { kind: 'prefix', prefix: key } : { kind: 'key', key };
}

/** A value of a query string. */
function queryValue(query: string, name: string): string | undefined {
  const pair = query.split('&').find((part) => part.startsWith(`${name}=`));
  return pair === undefined ? undefined : decode(pair.slice(name.length + 1));
}

/**
 * Bucket and key of an `https` address: virtual-hosted, path-style, or of the AWS console. Read by hand because `URL`
 * would resolve `..` steps, which have to be seen and refused.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
function readHttps(text: string): Source | undefined {
  const parts = /^https?:\/\/([^/?#]{1,255})(\/[^?#]*)?(?:\?([^#]*))?/i.exec(text);
  if (!parts) return undefined;
  const host = (parts[1] ?? '').toLowerCase();
  const path = (parts[2] ?? '/').slice(1);
  const query = parts[3] ?? '';
  const version = queryValue(query, 'versionId');
  const at = (bucket: string, rest: string): Source | undefined => {
    if (bucket === '') return undefined;
    const source = literalSource(decode(rest));
    return { bucket, ...source, ...(version && source.kind === 'key' ? { versionId: version } : {}) };
  };
  if (/(^|\.)console\.aws\.amazon\.com$/.test(host)) {
    const page = /^s3\/(?:object|buckets)\/([^/]+)/.exec(path);
    return page
      ? at(decode(page[1] ?? ''), encodeURIComponent(queryValue(query, 'prefix') ?? ''))
      : undefined;
  }
  const service = /^(?:(.+)\.)?s3(?:[.-](?:[a-z0-9-]+\.){0,2}[a-z0-9-]+|)\.amazonaws\.com(?:\.cn)?$/.exec(
    host,
  );
  if (!service) return undefined;
  if (service[1]) return at(service[1], path);
  const slash = path.indexOf('/');
  return slash < 0 ? at(decode(path), '') : at(decode(path.slice(0, slash)), path.slice(slash + 1));
}

/**
 * Reads `s3://bucket/key`, `arn:aws:s3:::bucket/key` and S3's `https` addresses; undefined when it is none.
 *
 * @param quoted the text stood in quotes: then `%20` in an `s3://` address is itself
 */
export function readAddress(text: string, quoted: boolean): Source | undefined {
  if (/^https?:/i.test(text)) return readHttps(text);
  const plain = /^(?:s3[an]?:\/\/|arn:[a-z-]{1,20}:s3:::)([^/\s]{1,255})(?:\/(.*))?$/is.exec(text);
  if (!plain) return undefined;
  return { bucket: plain[1] ?? '', ...sourceFrom(plain[2] ?? '', { encoded: !quoted }) };
}
