/** The checksum of a stored file as the server reckons it: the strongest of HASH, XSHA256, XCRC and XMD5 that it offers. */
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
 * @param running whether only what can go on from a stored number is of use
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

/**
 * The file's checksum in lower-case hex, or undefined when the server does not say.
 *
 * @throws what basic-ftp throws when the connection is gone
 */
export async function askChecksum(
  connection: FtpConnection,
  method: ChecksumMethod,
  path: string,
  patienceMs: number,
): Promise<string | undefined> {
  if (method.command === 'HASH') {
    const chosen = await connection.client.sendIgnoringError(`OPTS HASH ${method.kind}`);
    if (chosen.code >= 400) return undefined;
  }
  const quoted = method.command !== 'HASH' && path.includes(' ') ? `"${path}"` : path;
  const reply = await askLong(connection, `${method.command} ${quoted}`, patienceMs);
  return reply.code < 300 ? digestIn(reply.message, method) : undefined;
}
