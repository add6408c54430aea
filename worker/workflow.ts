/** One run of a transfer under its lease: the six steps, and an end that survives a crash at any point. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { LiveProgress } from '../adapters/cards/progress-card.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import { newReference } from '../core/ids.ts';
import type { Destination, PolicyConfig } from '../core/policy-config.ts';
import type { ObjectStore } from '../core/stores/object-store.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { Tickets } from '../core/tickets.ts';
import type { StepName, Transfer } from '../core/transfer.ts';
import { note } from '../core/transfer-state.ts';
import type { Connections } from './connections.ts';
import { cancelled, completed, failed, putOff } from './endings.ts';
import type { Lease } from './lease.ts';
import { removeLeftovers } from './leftovers.ts';
import { keepMessageCurrent } from './progress-message.ts';
import { RunStop, stopCause } from './run-stop.ts';
import type { SourceGrant } from './source.ts';
import { prepareStreaming, type Streaming, WindowClosed } from './steps/stream.ts';
import { checkTickets } from './steps/tickets.ts';
import { requireDestination, validate } from './steps/validate.ts';
import type { Target } from './target.ts';
import { askAgainAt, closedUntil } from './time-window.ts';
import { watchRun } from './watch.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetry } from './with-retry.ts';

/** Pauses between further looks for the tickets before the transfer is put off, in milliseconds. */
const TICKET_PAUSES = [1_000, 3_000];

/** Runs in a row that may fail to get bytes through before the transfer fails. */
const STREAM_RUNS = 3;

export interface WorkflowDeps {
  readonly store: TransferStore;
  readonly objects: Pick<ObjectStore, 'read' | 'setProgress'>;
  readonly policy: PolicyConfig;
  /** Opens the 10-second session for the requester and this transfer, and obtains S3 credentials with it. */
  readonly openSource: (
    transfer: Transfer,
    signal: AbortSignal,
    /** `check`: only to look at the objects, before there have to be tickets. */
    purpose: 'check' | 'stream',
  ) => Promise<SourceGrant>;
  readonly openTarget: (name: string, destination: Destination) => Target;
  readonly readTicketState: Tickets['readTicketState'];
  /** Brings tickets and cards in step with the record; never throws. */
  readonly settle: (transferId: string) => Promise<void>;
  /** Takes the lock that `settle` needs, with the write that it follows. */
  readonly ahead: (next: Transfer) => Transfer;
  /** Counts a transfer that has ended and is marked as learned, for later predictions. */
  readonly count: (ended: Transfer) => Promise<void>;
  /** Edits the progress message. */
  readonly showProgress: (transferId: string, live: LiveProgress) => Promise<void>;
  readonly connections: Connections;
  readonly leaseMs: number;
  readonly progressMs: number;
  readonly retry?: RetryPolicy;
  /** Runs that one attempt has for what may pass; 3 unless given. */
  readonly streamRuns?: number;
  readonly ticketPauses?: readonly number[];
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * `deferred`: it waits, and the reconciler takes it up again. `stopping`: this process ends and the lease is free.
 * `lease lost`: another worker may be on it.
 */
export type RunOutcome = 'completed' | 'failed' | 'cancelled' | 'deferred' | 'stopping' | 'lease lost';

/** Leaves the steps for a reason that is no fault: waits, or was stopped by a person in ServiceNow. */
class Aside extends Error {
  readonly way: 'wait' | 'cancelled in ServiceNow';
  /** When it can go on, where that is known; epoch milliseconds. */
  readonly until: number | undefined;

