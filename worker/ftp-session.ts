/** One session of the target port: a logged-in connection that makes folders, stores, verifies and renames files. */
import { crc32 } from '@node-rs/crc32';
import type { FTPResponse } from 'basic-ftp';
import type { Logger } from 'pino';
import type { Destination } from '../core/policy-config.ts';
import { askTogether, sizeIn } from './ftp-ask.ts';
import { beginDigest, bestMethod, bothChecksums, type ChecksumMethod, digestOf } from './ftp-checksum.ts';
import type { FtpConnection } from './ftp-connection.ts';
import {
  checkPath,
  connectionFault,
  replyFault,
  translateFtpError,
  verificationFault,
} from './ftp-errors.ts';
import { epsvPort } from './ftp-passive.ts';
import { patienceFor, type ReadBackEnd, readBackFrom } from './ftp-read-back.ts';
import { type StoreTimes, storeFile } from './ftp-store.ts';
import { SMALL_BYTES } from './source.ts';
import type { TargetSession } from './target.ts';
import type { Throttle } from './throttle.ts';

export interface SessionOptions {
  readonly server: string;
  readonly connect: (signal: AbortSignal) => Promise<FtpConnection>;
  readonly times: StoreTimes;
  readonly verify: NonNullable<Destination['verify']>;
  readonly throttle: Throttle | undefined;
  readonly log: Logger;
}

/** `20261122T203000` as MDTM and MFMT have it, in UTC. RFC 3659, section 2.3. */
const timeValue = (at: number) => new Date(at).toISOString().replace(/[-:T]|\.\d{3}Z$/g, '');

const hex = (checksum: number) => checksum.toString(16).padStart(8, '0');

/**
 * @param first where it begins; when that is gone and something is still to be asked, another one is made
 */
