/** A worker's surroundings for tests: real stores, with tickets, thread and both ends of the transfer in memory. */
import { type Logger, pino } from 'pino';
import type { LiveProgress } from '../../adapters/cards/progress-card.ts';
import { createSettler } from '../../adapters/settle.ts';
import { wantedRoles } from '../../core/due-work.ts';
import { createLearning } from '../../core/learning.ts';
import { createLearningStore } from '../../core/stores/learning-store.ts';
import { createObjectStore, pagesOf } from '../../core/stores/object-store.ts';
import { createTransferStore } from '../../core/stores/transfer-store.ts';
import type { Tickets } from '../../core/tickets.ts';
import { hashPlan, type PlannedObject, type Transfer, type TransferPlan } from '../../core/transfer.ts';
import { isEnded, lastSeq, move } from '../../core/transfer-state.ts';
import { createConnections } from '../../worker/connections.ts';
import { followUp } from '../../worker/follow-up.ts';
import { createLeases } from '../../worker/lease.ts';
import { type RunOutcome, runTransfer, type WorkflowDeps } from '../../worker/workflow.ts';
import type { TestDynamoDb } from './dynamodb.ts';
import { type MemorySource, type MemoryTarget, memorySource, memoryTarget } from './memory-ends.ts';
import { bob, policy, proposal } from './transfers.ts';

export interface RigOptions {
  readonly owner?: string;
  readonly leaseMs?: number;
  readonly changes?: Partial<WorkflowDeps>;
}

export interface WorkerRig {
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  /** ServiceNow as the workflow sees it. */
  readonly serviceNow: { down: boolean; cancelledTicket?: string };
  readonly log: Logger;
  /** Parsed log lines. */
  readonly lines: Record<string, unknown>[];
  readonly edits: LiveProgress[];
  readonly store: ReturnType<typeof createTransferStore>;
  readonly objects: ReturnType<typeof createObjectStore>;
  readonly learning: ReturnType<typeof createLearning>;
  readonly settle: (transferId: string) => Promise<void>;
  readonly followUp: (transferId: string) => Promise<void>;
  leases(options?: RigOptions): ReturnType<typeof createLeases>;
  deps(options?: RigOptions): WorkflowDeps;
  /** Takes a transfer and runs it. */
  run(transfer: Transfer, options?: RigOptions, stopping?: AbortSignal): Promise<RunOutcome>;
  /** A transfer that Bob approved and that is on the queue. */
  queued(objects: readonly PlannedObject[], plan?: Partial<TransferPlan>): Promise<Transfer>;
  /** One that has ended, as Retry leaves it: on its second attempt. */
  queuedAgain(transfer: Transfer): Promise<Transfer>;
  get(transferId: string): Promise<Transfer>;
  /** As if the worker on it had died: nobody renews its lease any more. */
  letLeaseLapse(transferId: string): Promise<void>;
  /** Temporary files at the destination. */
  temporaryFiles(): string[];
}

/**
 * Call it inside a test or a hook, with the suite's database.
 *
 * @param settling.lockMs how long a process that died while settling holds others up
 */
