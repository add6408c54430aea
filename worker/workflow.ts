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
import { followUp } from './follow-up.ts';
import type { Lease } from './lease.ts';
import { removeLeftovers } from './leftovers.ts';
import { keepMessageCurrent } from './progress-message.ts';
import { RunStop, stopCause } from './run-stop.ts';
import type { SourceGrant } from './source.ts';
import { prepareStreaming, type Streaming } from './steps/stream.ts';
import { checkTickets } from './steps/tickets.ts';
import { requireDestination, validate } from './steps/validate.ts';
import type { Target } from './target.ts';
import { closedUntil } from './time-window.ts';
import { watchRun } from './watch.ts';
import { DEFAULT_RETRY, type RetryPolicy, withRetry } from './with-retry.ts';

/** Pauses between further looks for the tickets before the transfer is put off, in milliseconds. */
const TICKET_PAUSES = [1_000, 3_000];

/** Runs in which the bytes may fail to get through before the transfer fails. */
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
  /** Counts an ended transfer for later predictions. */
  readonly learn: (transferId: string) => Promise<unknown>;
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

  constructor(way: Aside['way'], message: string) {
    super(message);
    this.way = way;
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
    stop,
    checkpoints: () => streaming,
    leaseMs: deps.leaseMs,
    now,
    log,
  });

  /** Ends the step at hand, if it began, and begins the next. */
  async function begin(next: StepName, text?: string): Promise<void> {
    signal.throwIfAborted();
    const ended = step;
    step = next;
    log.info({ step }, 'begins');
    const beginning = (current: Transfer): Transfer => {
      const at = now();
      const steps = { ...current.steps };
      if (ended !== next) steps[ended] = { ...steps[ended], endedAt: at };
      steps[next] = { startedAt: at, attempts: steps[next].attempts + 1 };
      const progress = streaming?.progress() ?? current.progress;
      const changed = { ...current, steps, progress };
      return text === undefined ? changed : note(changed, { at, by: 'worker', text });
    };
    transfer = await withRetry(retry, signal, () => lease.write(beginning));
  }

  async function requireTickets(): Promise<void> {
    const tickets = await checkTickets({
      transferId,
      store,
      settle: deps.settle,
      readTicketState: deps.readTicketState,
      pauses: deps.ticketPauses ?? TICKET_PAUSES,
      pause,
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
    const open = (purpose: 'check' | 'stream') =>
      withRetry(retry, signal, () => deps.openSource(transfer, signal, purpose));
    const openSource = () => open('check');
    await begin('validate');
    const closed = closedUntil(requireDestination(policy, transfer).window, now());
    if (closed) throw new Aside('wait', `${transfer.plan.destination} takes files ${closed}.`);
    const facts = await validate({ transfer, policy, objects, openSource, retry, signal, now: now() });
    await begin('tickets');
    await requireTickets();
    await begin('authorize');
    grant = await open('stream');
    const { source } = grant;
    await begin('stream');
    const { destination: name } = transfer.plan;
    const destination = requireDestination(policy, transfer);
    const target = deps.openTarget(name, destination);
    const { connections } = deps;
    streaming = await prepareStreaming({
      ...{
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
      },
    });
    const figures = streaming;
    const message = keepMessageCurrent({
      show: (live) => deps.showProgress(transferId, live),
      live: () => figures.live(),
      everyMs: deps.progressMs,
      log,
    });
    const verified = await streaming.run().finally(() => message.end());
    inPlace = !signal.aborted;
    const count = transfer.plan.objectCount;
    await begin('update tickets', `${count === 1 ? 'The file is' : `All ${count} files are`} in place.`);
    await deps.settle(transferId);
    return complete(verified);
  }

  async function complete(verified: string): Promise<RunOutcome> {
    signal.throwIfAborted();
    await watch.end();
    await lease.write((current) => completed(current, now(), verified, streaming?.progress()));
    log.info({ step: 'notify' }, 'completed');
    await followUp(deps, transferId, log);
    return 'completed';
  }

  const cleanUp = () => removeLeftovers(deps, { transfer, lease, failed: streaming?.failed() });

  async function cancel(by: string, text: string): Promise<RunOutcome> {
    const left = await cleanUp();
    await watch.end();
    await lease.write((current) => cancelled(current, { at: now(), by, text }, streaming?.progress(), left));
    log.info({ left }, 'cancelled');
    await followUp(deps, transferId, log);
    return 'cancelled';
  }

  async function fail(thrown: unknown): Promise<RunOutcome> {
    const reference = thrown instanceof FerryError ? undefined : newReference();
    const error = toFerryError(thrown, reference ?? '');
    log.error({ step, code: error.code, reference, err: thrown }, 'failed');
    const left = await cleanUp();
    await watch.end();
    const fault = { step, error, reference, objectsFailed: streaming?.failed().size ?? 0 };
    await lease.write((current) => failed(current, now(), fault, streaming?.progress(), left));
    await followUp(deps, transferId, log);
    return 'failed';
  }

  async function defer(reason: string): Promise<RunOutcome> {
    await watch.end();
    await streaming?.save();
    await lease.release((current) => putOff(current, now(), reason));
    log.warn({ step, reason }, 'put off');
    void deps.settle(transferId);
    return 'deferred';
  }

  async function handOver(): Promise<RunOutcome> {
    await watch.end();
    await streaming?.save();
    await lease.release((current) => ({ ...current, progress: streaming?.progress() ?? current.progress }));
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
    if (thrown instanceof Aside) {
      return thrown.way === 'wait' ? defer(thrown.message) : cancel('worker', thrown.message);
    }
    // What may pass gets a fresh run later, perhaps by another worker, that goes on where this one stopped.
    const mayPass = thrown instanceof FerryError && thrown.retryable && step === 'stream';
    if (mayPass && transfer.steps.stream.attempts < (deps.streamRuns ?? STREAM_RUNS)) {
      return defer(thrown.userMessage);
    }
    return fail(thrown);
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
