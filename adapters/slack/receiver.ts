/** Listens to Slack, over Socket Mode or HTTP: acknowledges an event only when it has been claimed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  App,
  type Receiver as BoltReceiver,
  HTTPReceiver,
  type ReceiverEvent,
  SocketModeReceiver,
} from '@slack/bolt';
import type { Logger } from 'pino';
import type { EventHandler, Receiver } from '../receiver.ts';
import { boltLogger } from './bolt-logger.ts';
import { fromSlack } from './errors.ts';
import { type Normalized, normalizeAction, normalizeCommand, normalizeMessage } from './normalize.ts';
import { slackPeople } from './people.ts';
import { slackThreads } from './threads.ts';
import type { SlackApi } from './web-api.ts';

interface SlackReceiverOptions {
  readonly api: SlackApi;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that `stop` waits for handlers under way, and as long again for the connection to close. */
  readonly stopDeadlineMs?: number;
}

export interface SocketReceiverOptions extends SlackReceiverOptions {
  readonly appToken: string;
  readonly apiUrl: string;
}

export interface HttpReceiverOptions extends SlackReceiverOptions {
  readonly signingSecret: string;
}

const DEFAULT_STOP_DEADLINE_MS = 8_000;
/** Longest request in bytes that is read: far more than a click's payload with the whole card in it. */
const MAX_BODY = 2_000_000;
const EVENTS_PATH = '/slack/events';
const COMMAND = '/fileferry';

/**
 * Bolt acknowledges events before it calls a listener, so an event would be lost if claiming it failed. Here the
 * acknowledgement is held back until the listeners are done, and not given if one rejects. Slack delivers events
 * again then; clicks and commands it reports to the person as failed.
 *
 * @see https://docs.slack.dev/apis/events-api#retries
 */
class ClaimFirstApp extends App {
  readonly underWay = new Set<Promise<void>>();
  stopping = false;

  override processEvent(event: ReceiverEvent): Promise<void> {
    if (this.stopping) return Promise.reject(new Error('FileFerry is stopping'));
    const work = this.#process(event).finally(() => this.underWay.delete(work));
    this.underWay.add(work);
    return work;
  }

  async #process(event: ReceiverEvent): Promise<void> {
    let answer: unknown;
    const ack = async (response?: unknown): Promise<void> => {
      answer = response;
    };
    await super.processEvent({ ...event, ack });
    await event.ack(answer);
  }
}

interface Listening {
  readonly app: ClaimFirstApp;
  begin(handler: EventHandler): Promise<void>;
  /** Resolves when nothing is under way any more, or at the deadline. */
  finish(deadlineMs: number): Promise<void>;
}

function listen(options: SlackReceiverOptions, receiver: BoltReceiver): Listening {
  const { api, logger, now } = options;
  const people = slackPeople(api, now);
  const threads = slackThreads(api, now);
  let handle: EventHandler | undefined;

  const app = new ClaimFirstApp({
    receiver,
    logger: boltLogger(logger),
    convoStore: false,
    // A failed auth.test would be kept for ever, and its events acknowledged unheard; ours is asked again.
    authorize: async () => {
      const { teamId, botUserId, botId } = await api.identity();
      return { teamId, botUserId, botId };
    },
  });
  app.error(async (error) => {
    throw error;
  });

  /** Whether the event counted. Rejects when it could not be claimed. */
  async function take(normalized: Normalized): Promise<boolean> {
    if (normalized.kind === 'ignored') {
      logger.debug({ why: normalized.why }, 'event ignored');
      return false;
    }
    const { event, slackUser, joins, onlyIn } = normalized;
    if (joins) threads.join(joins);
    if (onlyIn && !(await threads.takesPart(onlyIn))) return false;
    if (!handle) throw new Error('the receiver was not started');
    const outcome = await handle({ ...event, person: await people.person(slackUser) });
    logger.debug({ key: event.key, outcome }, 'event claimed');
    return true;
  }

  app.event('app_mention', async ({ event }) => {
    await take(normalizeMessage(event, await api.identity(), now()));
  });
  app.event('message', async ({ event }) => {
    await take(normalizeMessage(event, await api.identity(), now()));
  });
  app.action({ type: 'block_actions' }, async ({ body, ack }) => {
    await take(normalizeAction(body, await api.identity(), now()));
    await ack();
  });
  app.command(COMMAND, async ({ command, ack }) => {
    const taken = await take(normalizeCommand(command, await api.identity(), now()));
    // The command itself is shown to nobody, and without a type the answer would be shown to everybody.
    await ack({ response_type: 'ephemeral', text: taken ? 'On it.' : 'FileFerry did not understand that.' });
  });

  return {
    app,
    async begin(handler) {
      handle = handler;
      await api.identity();
    },
    async finish(deadlineMs) {
      app.stopping = true;
      await withDeadline(Promise.allSettled(app.underWay), deadlineMs);
    },
  };
}