  constructor(way: Aside['way'], message: string, until?: number) {
    super(message);
    this.way = way;
    this.until = until;
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());

/**
 * Runs a transfer that was just taken.
 *
 * @param stopping aborts when this process is to end
 * @throws FerryError only when the record cannot be written; the lease then lapses and another run follows
 */
export async function runTransfer(
  deps: WorkflowDeps,
  taken: { readonly transfer: Transfer; readonly lease: Lease },
  stopping: AbortSignal,
): Promise<RunOutcome> {
  const { store, policy, now, objects } = deps;
  const { lease } = taken;
  const { transferId } = lease;
  const retry = deps.retry ?? DEFAULT_RETRY;
  const log = deps.log.child({ transferId, lease: lease.token });
  const control = new AbortController();
  const { signal } = control;
  let transfer = taken.transfer;
  let step: StepName = 'validate';
  let streaming: Streaming | undefined;
  let grant: SourceGrant | undefined;
  /** Steps as they are, where the record does not know yet. */
  let unwritten: Partial<Transfer['steps']> = {};
  /** What this run was granted, and what for. */
  const grants: { purpose: 'check' | 'stream'; openedAt: readonly number[] }[] = [];

  let inPlace = false;

  /** Once every file is in place, nothing is left to cancel or to hand over. */
  const stop = (reason: RunStop) => {
    if (!inPlace || reason.why === 'lease lost') control.abort(reason);
  };
  const onStopping = () => stop(new RunStop('stopping'));
  if (stopping.aborted) onStopping();
  stopping.addEventListener('abort', onStopping, { once: true });
  const watch = watchRun({
    lease,
    store,
    settle: deps.settle,
    stop,
    checkpoints: () => streaming,
    carry: (record) => withRun(record),
    leaseMs: deps.leaseMs,
    now,
    log,
  });

  /** Ends the step at hand and begins the next, to be written down with the next change. */
  function begin(next: StepName): void {
    signal.throwIfAborted();
    const at = now();
    const known = { ...transfer.steps, ...unwritten };
    unwritten = {
      ...unwritten,
      [step]: { ...known[step], endedAt: at },
      [next]: { startedAt: at, attempts: known[next].attempts + 1 },
    };
    step = next;
    log.info({ step }, 'begins');
  }

  /** The record with what only this run knows yet: its steps, and its sessions after those of earlier runs. */
  const withRun = (current: Transfer): Transfer => ({
    ...current,
    steps: { ...current.steps, ...unwritten },
    sessions: [
      ...(taken.transfer.sessions ?? []),
      ...grants.flatMap(({ purpose, openedAt }) => openedAt.map((at) => ({ at, purpose }))),
    ],
  });

  async function writeSteps(): Promise<void> {
    transfer = await withRetry(retry, signal, () => lease.write(withRun));
    unwritten = {};
  }

  const notNow = (open: string) => `${transfer.plan.destination} takes files ${open}.`;

  async function requireTickets(): Promise<void> {
    const tickets = await checkTickets({
      transferId,
      store,
      settle: deps.settle,
      readTicketState: deps.readTicketState,
      pauses: deps.ticketPauses ?? TICKET_PAUSES,
      async pause(ms, until) {
        await writeSteps();
        await pause(ms, until);
      },
      now,
      signal,
    });
    if (tickets.outcome === 'wait') throw new Aside('wait', tickets.reason);
    if (tickets.outcome === 'cancelled') {
      throw new Aside('cancelled in ServiceNow', `Cancelled, as ticket ${tickets.number} was in ServiceNow.`);
    }
    if (transfer.waiting) {
      const text = 'The wait is over.';
      transfer = await lease.write((current) =>
        note({ ...current, waiting: undefined }, { at: now(), by: 'worker', text }),
      );
    }
  }

  async function steps(): Promise<RunOutcome> {
    async function open(purpose: 'check' | 'stream'): Promise<SourceGrant> {
      const opened = await withRetry(retry, signal, () => deps.openSource(transfer, signal, purpose));
      grants.push({ purpose, openedAt: opened.openedAt });
      return opened;
    }
    const openSource = () => open('check');
    log.info({ step }, 'begins');
    signal.throwIfAborted();
    const { window } = requireDestination(policy, transfer);
    const closed = closedUntil(window, now());
    if (window && closed) throw new Aside('wait', notNow(closed), askAgainAt(window, now()));
    const facts = await validate({ transfer, policy, objects, openSource, retry, signal, now: now() });
    begin('tickets');
    await requireTickets();
    begin('authorize');
    grant = await open('stream');
    const { source } = grant;
    begin('stream');
    // Written before the first byte: how often it was begun bounds the tries, and tells that files may be there.
    await writeSteps();
    const { destination: name } = transfer.plan;
    const destination = requireDestination(policy, transfer);
    const target = deps.openTarget(name, destination);
    const { connections } = deps;
    streaming = await prepareStreaming({
      transfer,
      lease,
      destination,
      source,
      target,
      objects,
      connections,
      facts,
      retry,
      signal,
      now,
      log,
    });
    const figures = streaming;
    const message = keepMessageCurrent({
      show: (live) => deps.showProgress(transferId, live),
      live: () => figures.live(),
      everyMs: deps.progressMs,
      log,
    });
    const verified = await streaming
      .run()
      .then((words) => {
        // Before the last edit of the message: whoever cancels during that must not be told that nothing was sent.
        inPlace = true;
        return words;
      })
      .finally(() => message.end());
    begin('update tickets');
    await watch.end();
    const ending = (current: Transfer) => completed(current, now(), verified, streaming?.progress());
    await tell(await withRetry(retry, signal, () => writeEnd(ending)));
    log.info({ step: 'notify' }, 'completed');
    return 'completed';
  }

  const writeEnd = (ending: (current: Transfer) => Transfer) =>
    lease.write((current) => {
      const ended = ending(withRun(current));
      return deps.ahead({ ...ended, learned: ended.status !== 'cancelled' });
    });

  /** Tells everybody how it ended; what cannot be told now is told by the reconciler. */
  async function tell(ended: Transfer): Promise<void> {
    await Promise.all([
      deps.settle(transferId),
      deps.count(ended).catch((error: unknown) => log.warn({ err: error }, 'the outcome was not counted')),
    ]);
  }

  const cleanUp = () => removeLeftovers(deps, { transfer, lease, failed: streaming?.failed() });

  async function cancel(by: string, text: string): Promise<RunOutcome> {
    const left = await cleanUp();
    await watch.end();
    const ended = await writeEnd((current) =>
      cancelled(current, { at: now(), by, text }, streaming?.progress(), left),
    );
    log.info({ left }, 'cancelled');
    await tell(ended);
    return 'cancelled';
  }

  async function fail(thrown: unknown): Promise<RunOutcome> {
    const reference = thrown instanceof FerryError ? undefined : newReference();
    const error = toFerryError(thrown, reference ?? '');
    log.error({ step, code: error.code, reference, err: thrown }, 'failed');
    const left = await cleanUp();
    await watch.end();
    const fault = { step, error, reference, objectsFailed: streaming?.failed().size ?? 0 };
    await tell(await writeEnd((current) => failed(current, now(), fault, streaming?.progress(), left)));
    return 'failed';
  }

  async function defer(
    reason: string,
    { until, brokenRuns }: { readonly until?: number | undefined; readonly brokenRuns?: number } = {},
  ): Promise<RunOutcome> {
    await watch.end();
    await streaming?.save();
    await lease.release((current) => ({
      ...putOff(withRun(current), now(), reason, until),
      ...(brokenRuns !== undefined && { brokenRuns, progress: streaming?.progress() ?? current.progress }),
    }));
    log.warn({ step, reason }, 'put off');
    void deps.settle(transferId);
    return 'deferred';
  }

  async function handOver(): Promise<RunOutcome> {
    await watch.end();
    await streaming?.save();
    await lease.release((current) => ({
      ...withRun(current),
      progress: streaming?.progress() ?? current.progress,
    }));
    log.info({ step }, 'handed over');
    return 'stopping';
  }

  async function end(thrown: unknown): Promise<RunOutcome> {
    if (thrown instanceof FerryError && thrown.code === 'lease_lost') stop(new RunStop('lease lost'));
    switch (stopCause(signal)) {
      case 'lease lost':
        log.warn({ step }, 'another worker may have taken over: leaving it alone');
        return 'lease lost';
      case 'stopping':
        return handOver();
      case 'cancelled': {
        const by = (await store.get(transferId))?.cancelRequested?.by;
        return cancel(by?.userId ?? 'worker', `Cancelled${by ? ` by ${by.name}` : ''}.`);
      }
    }
    if (thrown instanceof WindowClosed) {
      const { window } = requireDestination(policy, transfer);
      const until = window && askAgainAt(window, now());
      return defer(notNow(closedUntil(window, now()) ?? 'again'), { until });
    }
    if (thrown instanceof Aside) {
      return thrown.way === 'wait'
        ? defer(thrown.message, { until: thrown.until })
        : cancel('worker', thrown.message);
    }
    // A session was not renewed, because a person cancelled a ticket in ServiceNow meanwhile.
    if (thrown instanceof FerryError && thrown.code === 'cancelled')
      return cancel('worker', thrown.userMessage);
    // What may pass gets a fresh run later, perhaps by another worker, that goes on where this one stopped.
    const mayPass = thrown instanceof FerryError && thrown.retryable && step === 'stream';
    if (!mayPass) return fail(thrown);
    const { progress, brokenRuns = 0 } = taken.transfer;
    const cameFurther = (streaming?.progress()?.bytesDone ?? 0) > (progress?.bytesDone ?? 0);
    const broken = cameFurther ? 1 : brokenRuns + 1;
    return broken < (deps.streamRuns ?? STREAM_RUNS)
      ? defer(thrown.userMessage, { brokenRuns: broken })
      : fail(thrown);
  }

  log.info({ attempt: transfer.attempt }, 'taken');
  void deps.settle(transferId);
  try {
    if (transfer.cancelRequested) stop(new RunStop('cancelled'));
    return await steps().catch(end);
  } catch (error) {
    if (error instanceof FerryError && error.code === 'lease_lost') return 'lease lost';
    throw error;
  } finally {
    stopping.removeEventListener('abort', onStopping);
    await watch.end();
    await grant?.close();
  }
}
