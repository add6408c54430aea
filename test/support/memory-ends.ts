/** A source and a destination in memory for tests of what lies between: they can be held, broken and inspected. */
import { crc32 } from 'node:zlib';
import { FerryError } from '../../core/errors.ts';
import { stopReason } from '../../core/stop-reason.ts';
import type { Source } from '../../worker/source.ts';
import type { Target, TargetSession } from '../../worker/target.ts';

const CHUNK = 1_000;

/** Bytes that differ from key to key and from position to position. */
export function contentOf(key: string, size: number): Buffer {
  const seed = crc32(key);
  return Buffer.from(Uint8Array.from({ length: size }, (_none, at) => (seed + at * 31 + (at >> 8)) & 255));
}

/** Holds whoever passes until it is opened; tells when somebody waits. */
export function createGate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    /** Resolves when somebody waits at the gate. */
    reached: reached.promise,
    open: () => opened.resolve(),
    /** Waits at the gate; rejects with the signal's reason. */
    async pass(signal?: AbortSignal): Promise<void> {
      reached.resolve();
      if (!signal) return opened.promise;
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(stopReason(signal));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      await Promise.race([opened.promise, aborted.promise]).finally(() =>
        signal.removeEventListener('abort', abort),
      );
    },
  };
}
export type Gate = ReturnType<typeof createGate>;

export interface MemorySource extends Source {
  /** Keys whose reading waits at a gate before the byte at half of their size. */
  readonly gates: Map<string, Gate>;
  /** Errors that the next reads of a key throw, in order. */
  readonly faults: Map<string, FerryError[]>;
  /** Keys that are not what was pinned any more. */
  readonly changed: Set<string>;
  readonly reads: string[];
}

export function memorySource(): MemorySource {
  const gates = new Map<string, Gate>();
  const faults = new Map<string, FerryError[]>();
  const changed = new Set<string>();
  const reads: string[] = [];
  return {
    gates,
    faults,
    changed,
    reads,
    async check({ object }) {
      if (!changed.has(object.key)) return { size: object.size };
      throw new FerryError('source_changed', { userMessage: `${object.key} has changed.` });
    },
    async *read({ object }, start, signal, end) {
      const content = contentOf(object.key, object.size).subarray(0, end);
      if (end === undefined) reads.push(object.key);
      for (let at = start; at < content.length; at += CHUNK) {
        if (at >= object.size / 2 && end === undefined) {
          await gates.get(object.key)?.pass(signal);
          const fault = faults.get(object.key)?.shift();
          if (fault) throw fault;
        }
        signal.throwIfAborted();
        yield content.subarray(at, at + CHUNK);
      }
    },
  };
}

export interface MemoryTarget extends Target {
  readonly files: Map<string, Buffer>;
  /** What was asked of the server, such as `RNTO /a /b`. */
  readonly commands: string[];
  /** Runs before a command takes effect; may throw, or wait. */
  before: (command: string) => Promise<void> | void;
  /** Connections that are open now, and the most that ever were. */
  open: number;
  mostOpen: number;
  /** Whether an upload can go on in the middle of a file. */
  resumes: boolean;
}

export function memoryTarget(): MemoryTarget {
  const files = new Map<string, Buffer>();
  const commands: string[] = [];
  const target: MemoryTarget = {
    files,
    commands,
    before: () => {},
    open: 0,
    mostOpen: 0,
    resumes: true,
    async connect(signal) {
      signal.throwIfAborted();
      await command('USER');
      target.open += 1;
      target.mostOpen = Math.max(target.mostOpen, target.open);
      return session();
    },
  };

  async function command(words: string): Promise<void> {
    commands.push(words);
    await target.before(words);
  }

  function session(): TargetSession {
    let closed = false;
    const ask = async (words: string) => {
      if (closed) throw new FerryError('target_unreachable', { retryable: true, userMessage: 'closed' });
      await command(words);
    };
    return {
      async size(path) {
        await ask(`SIZE ${path}`);
        return files.get(path)?.length;
      },
      ensureDirectory: (path) => ask(`MKD ${path}`),
      canResume: () => target.resumes,
      canCompare: () => false,
      async readBack(path, from, bytes) {
        await ask(`RETR ${path} ${from}`);
        return files.get(path)?.subarray(from, from + bytes);
      },
      async setModified(path, at) {
        await ask(`MFMT ${at} ${path}`);
        return true;
      },
      async store(path, data, expectedBytes, onProgress, signal, { start, alsoSize } = {}) {
        await ask(`STOR ${path}${start ? ` ${start.bytes}` : ''}`);
        // A file that is removed while it is written to stays open, but has no name any more.
        const file = { bytes: Buffer.from(files.get(path)?.subarray(0, start?.bytes ?? 0) ?? []) };
        files.set(path, file.bytes);
        for await (const chunk of data) {
          if (signal.aborted) throw stopReason(signal);
          const named = files.get(path) === file.bytes;
          file.bytes = Buffer.concat([file.bytes, chunk]);
          if (named) files.set(path, file.bytes);
          onProgress({ bytes: file.bytes.length, crc32: crc32(file.bytes) });
        }
        if (signal.aborted) throw stopReason(signal);
        if (file.bytes.length !== expectedBytes) throw new Error('the test asks for the wrong size');
        return {
          bytes: file.bytes.length,
          crc32: crc32(file.bytes),
          verified: 'size',
          contentVerified: false,
          otherSize: files.get(alsoSize ?? '')?.length,
        };
      },
      async rename(from, to) {
        await ask(`RNTO ${from} ${to}`);
        const content = files.get(from);
        if (!content) throw new FerryError('target_refused', { userMessage: `there is no ${from}` });
        files.delete(from);
        files.set(to, content);
        return content.length;
      },
      async remove(path) {
        await ask(`DELE ${path}`);
        files.delete(path);
      },
      close() {
        if (!closed) target.open -= 1;
        closed = true;
      },
    };
  }
  return target;
}