export function createWorkerRig(
  db: TestDynamoDb,
  now: () => number = Date.now,
  settling: { readonly lockMs?: number } = {},
): WorkerRig {
  const tables = { client: db.documents, tablePrefix: db.prefix, now };
  const store = createTransferStore(tables);
  const objects = createObjectStore(tables);
  const learning = createLearning({ transfers: store, store: createLearningStore(tables), now: tables.now });
  const source = memorySource();
  const target = memoryTarget();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const serviceNow: WorkerRig['serviceNow'] = { down: false };
  const edits: LiveProgress[] = [];
  const connections = createConnections();

  const { settle, ahead } = createSettler({
    store,
    lockMs: settling.lockMs ?? 60_000,
    now,
    log,
    async syncTickets(transfer) {
      if (serviceNow.down) {
        return { tickets: transfer.tickets, ticketsDelayed: { since: now(), reason: 'down' } };
      }
      const ticket = (number: string) => ({
        number,
        sysId: `${transfer.transferId}-${number}`,
        notedThrough: lastSeq(transfer),
        closed: isEnded(transfer.status),
      });
      return { tickets: { user: ticket('INC1'), audit: ticket('INC2') } };
    },
    async syncCards(transfer) {
      const messages = wantedRoles(transfer).map((role) => ({
        role,
        ...(role === 'outcome' ? { attempt: transfer.attempt } : {}),
        ref: { thread: transfer.thread, messageId: role },
        shownThrough: lastSeq(transfer),
      }));
      return { messages, thread: transfer.thread, unsure: false };
    },
  });

  const readTicketState: Tickets['readTicketState'] = async () => {
    if (serviceNow.down) return { outcome: 'unknown', reason: 'down' };
    const { cancelledTicket: number } = serviceNow;
    return number ? { outcome: 'cancelled', kind: 'user', number } : { outcome: 'open' };
  };

  const rig: WorkerRig = {
    source,
    target,
    serviceNow,
    log,
    lines,
    edits,
    store,
    objects,
    learning,
    settle,
    followUp: (transferId) => followUp({ settle, learn: (id) => learning.learn(id) }, transferId, log),

    leases: ({ owner = 'worker-1', leaseMs = 30_000 } = {}) =>
      createLeases({ store, owner, leaseMs, ahead, now }),

    deps: ({ leaseMs = 30_000, changes = {} } = {}) => ({
      store,
      objects,
      policy,
      openSource: async () => ({ source, openedAt: [now()], close: async () => {} }),
      openTarget: () => target,
      readTicketState,
      settle,
      ahead,
      count: (ended) => learning.count(ended),
      showProgress: async (_id, live) => void edits.push(live),
      connections,
      leaseMs,
      progressMs: 10,
      retry: { tries: 3, pauseMs: () => 1 },
      ticketPauses: [1],
      now,
      log,
      ...changes,
    }),

    async run(transfer, options = {}, stopping = new AbortController().signal) {
      const taken = await rig.leases(options).take(transfer.transferId, transfer.attempt);
      if (taken.outcome !== 'taken') throw new Error(`not taken: ${taken.outcome}`);
      return runTransfer(rig.deps(options), taken, stopping);
    },

    async queuedAgain({ transferId }) {
      const { transfer } = await store.change(transferId, (current) => ({
        next: { ...current, status: 'queued', attempt: 2 },
        result: undefined,
      }));
      return transfer;
    },

    async queued(planned, planChanges = {}) {
      const at = now();
      const base = proposal({ createdAt: at, approvalExpiresAt: at + 3_600_000 }, [...planned]);
      const plan = { ...base.plan, ...planChanges };
      const planHash = hashPlan(plan);
      const decision = { outcome: 'approved', by: bob, at, planHash } as const;
      const approved = move({ ...base, plan, planHash, decision }, 'approved', {
        at,
        by: bob.userId,
        text: 'Approved by Bob.',
      });
      const transfer = {
        ...move(approved, 'queued', { at, by: 'bot', text: 'On the queue for a worker.' }),
        queuedAt: at,
      };
      await objects.write(transfer.transferId, planned, pagesOf(transfer));
      await store.create(transfer);
      return transfer;
    },

    async get(transferId) {
      const transfer = await store.get(transferId);
      if (!transfer) throw new Error(`there is no ${transferId}`);
      return transfer;
    },

    async letLeaseLapse(transferId) {
      await store.change(transferId, (current) => {
        if (!current.lease) throw new Error('it has no lease');
        return { next: { ...current, lease: { ...current.lease, expiresAt: now() - 1 } }, result: undefined };
      });
    },

    temporaryFiles: () => [...target.files.keys()].filter((path) => path.includes('/.fileferry-')),
  };
  return rig;
}
