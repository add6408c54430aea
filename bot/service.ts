/** The chat service: receivers, inbox, planner and approvals, wired together and stopped together. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { clientFor } from '../adapters/chat-client.ts';
import { type ChatEvent, chatEventSchema } from '../adapters/chat-event.ts';
import { createFoundation, openTables } from '../adapters/foundation.ts';
import { chatConnections } from '../adapters/platforms.ts';
import { createCancellation } from '../core/cancel.ts';
import type { BotConfig } from '../core/config.ts';
import { type Checks, healthRoutes } from '../core/health.ts';
import { createHitRate } from '../core/hit-rate.ts';
import { createLinkedAccounts } from '../core/linked-accounts.ts';
import { createMetrics, NO_METRICS } from '../core/metrics.ts';
import { createProposals } from '../core/proposal.ts';
import { createRecheck } from '../core/recheck.ts';
import { createRetries } from '../core/retry.ts';
import { createIamClient, createRoleProof } from '../core/role-proof.ts';
import { createS3Browse, type S3Browse } from '../core/s3-browse.ts';
import { createFileCacheStore } from '../core/stores/file-cache-store.ts';
import { createNoteStore } from '../core/stores/note-store.ts';
import { createTurnStore } from '../core/stores/turn-store.ts';
import { createUserContextStore } from '../core/stores/user-context-store.ts';
import { channelRef } from '../core/thread-ref.ts';
import { flushTraces } from '../core/tracing.ts';
import { createApprovals } from './approvals.ts';
import { pressButton } from './buttons.ts';
import { createConversation } from './conversation.ts';
import { createInbox } from './inbox.ts';
import { createPlanners } from './planners.ts';
import { startBotServer } from './server.ts';
import { createTurnMemory } from './turn-memory.ts';

/** How long turns under way may take once the bot is asked to stop, in milliseconds. */
const DRAIN_MS = 20_000;

export interface RunningBot {
  /** Where it answers HTTP. */
  readonly port: number;
  /** Takes over turns that an ended process left, and resolves when none is under way. */
  finishTurns(): Promise<void>;
  /** Takes nothing new, finishes what is under way, and closes. */
  stop(): Promise<void>;
}