/** Waits for a promise, but no longer than this. */
async function withDeadline(work: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

/** Socket Mode: a WebSocket that we open, so nothing of ours must be reachable from outside. */
export function slackSocketReceiver(options: SocketReceiverOptions): Receiver {
  const { logger, stopDeadlineMs = DEFAULT_STOP_DEADLINE_MS } = options;
  const receiver = new SocketModeReceiver({
    appToken: options.appToken,
    logger: boltLogger(logger),
    installerOptions: {
      clientOptions: {
        slackApiUrl: options.apiUrl,
        timeout: 10_000,
        // Asked for a new connection for ever: giving up would end the process.
        retryConfig: { forever: true, retries: 20, factor: 1.3, maxTimeout: 30_000 },
      },
    },
    processEventErrorHandler: async ({ error }) => {
      logger.warn({ err: error }, 'event not claimed, not acknowledged');
      return false;
    },
  });
  const listening = listen(options, receiver);
  let connected = false;
  receiver.client.on('connected', () => {
    connected = true;
  });
  receiver.client.on('close', () => {
    connected = false;
  });
  return {
    routes: {},
    ready: () => connected && !listening.app.stopping,
    async start(handler) {
      await listening.begin(handler);
      try {
        await listening.app.start();
      } catch (error) {
        throw fromSlack(error);
      }
    },
    async stop() {
      await listening.finish(stopDeadlineMs);
      await withDeadline(receiver.client.disconnect(), stopDeadlineMs);
    },
  };
}

/**
 * HTTP: Slack posts events, clicks and commands to `/slack/events`. A wrong or missing signature, or a timestamp
 * older than five minutes, is answered with 401 and logged.
 */
export function slackHttpReceiver(options: HttpReceiverOptions): Receiver {
  const { logger, stopDeadlineMs = DEFAULT_STOP_DEADLINE_MS } = options;
  const receiver = new HTTPReceiver({
    signingSecret: options.signingSecret,
    endpoints: EVENTS_PATH,
    logger: boltLogger(logger),
    processEventErrorHandler: async ({ error, response }) => {
      logger.warn({ err: error }, 'event not claimed, not acknowledged');
      if (!response.headersSent) response.writeHead(503, { 'retry-after': '5' }).end();
      return true;
    },
    unhandledRequestHandler: () => {
      logger.warn('event not claimed within 3 s, Slack will deliver it again');
    },
  });
  const listening = listen(options, receiver);
  let started = false;

  function answer(req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== 'POST') {
      res.writeHead(405, { allow: 'POST' }).end();
      return;
    }
    // Bolt reads the whole body before it looks at the signature, however much a stranger sends.
    if (!(Number(req.headers['content-length']) <= MAX_BODY)) {
      logger.warn(
        { length: req.headers['content-length'] },
        'request refused: too long, or of unknown length',
      );
      res.writeHead(413, { connection: 'close' }).end();
      return;
    }
    receiver.requestListener(req, res);
  }

  return {
    routes: { [EVENTS_PATH]: answer },
    ready: () => started && !listening.app.stopping,
    async start(handler) {
      await listening.begin(handler);
      started = true;
    },
    stop: () => listening.finish(stopDeadlineMs),
  };
}
