/** Both planners on real stores, a real S3 and a scripted model over the wire: for transcripts and attacks. */
import { type Logger, pino } from 'pino';
import { type BedrockModel, createBedrock } from '../../agent/bedrock.ts';
import { createBedrockPlanner } from '../../agent/bedrock-planner.ts';
import { createCommandsPlanner } from '../../agent/commands/planner.ts';
import { createFallbackPlanner } from '../../agent/fallback-planner.ts';
import { focusMemory } from '../../agent/focus-memory.ts';
import { DEFAULT_LIMITS, type ModelLimits } from '../../agent/limits.ts';
import { createMemoryPlanner } from '../../agent/memory-planner.ts';
import type { Planner, Reply, Turn } from '../../agent/planner.ts';
import type { PlannerDeps } from '../../agent/ports.ts';
import { summarizeReply } from '../../agent/reply-summary.ts';
import { createCancellation } from '../../core/cancel.ts';
import type { Dispatch } from '../../core/dispatch.ts';
import type { Person } from '../../core/person.ts';
import { isSamePerson } from '../../core/policy.ts';
import { createProposals } from '../../core/proposal.ts';
import { createRecheck } from '../../core/recheck.ts';
import { createRetries } from '../../core/retry.ts';
import { createS3Browse } from '../../core/s3-browse.ts';
import { createObjectStore } from '../../core/stores/object-store.ts';
import { createTransferStore, type TransferStore } from '../../core/stores/transfer-store.ts';
import { createUserContextStore, type UserContextStore } from '../../core/stores/user-context-store.ts';
import { type LocalBedrock, type ModelScript, startBedrock } from '../../infra/local/bedrock.ts';
import { ana, type BrowsableS3, policy } from './browsing.ts';
import type { TestDynamoDb } from './dynamodb.ts';

export const NOON = Date.UTC(2026, 10, 22, 12);
export const CHANNEL: Turn['thread'] = {
  platform: 'slack',
  teamId: 'T01FERRY',
  channelId: 'C01OPS',
  threadTs: '1.1',
};

let turns = 0;

export function turnOf(text: string, changes: Partial<Turn> = {}): Turn {
  turns += 1;
  return {
    key: `turn ${turns}`,
    person: ana,
    thread: CHANNEL,
    proposalThread: CHANNEL,
    command: false,
    text,
    at: NOON + turns,
    ...changes,
  };
}

export interface PlanningRig {
  readonly bedrock: LocalBedrock;
  readonly transfers: TransferStore;
  readonly contexts: UserContextStore;
  readonly deps: PlannerDeps;
  /** The model's planner alone: it throws where the fallback would step in. */
  readonly modelled: Planner;
  readonly commands: Planner;
  /** As the bot has them: memory, model, fallback. */
  readonly planner: Planner;
  /** Parsed log lines. */
  readonly lines: Record<string, unknown>[];
  /** What was done in a person's name, such as `cancel TRF-… by Ana`. */
  readonly acted: string[];
  now: number;
  limits: ModelLimits;
  /** Says it, keeps the exchange as the bot does, and gives back the reply. */
  say(text: string, changes?: Partial<Turn>): Promise<Reply>;
  /** Proposals of a person. */
  proposalsOf(person: Person): ReturnType<TransferStore['listByUser']>;
  stop(): Promise<void>;
}

export async function startPlanning(
  s3: BrowsableS3,
  db: TestDynamoDb,
  script: ModelScript,
  options: {
    limits?: Partial<ModelLimits>;
    requestMs?: number;
    idleMs?: number;
    fallbackModelId?: string;
  } = {},
): Promise<PlanningRig> {
  const bedrock = await startBedrock(script);
  const lines: Record<string, unknown>[] = [];
  const log: Logger = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const acted: string[] = [];
  const now = () => rig.now;
  const tables = { client: db.documents, tablePrefix: db.prefix, now };
  const transfers = createTransferStore(tables);
  const objects = createObjectStore(tables);
  const contexts = createUserContextStore(tables);
  const learning: PlannerDeps['learning'] = {
    forecast: async () => ({ seconds: 60, lowSeconds: 30, highSeconds: 200, successRate: 0.93, samples: 12 }),
  };
  const browse = createS3Browse({ policy, access: s3.access });
  const cancellation = createCancellation({ transfers, objects, policy, now });
  const retries = createRetries({
    transfers,
    objects,
    dispatch: { resend: async () => 'enqueued' } as unknown as Dispatch,
    recheck: createRecheck({ objects, browse }),
    policy,
    now,
  });
  /** Notes what came of it unless it was refused. */
  const noting =
    (
      verb: string,
      act: (who: Person, id: string) => Promise<{ readonly outcome: string; readonly text: string }>,
    ) =>
    async (who: Person, id: string) => {
      const done = await act(who, id);
      if (!['refused', 'not found'].includes(done.outcome)) acted.push(`${verb} ${id} by ${who.name}`);
      return done;
    };
  const deps: PlannerDeps = {
    policy,
    browse,
    proposals: createProposals({ transfers, objects, learning, policy, now }),
    cancellation: { cancel: noting('cancel', cancellation.cancel) },
    retries: { retry: noting('retry', retries.retry) },
    transfers: {
      transfersOf: (person, limit) => transfers.listByUser(person.userId, limit),
      async transferFor(person, id) {
        const transfer = await transfers.get(id);
        return transfer && isSamePerson(person, transfer.requester) ? transfer : undefined;
      },
    },
    learning,
    focus: focusMemory(contexts),
    settle: async (id) => void acted.push(`settle ${id}`),
  };
  const model: BedrockModel = createBedrock({
    region: 'us-east-1',
    endpoint: bedrock.endpoint,
    modelId: 'first-model',
    fallbackModelId: options.fallbackModelId ?? 'second-model',
    maxTokens: 1_000,
    cachePoints: true,
    requestMs: options.requestMs ?? 5_000,
    idleMs: options.idleMs ?? 5_000,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    log,
  });
  const rig: PlanningRig = {
    bedrock,
    transfers,
    contexts,
    deps,
    lines,
    acted,
    now: NOON,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    commands: createCommandsPlanner(deps),
    get modelled() {
      return createBedrockPlanner({
        ...deps,
        model,
        contexts,
        limits: rig.limits,
        price: { input: 3, output: 15 },
        now,
        log,
      });
    },
    get planner() {
      return createMemoryPlanner({
        planner: createFallbackPlanner({ model: rig.modelled, commands: rig.commands, now, log }),
        contexts,
        policy,
      });
    },
    async say(text, changes) {
      const turn = turnOf(text, changes);
      const reply = await rig.planner.plan(turn, new AbortController().signal);
      if (!reply.unremembered) {
        await contexts.append(turn.person.userId, {
          at: turn.at,
          thread: turn.thread,
          text,
          reply: summarizeReply(reply),
        });
      }
      return reply;
    },
    proposalsOf: (person) => transfers.listByUser(person.userId, 50),
    async stop() {
      model.close();
      await bedrock.stop();
    },
  };
  return rig;
}

/** Everything in the tool results that the model has been given in this conversation. */
export const resultsIn = (request: LocalBedrock['requests'][number]): string[] =>
  request.messages.flatMap(({ content }) =>
    content.flatMap(({ toolResult }) =>
      toolResult ? [toolResult.content.map(({ text }) => text).join('')] : [],
    ),
  );

/** A model that gives these answers one after the other, and then says "Done.". */
export function inTurn(...answers: Awaited<ReturnType<ModelScript>>[]): ModelScript {
  let next = 0;
  return () => answers[next++] ?? { say: 'Done.' };
}