export async function startBot(
  config: BotConfig,
  log: Logger,
  now: () => number = Date.now,
): Promise<RunningBot> {
  const { env, policy } = config;
  const tables = openTables(env, now);
  const notes = createNoteStore(tables);
  const { clients, receivers } = await chatConnections(env, { notes, log, now });
  const linked = createLinkedAccounts(notes);
  const metrics = env.LOG_FORMAT === 'json' ? createMetrics({ service: 'bot', now }) : NO_METRICS;
  const base = createFoundation(config, { tables, clients, log, now, by: 'bot', metrics });
  const { transfers, objects, settler, dispatch, learning } = base;

  const fileCache = createHitRate('S3FileCache', log);
  const s3Browse = createS3Browse({
    policy,
    access: base.s3Access,
    cache: createFileCacheStore(tables),
    onCacheLook(hit) {
      fileCache.look(hit);
      metrics.add({ s3CacheHitRate: hit ? 100 : 0 });
    },
  });
  /** What the planner calls as its tools, timed. */
  const timed =
    <A extends readonly unknown[], R>(call: (...given: A) => Promise<R>) =>
    (...given: A) =>
      metrics.time('toolExecutionTime', () => call(...given));
  const browse: S3Browse = {
    ...s3Browse,
    listObjects: timed(s3Browse.listObjects),
    headObjects: timed(s3Browse.headObjects),
    findByName: timed(s3Browse.findByName),
  };
  const proposals = createProposals({ transfers, objects, learning, policy, ahead: settler.ahead, now });
  const cancellation = createCancellation({ transfers, objects, policy, now });
  const retries = createRetries({
    transfers,
    objects,
    dispatch,
    recheck: createRecheck({ objects, browse }),
    policy,
    now,
  });
  /** What a person wishes by words is followed up as what they wish by button is. */
  const thenSettle =
    <R extends { outcome: string; text: string }>(
      wish: (person: ChatEvent['person'], transferId: string) => Promise<R>,
    ) =>
    async (person: ChatEvent['person'], transferId: string) => {
      const result = await wish(person, transferId);
      const isTheirs = result.outcome !== 'refused' && result.outcome !== 'not found';
      if (isTheirs) await settler.settle(transferId);
      return result;
    };

  const contexts = createUserContextStore(tables);
  const memory = createTurnMemory(contexts);
  const iam = createIamClient({
    region: env.AWS_REGION,
    ...(env.AWS_ENDPOINT_URL_IAM ? { endpoint: env.AWS_ENDPOINT_URL_IAM } : {}),
  });
  const planners = createPlanners(
    env,
    {
      policy,
      browse,
      proposals: { ...proposals, propose: timed(proposals.propose) },
      cancellation: { cancel: thenSettle(cancellation.cancel) },
      retries: { retry: thenSettle(retries.retry) },
      transfers: {
        async transfersOf(person, limit) {
          const accounts = await linked.accountsOf(person);
          const lists = await Promise.all(accounts.map((userId) => transfers.listByUser(userId, limit)));
          return lists
            .flat()
            .sort((a, b) => b.createdAt - a.createdAt)
            .slice(0, limit);
        },
        transferFor: async (person, transferId) => conversation.visibleTo(person, transferId),
      },
      learning,
      settle: settler.settle,
      // The role of a permission set has no ARN that could be asked about.
      ...(env.PROVE_READ_ONLY && !env.IDENTITY_CENTER_START_URL
        ? { roleProof: createRoleProof({ iam, roleArn: env.READ_ONLY_ROLE_ARN, log, now }) }
        : {}),
      focus: memory,
    },
    { contexts: { ...contexts, forget: memory.forget }, now, log },
  );
  const conversation = createConversation({
    planner: planners.planner,
    clients,
    store: transfers,
    policy,
    loadScope: base.loadScope,
    approversOf: base.approversOf,
    settle: settler.settle,
    approvalChannel: policy.approval.channel === undefined ? undefined : channelRef(policy.approval.channel),
    remember: (message, reply) =>
      memory.remember(message.person, {
        at: message.receivedAt,
        thread: message.thread,
        text: message.text,
        reply,
      }),
    now,
    log,
  });
  const approvals = createApprovals({
    store: transfers,
    policy,
    loadScope: base.loadScope,
    directoryName: (userId) => clientFor(clients, userId)?.directory,
    ahead: settler.ahead,
    now,
  });

  const inbox = createInbox({
    turns: createTurnStore({ ...tables, parse: (stored) => chatEventSchema.safeParse(stored).data }),
    async work(event, signal, again) {
      await linked.see(event.person);
      if (event.kind === 'message') return conversation.say(event, signal, again);
      const notice = await pressButton(
        {
          approvals,
          dispatch: dispatch.dispatch,
          cancel: cancellation.cancel,
          retry: retries.retry,
          settle: settler.settle,
          statusCard: conversation.statusFor,
          showDecision: conversation.showDecision,
          say: (message, within, repeated) => conversation.say(message, within, repeated, 'exact'),
          now,
        },
        event,
        signal,
        again,
      );
      if (notice) await conversation.tell(event, notice, again);
    },
    apologize: conversation.apologize,
    // Somebody waits in the chat: a third of what a worker's lease lasts.
    holdMs: (env.LEASE_SECONDS * 1_000) / 3,
    metrics,
    log,
  });

  const checks: Checks = {
    ...base.checks,
    ...Object.fromEntries(
      Object.entries(receivers).map(([platform, receiver]) => [
        platform,
        async () => {
          if (!receiver.ready()) throw new Error('not connected');
        },
      ]),
    ),
  };
  const server = await startBotServer({
    host: env.HOST,
    port: env.PORT,
    routes: {
      ...healthRoutes(checks, base.waitsFor),
      ...Object.assign({}, ...Object.values(receivers).map((receiver) => receiver.routes)),
    },
  });
  await Promise.all(Object.values(receivers).map((receiver) => receiver.start(inbox.handle)));

  const recover = () =>
    inbox.recover().catch((err: unknown) => log.warn({ err }, 'could not look for abandoned turns'));
  const stopping = new AbortController();
  const recovering = (async () => {
    while (!stopping.signal.aborted) {
      await base.sessions.sweep().catch((err: unknown) => log.warn({ err }, 'could not sweep sessions'));
      await recover();
      await delay(env.RECONCILE_SECONDS * 1000, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();

  return {
    port: server.port,
    async finishTurns() {
      await recover();
      await inbox.idle();
      await settler.idle();
      // Where a process is frozen between events, a timer may never fire.
      metrics.flush();
    },
    async stop() {
      stopping.abort();
      await Promise.all(Object.values(receivers).map((receiver) => receiver.stop()));
      await inbox.drain(DRAIN_MS);
      await Promise.all([recovering, settler.idle()]);
      await server.close();
      base.s3Access.close();
      metrics.flush();
      await flushTraces().catch((err: unknown) => log.warn({ err }, 'the last spans were not sent'));
      fileCache.flush();
      planners.close();
      iam.destroy();
    },
  };
}
