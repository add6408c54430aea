/** Takes chat events over: claimed durably, acknowledged, then worked off in order, and again after a crash. */
import PQueue from 'p-queue';
import type { Logger } from 'pino';
import { boundedCache } from '../adapters/bounded-cache.ts';
import type { ChatEvent } from '../adapters/chat-event.ts';
import type { EventHandler } from '../adapters/receiver.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import { newReference } from '../core/ids.ts';
import { type Metrics, NO_METRICS } from '../core/metrics.ts';
import type { TurnStore } from '../core/stores/turn-store.ts';
import { threadKey } from '../core/thread-ref.ts';
import { inThisTrace, traced } from '../core/tracing.ts';

/** A turn must end within this time; milliseconds. */
const TURN_MS = 90_000;
/** Claims of its own that a process remembers, and for how long, in milliseconds: Slack tells of a mention twice at once. */
const MAX_KNOWN = 10_000;
const KNOWN_MS = 60_000;
/** An event that ended its process this often is given up. */
const MAX_DELIVERIES = 3;

const GIVEN_UP = new FerryError('internal', {
  userMessage:
    'I was interrupted every time that I worked on this, so I gave up. What I had done by then stands, and “status” shows it. Please try once more, and tell your FileFerry team if it happens again.',
});

export interface Inbox {
  readonly handle: EventHandler;
  /** Looks for events whose process died before their turn was done, and works them off. */
  recover(): Promise<void>;
  /** Resolves when no turn is under way. */
  idle(): Promise<void>;
  /** Takes nothing new and resolves when every turn under way is done, or when `deadlineMs` has passed. */
  drain(deadlineMs: number): Promise<void>;
}

export function createInbox(deps: {
  turns: TurnStore<ChatEvent>;
  /** Does what the event asks for. */
  work: (event: ChatEvent, signal: AbortSignal, again: boolean) => Promise<void>;
  /** Tells the person that it failed; best effort. */
  apologize: (event: ChatEvent, error: FerryError) => Promise<void>;
  log: Logger;
  /** How long a claim stays ours unless extended, in milliseconds; a dead process's turns are free after it. */
  holdMs: number;
  metrics?: Metrics;
}): Inbox {
  const { turns, log, holdMs, metrics = NO_METRICS } = deps;
  const conversations = new Map<string, PQueue>();
  const known = boundedCache<Promise<'claimed' | 'duplicate' | 'failed'>>(MAX_KNOWN, Date.now);
  /** Keys of the events whose turn is under way here, or waits for its conversation. */
  const inHand = new Set<string>();
  const stopping = new AbortController();
  let draining = false;

  function enqueue(event: ChatEvent, again: boolean): void {
    const conversation = threadKey(event.thread);
    const queue = conversations.get(conversation) ?? new PQueue({ concurrency: 1 });
    conversations.set(conversation, queue);
    inHand.add(event.key);
    let extending = false;
    const timer = setInterval(() => {
      // One at a time: a database that is slow is not to be asked by all waiting turns again and again.
      if (extending) return;
      extending = true;
      void turns
        .extend(event.key, holdMs)
        .catch((err: unknown) => log.warn({ event: event.key, err }, 'could not extend the claim'))
        .finally(() => {
          extending = false;
        });
    }, holdMs / 3);
    void queue
      .add(inThisTrace(() => traced('chat event', { kind: event.kind }, () => run(event, again))))
      .finally(() => {
        clearInterval(timer);
        inHand.delete(event.key);
        if (queue.size === 0 && queue.pending === 0) conversations.delete(conversation);
      });
  }

  async function run(event: ChatEvent, again: boolean): Promise<void> {
    const began = performance.now();
    let failed = 0;
    const turnLog = log.child({ event: event.key, user: event.person.userId });
    try {
      await deps.work(event, AbortSignal.any([AbortSignal.timeout(TURN_MS), stopping.signal]), again);
      await turns.finish(event.key);
    } catch (thrown) {
      failed = 1;
      const reference = newReference();
      const error = toFerryError(thrown, reference);
      turnLog.error({ err: thrown, reference }, 'the turn failed; its claim is released');
      await deps
        .apologize(event, error)
        .catch((err: unknown) => turnLog.warn({ err }, 'could not say so in the chat'));
      known.delete(event.key);
      await turns
        .release(event.key)
        .catch((err: unknown) => turnLog.warn({ err }, 'could not release the claim'));
    } finally {
      metrics.add({
        requestCount: 1,
        requestErrors: failed,
        requestDuration: performance.now() - began,
      });
    }
  }

  return {
    async handle(event) {
      if (draining)
        throw new FerryError('unavailable', { retryable: true, userMessage: 'FileFerry is restarting.' });
      // Waits for the claim: until it stands in the table, a crash would lose the event that was answered.
      const before = known.get(event.key);
      if (before && (await before) === 'claimed') return 'duplicate';
      const claiming = turns.claim(event.key, event, holdMs);
      known.set(
        event.key,
        claiming.catch(() => 'failed' as const),
        KNOWN_MS,
      );
      if ((await claiming) === 'duplicate') return 'duplicate';
      enqueue(event, false);
      return 'accepted';
    },

    async recover() {
      for (const key of await turns.listAbandoned(20)) {
        if (inHand.has(key)) {
          // Ours all the time: the database was away for longer than the claim lasted.
          await turns.extend(key, holdMs);
          continue;
        }
        const taken = await turns.takeOver(key, holdMs);
        if (!taken) continue;
        const { event, deliveries } = taken;
        if (deliveries > MAX_DELIVERIES) {
          log.error({ event: key, deliveries }, 'gave an event up: its turn never ended');
          if (event) {
            await deps
              .apologize(event, GIVEN_UP)
              .catch((err: unknown) => log.warn({ event: key, err }, 'could not say so in the chat'));
          }
          await turns.finish(key);
          continue;
        }
        if (!event) {
          log.warn({ event: key, deliveries }, 'cannot read an event; a process of its release may');
          continue;
        }
        log.warn({ event: key, deliveries }, 'an earlier process died in this turn; taking it over');
        enqueue(event, true);
      }
    },

    async idle() {
      while (conversations.size > 0) {
        await Promise.all([...conversations.values()].map((queue) => queue.onIdle()));
        // A conversation is forgotten a moment after its queue has become idle.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },

    async drain(deadlineMs) {
      draining = true;
      const idle = Promise.all([...conversations.values()].map((queue) => queue.onIdle()));
      const deadline = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        stopping.abort(
          new FerryError('unavailable', { retryable: true, userMessage: 'FileFerry is restarting.' }),
        );
        deadline.resolve();
      }, deadlineMs);
      await Promise.race([idle, deadline.promise]);
      clearTimeout(timer);
    },
  };
}