export function openFtpSession(first: FtpConnection, options: SessionOptions): TargetSession {
  const { server, times, log } = options;
  let connection = first;
  let closed = false;
  let sizeWorks = false;
  let proven: FtpConnection | undefined;
  const made = new Set<string>();
  /** What the next upload begins with, where it was asked for together with the last rename; any command outdates it. */
  let ahead: { readonly path: string; readonly size: FTPResponse; readonly epsv: FTPResponse } | undefined;
  const canResume = () => /\bSTREAM\b/i.test(connection.features.get('REST') ?? '');

  /**
   * Sends commands, without waiting for each other's replies where the server takes them one after the other: those
   * that list REST STREAM do, while ftp-srv works on all that have arrived at once. A dead connection is thrown.
   */
  async function askAll(
    commands: readonly string[],
    path: string,
    signal?: AbortSignal,
  ): Promise<FTPResponse[]> {
    ahead = undefined;
    const place = { server, path };
    if (canResume()) return askTogether(connection, commands, place, signal);
    const replies: FTPResponse[] = [];
    for (const command of commands) {
      replies.push(...(await askTogether(connection, [command], place, signal)));
    }
    return replies;
  }

  /** Sends one command; a negative reply is given back. */
  async function ask(command: string, path: string, signal?: AbortSignal): Promise<FTPResponse> {
    checkPath(path);
    const [reply] = await askAll([`${command} ${path}`], path, signal);
    if (!reply) throw new Error('no reply');
    return reply;
  }

  async function size(path: string, signal?: AbortSignal): Promise<number | undefined> {
    const found = sizeIn(await ask('SIZE', path, signal), { server, path });
    sizeWorks = true;
    return found;
  }

  /** The size, and the port for the upload that follows, where EPSV is known to work. */
  async function sizeThenStore(path: string): Promise<number | undefined> {
    if (connection.passive !== 'EPSV') return size(path);
    checkPath(path);
    const asked = ahead?.path === path ? [ahead.size, ahead.epsv] : undefined;
    ahead = undefined;
    const [found, epsv] = asked ?? (await askAll([`SIZE ${path}`, 'EPSV'], path));
    connection.nextPort = epsv?.code === 229 ? epsvPort(epsv.message) : undefined;
    return sizeIn(found, { server, path });
  }

  /** The sizes of both, asked for together. */
  async function bothSizes(path: string, other: string | undefined, signal: AbortSignal) {
    if (other === undefined) return [await size(path, signal), undefined] as const;
    checkPath(other);
    const [found, otherFound] = await askAll([`SIZE ${path}`, `SIZE ${other}`], path, signal);
    return [sizeIn(found, { server, path }), sizeIn(otherFound, { server, path: other })] as const;
  }

  const folderExists = async (path: string) => (await ask('CWD', path)).code < 400;

  /** A new connection in place of one that is gone. */
  async function revive(signal: AbortSignal): Promise<void> {
    const again = await options.connect(signal);
    if (closed) again.client.close();
    connection = again;
  }

  /** Reads back what is stored. */
  async function readBack(
    path: string,
    from: number,
    onBytes: (bytes: Buffer) => boolean,
    signal: AbortSignal,
    stallMs = times.stall,
  ): Promise<ReadBackEnd> {
    try {
      if (connection.client.closed) await revive(signal);
      const order = { path, from, onBytes, stallMs, reasonMs: times.reason, signal };
      const end = await readBackFrom(connection, order);
      if (connection.client.closed && !closed) {
        await revive(signal).catch((error: unknown) => {
          // The server may still hold the stalled one: that it takes no other is told to whoever asks next.
          if (end !== 'stalled' || signal.aborted) throw error;
        });
      }
      return end;
    } catch (error) {
      throw translateFtpError(error, { server, path }, signal);
    }
  }

  async function wholeCrc32(path: string, signal: AbortSignal): Promise<number | undefined> {
    let checksum = 0;
    const sum = (bytes: Buffer) => {
      checksum = crc32(bytes, checksum);
      return true;
    };
    const end = await readBack(path, 0, sum, signal);
    if (end === 'stalled') throw connectionFault(new Error('Timeout (reading back)'), { server, path });
    return end === 'read' ? checksum : undefined;
  }

  /** What can go on with a stored number costs nothing; for all else the object has to be read once more. */
  function methodFor(resumed: boolean, canReread: boolean): ChecksumMethod | undefined {
    const running = bestMethod(connection.features, resumed);
    return running ?? (canReread ? bestMethod(connection.features, false) : undefined);
  }

  /** Compares the content as far as the server and the destination's settings allow; gives the words for it. */
  async function compareContent(
    path: string,
    sent: { readonly bytes: number; readonly crc32: number },
    method: ChecksumMethod | undefined,
    expected: (signal: AbortSignal) => string | Promise<string>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const requireSame = (found: string, wanted: string) => {
      if (found === wanted) return;
      const detail = `the checksum there is ${found}, of what was sent ${wanted}`;
      throw verificationFault({ server, path }, detail);
    };
    if (method) {
      const order = { method, path, bytes: sent.bytes, patienceMs: times.finalReply, signal };
      const both = await bothChecksums(connection, order, expected).catch((error: unknown) => {
        throw translateFtpError(error, { server, path }, signal);
      });
      // Reading the object once more may have taken longer than the server suffers silence.
      if (connection.client.closed && !closed) await revive(signal);
      if (both) requireSame(both.found, both.expected);
      if (both) return `${method.kind} by server`;
    }
    if (options.verify !== 'read-back') return undefined;
    const found = await wholeCrc32(path, signal);
    if (found === undefined) return undefined;
    requireSame(hex(found), hex(sent.crc32));
    return 'CRC32 read back';
  }

  return {
    size: (path, next) => (next === 'store' ? sizeThenStore(path) : size(path)),

    canResume,

    canCompare: () => options.verify !== 'size' && bestMethod(connection.features, false) !== undefined,

    async readBack(path, from, bytes, signal, atStake) {
      checkPath(path);
      const parts: Buffer[] = [];
      let read = 0;
      const gather = (part: Buffer) => {
        parts.push(part);
        read += part.length;
        return read < bytes;
      };
      const patience = atStake === undefined ? times.stall : patienceFor(atStake, times.stall);
      const end = await readBack(path, from, gather, signal, patience);
      if (end === 'stalled') return end;
      return end === 'read' ? Buffer.concat(parts).subarray(0, bytes) : undefined;
    },

    async ensureDirectory(path) {
      checkPath(path);
      const folders = path.split('/').filter((name) => name !== '' && name !== '.');
      const whole = `/${folders.join('/')}`;
      if (whole === '/' || made.has(whole)) return;
      if (!(await folderExists(whole))) {
        for (let depth = 1; depth <= folders.length; depth += 1) {
          const folder = `/${folders.slice(0, depth).join('/')}`;
          if (made.has(folder)) continue;
          const reply = await ask('MKD', folder);
          // Servers refuse an existing folder with 550 or 521, and another connection may have been faster.
          if (reply.code >= 400 && !(await folderExists(folder)))
            throw replyFault(reply, { server, path: folder });
          made.add(folder);
        }
      }
      made.add(whole);
    },

    async store(path, data, expectedBytes, onProgress, signal, extras = {}) {
      checkPath(path);
      const place = { server, path };
      const { start, sourceCrc32, readWhole, alsoSize } = extras;
      // A server that cannot tell sizes is found out before the first byte, not after the last.
      if (!sizeWorks) await size(path, signal);
      const resumed = start !== undefined && start.bytes > 0;
      const method = options.verify === 'size' ? undefined : methodFor(resumed, readWhole !== undefined);
      const digest = method && !resumed ? beginDigest(method) : undefined;
      const expected = (until: AbortSignal) => {
        if (digest) return digest.digest('hex');
        const anew = method && readWhole && beginDigest(method);
        return anew ? digestOf(anew, readWhole(until)) : hex(stored.crc32);
      };
      const { throttle } = options;
      // Without waiting for the server's go-ahead, once it has shown how it works.
      const early = proven === connection && expectedBytes <= SMALL_BYTES;
      const stored = await storeFile(connection, {
        ...{ place, data, expectedBytes, start, digest, throttle, early, onProgress, signal, times },
      });
      if (stored.confirmed) proven = connection;
      else {
        log.warn(
          { server, path, bytes: stored.bytes },
          'no final reply to an upload; asking for the size anew',
        );
        await revive(signal);
      }
      const [actual, otherSize] = await bothSizes(path, alsoSize, signal);
      if (actual !== expectedBytes) {
        const found = actual === undefined ? 'the server has no such file' : `the server has ${actual} bytes`;
        throw verificationFault(place, `${found}, ${expectedBytes} were sent`);
      }
      if (sourceCrc32 !== undefined && sourceCrc32 !== stored.crc32) {
        const detail = `S3 keeps the checksum ${hex(sourceCrc32)}, what it delivered has ${hex(stored.crc32)}`;
        throw verificationFault(place, detail);
      }
      const content =
        expectedBytes > 0 ? await compareContent(path, stored, method, expected, signal) : undefined;
      const words = ['size', sourceCrc32 === undefined ? '' : 'CRC32 by S3', content ?? ''].filter(Boolean);
      return {
        bytes: stored.bytes,
        crc32: stored.crc32,
        verified: words.join(' + '),
        contentVerified: content !== undefined || expectedBytes === 0,
        otherSize,
      };
    },

    async rename(from, to, next) {
      checkPath(from);
      checkPath(to);
      if (next !== undefined) checkPath(next);
      const early = next !== undefined && connection.passive === 'EPSV' ? [`SIZE ${next}`, 'EPSV'] : [];
      // Sent together: a refused RNFR makes the server refuse RNTO as well.
      const renaming = [`RNFR ${from}`, `RNTO ${to}`, `SIZE ${to}`, ...early];
      const [rnfr, rnto, after, size, epsv] = await askAll(renaming, to);
      if (next !== undefined && size && epsv) ahead = { path: next, size, epsv };
      if (rnfr && rnfr.code >= 400) throw replyFault(rnfr, { server, path: from });
      if (rnto && rnto.code >= 400) throw replyFault(rnto, { server, path: to });
      return sizeIn(after, { server, path: to });
    },

    async setModified(path, at) {
      checkPath(path);
      // vsftpd takes the time with MDTM, which others take for a question about a strange name.
      const command = connection.features.has('MFMT') ? 'MFMT' : 'MDTM';
      const [reply] = await askAll([`${command} ${timeValue(at)} ${path}`], path);
      return reply !== undefined && reply.code < 300;
    },

    async remove(path) {
      const reply = await ask('DELE', path);
      if (reply.code < 400) return;
      if (reply.code === 550 && (await size(path)) === undefined) return;
      throw replyFault(reply, { server, path });
    },

    close() {
      closed = true;
      connection.client.close();
    },
  };
}
