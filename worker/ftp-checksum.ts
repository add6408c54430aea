/** The checksum of a stored file as the server reckons it: the strongest of HASH, XSHA256, XCRC and XMD5 that it offers. */
import { createHash, type Hash } from 'node:crypto';
import { FTPError, type FTPResponse } from 'basic-ftp';
import type { FtpConnection } from './ftp-connection.ts';

export type ChecksumKind = 'SHA-256' | 'CRC32' | 'MD5';

/** A way to ask for a checksum. */
export interface ChecksumMethod {
  readonly kind: ChecksumKind;
  readonly command: 'HASH' | 'XSHA256' | 'XCRC' | 'XMD5';
}

/**
 * CRC32 comes before MD5: it is reckoned anyway, it can go on in the middle of a file, and against faults of
 * networks and disks the other is no better.
 */
const METHODS: readonly (ChecksumMethod & { readonly feature: RegExp | undefined })[] = [
  { kind: 'SHA-256', command: 'HASH', feature: /(^|;)SHA-256\*?(;|$)/i },
  { kind: 'SHA-256', command: 'XSHA256', feature: undefined },
  { kind: 'CRC32', command: 'HASH', feature: /(^|;)CRC32\*?(;|$)/i },
  { kind: 'CRC32', command: 'XCRC', feature: undefined },
  { kind: 'MD5', command: 'HASH', feature: /(^|;)MD5\*?(;|$)/i },
  { kind: 'MD5', command: 'XMD5', feature: undefined },
];

/**
 * The strongest method that FEAT lists.
 *
 * @param running whether what can go on from a stored number is wanted, however weak; only that is given then
 */
export function bestMethod(
  features: ReadonlyMap<string, string>,
  running: boolean,
): ChecksumMethod | undefined {
  return METHODS.find(({ kind, command, feature }) => {
    const listed = features.get(command);
    if (listed === undefined || (running && kind !== 'CRC32')) return false;
    return feature === undefined || feature.test(listed.trim());
  });
}

/** A digest of bytes that pass, for a method that has no checksum of its own; undefined for CRC32, which all have. */
export function beginDigest({ kind }: ChecksumMethod): Hash | undefined {
  return kind === 'CRC32' ? undefined : createHash(kind === 'MD5' ? 'md5' : 'sha256');
}

/** In lower-case hex. */
export async function digestOf(digest: Hash, data: AsyncIterable<Buffer>): Promise<string> {
  for await (const chunk of data) digest.update(chunk);
  return digest.digest('hex');
}

/** The digest in a reply; undefined where there is none of that length. */
export function digestIn(message: string, { kind, command }: ChecksumMethod): string | undefined {
  const digits = { 'SHA-256': 64, MD5: 32, CRC32: 8 }[kind];
  // draft-bryan-ftpext-hash, section 3: `213 SHA-256 0-49 hash filename`; the others end in it.
  const last = (message.trim().split(/\r?\n/).at(-1) ?? '').replace(/^\d{3}[ -]/, '');
  const words =
    command === 'HASH' ? [/^\s*\S+\s+\d+-\d+\s+([0-9a-f]+)/i.exec(last)?.[1]] : last.split(/\s+/).reverse();
  const found = words.find((word) => /^(0x)?[0-9a-f]+$/i.test(word ?? ''))?.replace(/^0x/i, '');
  // Leading zeros of a CRC are left out by some.
  const whole = kind === 'CRC32' ? found?.padStart(digits, '0') : found;
  return whole?.length === digits ? whole.toLowerCase() : undefined;
}

/** Sends a command whose answer may take as long as reading the whole file; negative replies are given back. */
function askLong(connection: FtpConnection, command: string, patienceMs: number): Promise<FTPResponse> {
  const { ftp } = connection.client;
  const answer: Promise<FTPResponse> = ftp.handle(command, (reply, task) => {
    if (reply instanceof FTPError) task.resolve({ code: reply.code, message: reply.message });
    else if (reply instanceof Error) task.reject(reply);
    else if (reply.code >= 200) task.resolve(reply);
  });
  ftp.socket.setTimeout(patienceMs);
  return answer;
}

export interface ChecksumOrder {
  readonly method: ChecksumMethod;
  readonly path: string;
  readonly bytes: number;
  /** How long the server may take for a small file, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Both in lower-case hex. */
export interface Checksums {
  readonly found: string;
  readonly expected: string;
}

/**
 * The stored file's checksum beside the one that it should have, or undefined when the server does not say.
 *
 * @param expected may take as long as the server does, which reckons meanwhile; given up when it does not say
 * @throws what `expected` throws, or what basic-ftp throws when the connection is gone
 */
export async function bothChecksums(
  connection: FtpConnection,
  order: ChecksumOrder,
  expected: (signal: AbortSignal) => string | Promise<string>,
): Promise<Checksums | undefined> {
  const { client } = connection;
  const { signal } = order;
  const over = new AbortController();
  const stop = () => {
    over.abort(signal.reason);
    client.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  let fault: unknown;
  const ours = Promise.resolve(expected(over.signal));
  ours.catch((error: unknown) => {
    if (over.signal.aborted) return;
    fault = error;
    client.close();
  });
  try {
    const found = await askChecksum(connection, order);
    return found === undefined ? undefined : { found, expected: await ours };
  } catch (error) {
    throw fault ?? error;
  } finally {
    over.abort();
    signal.removeEventListener('abort', stop);
  }
}

/** Bytes a second that even a slow server reads and reckons. */
const SLOW_RATE = 20e6;

async function askChecksum(
  connection: FtpConnection,
  { method, path, bytes, patienceMs }: ChecksumOrder,
): Promise<string | undefined> {
  if (method.command === 'HASH') {
    const chosen = await connection.client.sendIgnoringError(`OPTS HASH ${method.kind}`);
    if (chosen.code >= 400) return undefined;
  }
  const quoted = method.command !== 'HASH' && path.includes(' ') ? `"${path}"` : path;
  const patience = Math.max(patienceMs, (bytes / SLOW_RATE) * 1_000);
  const reply = await askLong(connection, `${method.command} ${quoted}`, patience);
  return reply.code < 300 ? digestIn(reply.message, method) : undefined;
}
