/** The transfer service: queue, workflow, dead letters and reconciler, wired together and stopped together. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { type LiveProgress, progressCard } from '../adapters/cards/progress-card.ts';
import { clientFor } from '../adapters/chat-client.ts';
import { createFoundation, openTables } from '../adapters/foundation.ts';
import { chatClients } from '../adapters/platforms.ts';
import type { WorkerConfig } from '../core/config.ts';
import { postedAs } from '../core/due-work.ts';
import { createExpiry } from '../core/expiry.ts';
import { startHealthServer } from '../core/health.ts';
import { createMetrics, NO_METRICS } from '../core/metrics.ts';
import { createQueueClient } from '../core/queue.ts';
import { createSecretResolver, createSecretsClient } from '../core/secrets.ts';
import { createNoteStore } from '../core/stores/note-store.ts';
import { flushTraces } from '../core/tracing.ts';
import { createConnections } from './connections.ts';
import { createConsumer } from './consumer.ts';
import { createDeadLetters } from './dead-letters.ts';
import { type FollowUpDeps, followUp } from './follow-up.ts';
import { createFtpTarget } from './ftp-target.ts';
import { createLeases } from './lease.ts';
import { createPartMemory } from './part-memory.ts';
import { createReconciler } from './reconciler.ts';
import { createS3Source } from './s3-source.ts';
import { createScaleInProtection } from './scale-in.ts';
import { createThrottles } from './throttle.ts';
import { runTransfer, type WorkflowDeps } from './workflow.ts';

/** How long one request to SQS may take: well above a poll of 3 s, so that a queue that hangs is soon known; milliseconds. */
const REQUEST_MS = 10_000;

export interface RunningWorker {
  /** Of `/healthz` and `/readyz`. */
  readonly port: number;
  /** Takes nothing new, hands over what is under way, and closes. */
  stop(): Promise<void>;
}

export async function startWorker(
  config: WorkerConfig,
  log: Logger,
  now: () => number = Date.now,
): Promise<RunningWorker> {
  const { env, policy } = config;
  const tables = openTables(env, now);
  const clients = await chatClients(env, { notes: createNoteStore(tables), log, now });
  const metrics = env.LOG_FORMAT === 'json' ? createMetrics({ service: 'worker', now }) : NO_METRICS;
  const base = createFoundation(config, { tables, clients, log, now, by: 'reconciler', metrics });
  const { transfers: store, objects, settler, tickets } = base;
  const { settle } = settler;
  const resolveSecret = createSecretResolver({
    environment: config.secretsFrom,
    secretsManager: () => createSecretsClient(env.AWS_REGION),
  });

  async function showProgress(transferId: string, live: LiveProgress): Promise<void> {
    const transfer = await store.get(transferId);
    if (transfer?.status !== 'running') return;
    const posted = postedAs(transfer, 'progress');
    // A crash or an outage kept it away, and the reconciler leaves records alone whose lease is renewed.
    if (!posted) return settle(transferId);
    await clientFor(clients, posted.ref)?.update(posted.ref, progressCard(transfer, now(), { live }));
  }

  const memory = createPartMemory();
  const throttleOf = createThrottles();
  const afterwards: FollowUpDeps = { settle, learn: (id) => base.learning.learn(id) };
  const tell = (transferId: string) => followUp(afterwards, transferId, log);
  const workflow: WorkflowDeps = {
    store,
    settle,
    ahead: settler.ahead,
    count: (ended) => base.learning.count(ended),
    now,
    objects,
    policy,
    async openSource(transfer, signal, purpose) {
      const { keys } = await base.loadScope(transfer);
      const grant = await (purpose === 'check'
        ? base.s3Access.forCheck(transfer, keys, signal)
        : base.s3Access.forTransfer(transfer, keys, signal));
      const source = createS3Source({ client: async () => grant.client, memory, log });
      return {
        source,
        openedAt: grant.openedAt,
        async close() {
          source.close();
          await grant.close();
        },
      };
    },
    openTarget: (name, destination) =>
      createFtpTarget(destination, () => resolveSecret(destination.password), log, {
        name,
        throttle: throttleOf(name, destination.bytesPerSecond),
        ...(destination.ca === undefined ? {} : { ca: () => resolveSecret(destination.ca ?? '') }),
      }),
    readTicketState: (transfer, signal) => tickets.readTicketState(transfer, signal),
    showProgress,
    connections: createConnections(),
    leaseMs: env.LEASE_SECONDS * 1_000,
    progressMs: env.PROGRESS_SECONDS * 1_000,
    log,
  };

  const client = createQueueClient({
    region: env.AWS_REGION,
    requestMs: REQUEST_MS,
    ...(env.AWS_ENDPOINT_URL_SQS ? { endpoint: env.AWS_ENDPOINT_URL_SQS } : {}),
  });
  const leases = createLeases({
    store,
    owner: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    leaseMs: workflow.leaseMs,
    ahead: settler.ahead,
    now,
  });
  const stopping = new AbortController();
  const queues = {
    client,
    deadLetterUrl: env.DEAD_LETTER_QUEUE_URL,
    visibilitySeconds: env.LEASE_SECONDS,
    leases,
    followUp: tell,
    now,
    log,
  };
  const protection = createScaleInProtection({ agentUri: env.ECS_AGENT_URI, log });
  const consumer = createConsumer({
    ...queues,
    queueUrl: env.QUEUE_URL,
    concurrency: env.WORKER_CONCURRENCY,
    waited: (queueAge) => metrics.add({ queueAge }),
    run: (taken, signal) => protection.during(() => runTransfer(workflow, taken, signal)),
    stopping: stopping.signal,
  });
  const deadLetters = createDeadLetters({ ...queues, objects, policy, openTarget: workflow.openTarget });
  const reconciler = createReconciler({
    store,
    expiry: createExpiry({ transfers: store, now }),
    dispatch: base.dispatch,
    queue: base.queue,
    settle,
    followUp: tell,
    everyMs: env.RECONCILE_SECONDS * 1_000,
    now,
    log,
  });

  const health = await startHealthServer({
    port: env.HEALTH_PORT,
    checks: base.checks,
    told: base.waitsFor,
  });
  consumer.start();
  deadLetters.start();
  reconciler.start();

  return {
    port: health.port,
    async stop() {
      stopping.abort();
      await Promise.all([protection.release(), consumer.stop(), deadLetters.stop(), reconciler.stop()]);
      await settler.idle();
      await health.close();
      base.s3Access.close();
      client.destroy();
      metrics.flush();
      await flushTraces().catch((err: unknown) => log.warn({ err }, 'the last spans were not sent'));
    },
  };
}
