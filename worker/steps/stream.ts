/** The step that moves the bytes: a few connections, each carrying one object after another. */
import type { Logger } from 'pino';
import type { LiveProgress } from '../../adapters/cards/progress-card.ts';
import { toFerryError } from '../../core/errors.ts';
import type { Destination } from '../../core/policy-config.ts';
import type { ObjectStore } from '../../core/stores/object-store.ts';
import type { Transfer } from '../../core/transfer.ts';
import { type Cargo, type Carrying, cargoOf, carry, saveCheckpoint } from '../carry.ts';
import type { Connections } from '../connections.ts';
import type { Lease } from '../lease.ts';
import { createProgress } from '../progress.ts';
import type { Source } from '../source.ts';
import type { StoreProgress, Target, TargetSession } from '../target.ts';
import type { Checkpoints } from '../watch.ts';
import { type RetryPolicy, withRetry } from '../with-retry.ts';

/** The object that ended a run. */
export interface FailedObject {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

export interface Streaming extends Checkpoints {
  live(): LiveProgress;
  /** The object whose failure ended the step. */
  failed(): FailedObject | undefined;
  /**
   * Carries every object that is not done; the first failure stops the others.
   *
   * @returns what was verified, in words
   * @throws FerryError
   */
  run(): Promise<string>;
}

export interface StreamDeps {
  readonly transfer: Transfer;
  readonly lease: Lease;
  readonly destination: Destination;
  readonly source: Source;
  readonly target: Target;
  readonly objects: Pick<ObjectStore, 'read' | 'setProgress'>;
  readonly connections: Connections;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly log: Logger;
}

/** Reads what is still to be done, and prepares to do it. */
export async function prepareStreaming(deps: StreamDeps): Promise<Streaming> {
  const { transfer, lease, destination, objects, connections } = deps;
  const { plan } = transfer;
  const waiting: Cargo[] = [];
  const verified = new Set<string>();
  const chosen = new Set<string>();
  const before = { objects: 0, bytes: 0 };
  for await (const object of objects.read(transfer)) {
    const state = object.progress;
    if (state.state === 'done') {
      before.objects += 1;
      before.bytes += object.size;
      verified.add(state.verified);
      chosen.add(state.finalPath);
    } else waiting.push(cargoOf(object));
  }
  waiting.reverse();

  const progress = createProgress(plan.totalBytes, before, deps.now);
  const firstFailure = new AbortController();
  const signal = AbortSignal.any([deps.signal, firstFailure.signal]);
  const underWay = new Map<number, { cargo: Cargo; stored: StoreProgress }>();
  let failed: FailedObject | undefined;

  const run: Carrying = {
    transfer,
    lease,
    objects,
    source: deps.source,
    signal,
    chosen,
    onProgress(index, stored) {
      const item = underWay.get(index);
      if (item) item.stored = { bytes: stored.bytes, crc32: stored.crc32 };
      progress.moved(index, stored.bytes);
    },
  };

  /** One connection's work: objects until there are none, or until somebody else waits for a connection. */
  async function lane(): Promise<void> {
    let session: TargetSession | undefined;
    // Control commands take no signal: closing the connection is what ends them.
    const hangUp = () => session?.close();
    signal.addEventListener('abort', hangUp, { once: true });

    async function attempt(cargo: Cargo): Promise<void> {
      const { index, size } = cargo.object;
      try {
        session ??= await deps.target.connect(signal);
        signal.throwIfAborted();
        const done = await carry(run, session, cargo);
        verified.add(done.verified);
        progress.finished(index, size);
      } catch (error) {
        hangUp();
        session = undefined;
        if (!signal.aborted) progress.dropped(index);
        throw error;
      }
    }

    async function deliver(cargo: Cargo): Promise<void> {
      const { index } = cargo.object;
      underWay.set(index, { cargo, stored: { bytes: 0, crc32: 0 } });
      try {
        await withRetry(
          deps.retry,
          signal,
          () => attempt(cargo),
          (error, next) => deps.log.warn({ index, code: error.code, try: next, err: error }, 'trying again'),
        );
        underWay.delete(index);
      } catch (error) {
        if (!signal.aborted) {
          const { code, userMessage } = toFerryError(error, '');
          failed = { index, code, message: userMessage };
          firstFailure.abort(error);
        }
        throw error;
      }
    }

    try {
      for (let cargo = waiting.pop(); cargo; cargo = waiting.pop()) {
        await deliver(cargo);
        if (connections.isWanted(plan.destination)) return;
      }
    } finally {
      signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  }

  async function lanes(): Promise<void> {
    const order = { priority: plan.priority === 'high' ? 1 : 0, signal };
    while (waiting.length > 0) {
      await connections.use(plan.destination, destination.maxConnections, order, lane);
    }
  }

  return {
    live: () => progress.live(),
    progress: () => progress.onRecord(),
    failed: () => failed,

    async save() {
      for (const { cargo, stored } of underWay.values()) await saveCheckpoint(run, cargo, stored);
    },

    async run() {
      const count = Math.min(destination.maxConnections, waiting.length);
      const ends = await Promise.allSettled(Array.from({ length: count }, lanes));
      deps.signal.throwIfAborted();
      if (firstFailure.signal.aborted) throw firstFailure.signal.reason;
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      return [...verified].sort().join(', ') || 'size';
    },
  };
}
