/** The step that moves the bytes: a few connections, each carrying one object after another. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { LiveProgress } from '../../adapters/cards/progress-card.ts';
import { type ErrorCode, FerryError, toFerryError } from '../../core/errors.ts';
import type { Destination } from '../../core/policy-config.ts';
import { shownText } from '../../core/shown-text.ts';
import type { ObjectStore } from '../../core/stores/object-store.ts';
import type { Transfer } from '../../core/transfer.ts';
import { abortWith } from '../abort-with.ts';
import { type Cargo, type Carrying, saveCheckpoint } from '../cargo.ts';
import { carry } from '../carry.ts';
import type { Connections } from '../connections.ts';
import type { Lease } from '../lease.ts';
import { createObjectQueue } from '../object-queue.ts';
import { createProgress } from '../progress.ts';
import type { Source, SourceFacts } from '../source.ts';
import type { Target, TargetSession } from '../target.ts';
import { TEMP_SUFFIX } from '../target-name.ts';
import { closedUntil } from '../time-window.ts';
import type { Checkpoints } from '../watch.ts';
import { type RetryPolicy, withRetry } from '../with-retry.ts';

/** An object that did not arrive. */
export interface FailedObject {
  readonly index: number;
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Streaming extends Checkpoints {
  live(): LiveProgress;
  /** The objects that did not arrive, by index. */
  failed(): ReadonlyMap<number, FailedObject>;
  /**
   * Carries every object that is not done. What concerns one object only leaves the others alone; what concerns the
   * destination stops them all.
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
  /** What the source said of the objects when they were checked, by index. */
  readonly facts: ReadonlyMap<number, SourceFacts>;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly log: Logger;
}

/** Faults of one object, after which the others may still arrive. */
const OF_ONE_OBJECT: ReadonlySet<ErrorCode> = new Set([
  'bad_input',
  'not_found',
  'source_archived',
  'source_changed',
  'source_unreadable',
  'target_exists',
  'target_refused',
  'verification_failed',
]);
/** So many in a row, with nothing in between that arrived, are no longer faults of single objects. */
const MOST_IN_A_ROW = 10;
/** Objects that are named in the message. */
const NAMED = 5;
/** Longest wait for a connection's work to end after everything was stopped, in milliseconds. */
const END_MS = 2_000;

/** The destination's window closed: what was under way is in its place, the rest waits. */
export class WindowClosed extends Error {}

/** The server takes no more connections, but this run has others. */
class Crowded extends Error {}

/** Several objects' faults as one. */
function manyFailed(failed: readonly FailedObject[], of: number): FerryError {
  const [first] = failed;
  const names = failed.slice(0, NAMED).map(({ key }) => shownText(key, 100));
  const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : '';
  return new FerryError(first?.code ?? 'internal', {
    userMessage: `${failed.length} of ${of} files did not arrive: ${names.join(', ')}${more}. The first one: ${first?.message ?? ''}`,
  });
}

/** Looks at what is done already, and prepares to do the rest. */
export async function prepareStreaming(deps: StreamDeps): Promise<Streaming> {
  const { transfer, lease, destination, objects, connections } = deps;
  const { plan } = transfer;
  const verified = new Set<string>();
  const chosen = new Set<string>();
  const planned = new Set<string>();
  const before = { objects: 0, bytes: 0 };
  for await (const { progress, size, targetPath } of objects.read(transfer)) {
    // Only where names are numbered can they meet: planned ones differ.
    if (plan.existing === 'rename') planned.add(targetPath);
    if (progress.state !== 'done') continue;
    before.objects += 1;
    before.bytes += size;
    verified.add(progress.verified);
    if (plan.existing === 'rename') chosen.add(progress.finalPath);
  }

  const queue = createObjectQueue(objects, transfer);
  const isClosed = () => closedUntil(destination.window, deps.now()) !== undefined;
  const progress = createProgress(plan.totalBytes, before, deps.now);
  const stopAll = new AbortController();
  const { signal } = stopAll;
  abortWith(stopAll, deps.signal);
  const underWay = new Set<Cargo>();
  const failed = new Map<number, FailedObject>();
  let firstFault: unknown;
  let inARow = 0;
  let lanesOpen = 0;

  const run: Carrying = {
    transfer,
    lease,
    objects,
    source: deps.source,
    signal,
    names: { existing: plan.existing, chosen, planned },
    onProgress: (index, stored) => progress.moved(index, stored.bytes),
    factsOf: (index) => deps.facts.get(index),
    tempSuffix: destination.tempSuffix ?? TEMP_SUFFIX,
    preserveTime: destination.preserveTime ?? false,
    now: deps.now,
    log: deps.log,
  };

  /** One connection's work: objects until there are none, or until somebody else waits for a connection. */
  async function lane(): Promise<'go on' | 'close'> {
    let session: TargetSession | undefined;
    /** Taken while the one before was being put in its place. */
    let following: Promise<Cargo | undefined> | undefined;
    // Control commands take no signal: closing the connection is what ends them.
    const hangUp = () => session?.close();
    signal.addEventListener('abort', hangUp, { once: true });

    async function connect(): Promise<TargetSession> {
      try {
        return await deps.target.connect(signal);
      } catch (error) {
        if (!(error instanceof FerryError) || error.code !== 'throttled') throw error;
        connections.shrink(plan.destination);
        throw lanesOpen > 1 ? new Crowded() : error;
      }
    }

    function take(): Promise<Cargo | undefined> {
      const taken = following ?? queue.take();
      following = undefined;
      return taken;
    }

    async function nextTarget(): Promise<string | undefined> {
      if (connections.isWanted(plan.destination)) return undefined;
      following ??= queue.take();
      // What failed is told when it is taken.
      const next = await following.catch(() => undefined);
      return next?.state.state === 'pending' ? next.object.targetPath : undefined;
    }

    /** Gives back what was taken and not begun. */
    async function giveBack(): Promise<void> {
      const left = await following;
      following = undefined;
      if (left) queue.putBack(left);
    }

    async function attempt(cargo: Cargo): Promise<void> {
      const { index, size } = cargo.object;
      try {
        session ??= await connect();
        signal.throwIfAborted();
        const done = await carry(run, session, cargo, nextTarget);
        verified.add(done.verified);
        progress.finished(index, size);
        inARow = 0;
      } catch (error) {
        hangUp();
        session = undefined;
        if (!signal.aborted) progress.dropped(index);
        throw error;
      }
    }

    /** Writes a failure down; stops everything unless it concerns this object only. */
    function fail({ object: { index, key } }: Cargo, error: unknown): void {
      const { code, userMessage } = toFerryError(error, '');
      failed.set(index, { index, key, code, message: userMessage });
      firstFault ??= error;
      inARow += 1;
      deps.log.warn({ index, code, err: error }, 'an object did not arrive');
      const alone = plan.objectCount > 1 && error instanceof FerryError && OF_ONE_OBJECT.has(code);
      if (!alone || inARow >= MOST_IN_A_ROW) {
        stopAll.abort(error);
        throw error;
      }
    }

    async function deliver(cargo: Cargo): Promise<void> {
      const { index } = cargo.object;
      underWay.add(cargo);
      try {
        await withRetry(
          deps.retry,
          signal,
          () => attempt(cargo),
          (error, next) => deps.log.warn({ index, code: error.code, try: next, err: error }, 'trying again'),
        );
        underWay.delete(cargo);
      } catch (error) {
        if (signal.aborted) throw error;
        if (!(error instanceof Crowded)) return fail(cargo, error);
        underWay.delete(cargo);
        queue.putBack(cargo);
        throw error;
      }
    }

    lanesOpen += 1;
    try {
      if (isClosed()) return 'close';
      for (let cargo = await take(); cargo; cargo = await take()) {
        await deliver(cargo);
        const closed = isClosed();
        if (!closed && !connections.isWanted(plan.destination)) continue;
        await giveBack();
        return closed ? 'close' : 'go on';
      }
      return 'close';
    } catch (error) {
      if (!(error instanceof Crowded)) throw error;
      await giveBack();
      deps.log.info(
        { destination: plan.destination },
        'the server takes no more connections: fewer are used',
      );
      return 'close';
    } finally {
      lanesOpen -= 1;
      signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  }

  const begun = new Set<Promise<unknown>>();
  const trackedLane = () => {
    const ended = lane();
    begun.add(ended);
    return ended;
  };

  async function lanes(): Promise<void> {
    const order = { priority: plan.priority === 'high' ? 1 : 0, signal };
    const { maxConnections } = destination;
    while (queue.hasMore()) {
      if ((await connections.use(plan.destination, maxConnections, order, trackedLane)) === 'close') return;
    }
  }

  return {
    live: () => progress.live(),
    progress: () => ({ ...progress.onRecord(), objectsFailed: failed.size }),
    failed: () => failed,

    async save() {
      for (const cargo of underWay) if (!failed.has(cargo.object.index)) await saveCheckpoint(run, cargo);
    },

    async run() {
      const count = Math.max(1, Math.min(destination.maxConnections, plan.objectCount - before.objects));
      let ends = await Promise.allSettled(Array.from({ length: count }, lanes));
      // What a crowded lane gave back after the others had ended.
      while (queue.hasMore() && !signal.aborted && !isClosed())
        ends = [...ends, ...(await Promise.allSettled([lanes()]))];
      // What was stopped is not waited for above, and may be in the middle of a rename or of a note.
      if (signal.aborted) {
        await Promise.race([Promise.allSettled(begun), delay(END_MS, undefined, { ref: false })]);
      }
      deps.signal.throwIfAborted();
      if (stopAll.signal.aborted) throw stopAll.signal.reason;
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      // A window that closes behind the last file is no matter.
      if (isClosed() && (await queue.take())) throw new WindowClosed();
      if (failed.size === 1) throw firstFault;
      if (failed.size > 1) throw manyFailed([...failed.values()], plan.objectCount);
      return [...verified].sort().join(', ') || 'size';
    },
  };
}
