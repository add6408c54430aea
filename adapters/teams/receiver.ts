/** Listens to Teams on `/api/messages`: runs nothing that Microsoft did not sign for this bot and a tenant of ours. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FerryError } from '../../core/errors.ts';
import type { NoteStore } from '../../core/stores/note-store.ts';
import type { TeamsThreadRef, ThreadRef } from '../../core/thread-ref.ts';
import { helpCard } from '../cards/reply-cards.ts';
import type { ChatClient } from '../chat-client.ts';
import type { ChatEvent } from '../chat-event.ts';
import type { EventHandler, Receiver } from '../receiver.ts';
import type { ClickAnswer, Clicks } from './clicks.ts';
import type { TeamsConnector } from './connector.ts';
import { type Envelope, envelopeSchema, isClick, normalizeActivity, tenantOf } from './normalize.ts';
import { teamsPeople } from './people.ts';
import type { Routes } from './routes.ts';
import type { ServiceUrls } from './service-urls.ts';

export interface TeamsReceiverOptions {
  readonly connector: TeamsConnector;
  /** Greets where the bot was added. */
  readonly client: ChatClient;
  readonly clicks: Clicks;
  readonly routes: Routes;
  readonly notes: NoteStore;
  readonly serviceUrls: ServiceUrls;
  /** Tenants whose people may use FileFerry. */
  readonly allowedTenants: readonly string[];
  /** Tenants whose people are known by email too. */
  readonly emailTenants: readonly string[];
  /** Nothing is authenticated, so only this machine may ask. */
  readonly local: boolean;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that a click may wait for its answer; Teams calls the bot dead after about ten seconds. */
  readonly clickWaitMs?: number;
  /** Milliseconds that `stop` waits for requests under way. */
  readonly stopDeadlineMs?: number;
}

const PATH = '/api/messages';
const MAX_BODY_BYTES = 1_000_000;
const DEFAULT_CLICK_WAIT_MS = 4_000;
const DEFAULT_STOP_DEADLINE_MS = 8_000;

/** What an answer to Teams is made of; without a body for all but clicks. */
interface Answer {
  readonly status: number;
  readonly body?: object;
}

const OK: Answer = { status: 200 };
const UNAUTHORIZED: Answer = { status: 401 };
/** Teams delivers again what is answered so. */
const LATER: Answer = { status: 503 };

/** As much as the request has to say of itself before anybody vouches for it. */
const claimsSchema = z.object({ channelId: z.literal('msteams'), serviceUrl: z.string().min(1).max(500) });

/** @see https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format */
const sentence = (text: string): Answer => ({
  status: 200,
  body: { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: text },
});

const UNKNOWN_BUTTON = sentence('I do not know this button any more, so nothing was done.');

function answerOf(answer: ClickAnswer): Answer {
  switch (answer.kind) {
    case 'card':
      return {
        status: 200,
        body: {
          statusCode: 200,
          type: 'application/vnd.microsoft.card.adaptive',
          value: answer.message.card,
        },
      };
    case 'sentence':
      return sentence(answer.text);
    case 'none':
      return sentence('I have your click. The card changes as soon as it is done.');
  }
}

/** The whole body, or undefined when it is too long. */
async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const conversationOf = (thread: ThreadRef): string =>
  thread.platform === 'teams' ? thread.conversationId : '';

/** From this machine, and not through a proxy on it. */
const isFromHere = ({ socket, headers }: IncomingMessage): boolean =>
  (socket.remoteAddress === '::1' || /^(::ffff:)?127\./.test(socket.remoteAddress ?? '')) &&
  headers.forwarded === undefined &&
  headers['x-forwarded-for'] === undefined;

export function teamsReceiver(options: TeamsReceiverOptions): Receiver {
  const { connector, clicks, routes, serviceUrls, logger, now } = options;
  const underWay = new Set<Promise<void>>();
  let handle: EventHandler | undefined;
  let stopping = false;

  /** A local Teams may call its tenant what it likes, unless the settings name one. */
  const isOneOf = (tenants: readonly string[], tenantId: string) =>
    tenants.includes(tenantId) || (options.local && tenants.length === 0);
  const mayUse = (tenantId: string) => isOneOf(options.allowedTenants, tenantId);
  const people = teamsPeople(connector, now, (tenantId) => isOneOf(options.emailTenants, tenantId));

  const refuse = (why: string, req: IncomingMessage): Answer => {
    logger.warn({ why, from: req.socket.remoteAddress }, 'a request to the Teams endpoint was refused');
    return UNAUTHORIZED;
  };

  /** The activity and its tenant, once somebody vouches for them. */
  async function admit(
    req: IncomingMessage,
  ): Promise<{ raw: unknown; envelope: Envelope; tenantId: string } | Answer> {
    if (options.local && !isFromHere(req)) return refuse('not from this machine', req);
    const authorization = req.headers.authorization ?? '';
    if (!options.local && !authorization.startsWith('Bearer ')) return refuse('no token', req);
    const body = await readBody(req);
    if (body === undefined) return { status: 413 };
    const raw = parseJson(body);
    const claims = claimsSchema.safeParse(raw);
    if (!claims.success) return refuse('not an activity of Teams', req);
    if (!serviceUrls.allows(claims.data.serviceUrl)) return refuse('an unknown service URL', req);
    if ((await connector.authenticate(claims.data, authorization)) === 'refused')
      return refuse('the token does not hold', req);
    const parsed = envelopeSchema.safeParse(raw);
    if (!parsed.success) {
      logger.warn({ faults: z.prettifyError(parsed.error) }, 'an activity of an unknown form is ignored');
      return isClick(raw) ? UNKNOWN_BUTTON : OK;
    }
    const envelope = parsed.data;
    const tenantId = tenantOf(envelope);
    if (!tenantId || !mayUse(tenantId)) return refuse('not a tenant of ours', req);
    return { raw, envelope, tenantId };
  }

  /** Once per conversation, whatever number of activities tell of it. */
  async function welcome(thread: TeamsThreadRef): Promise<void> {
    const conversation = createHash('sha256')
      .update(`${thread.tenantId}\n${thread.conversationId}`)
      .digest('hex');
    if (!(await options.notes.putFirst(`teams:welcome:${conversation}`, 'sent'))) return;
    await options.client.post(thread, helpCard(), { key: 'welcome' });
  }

  async function take(event: ChatEvent): Promise<'accepted' | 'duplicate'> {
    if (!handle || stopping) {
      throw new FerryError('unavailable', {
        retryable: true,
        userMessage: 'FileFerry is restarting. Nothing was done; please try again in a minute.',
      });
    }
    const outcome = await handle(event);
    logger.debug({ key: event.key, outcome }, 'event claimed');
    return outcome;
  }

  /** Teams does not deliver a click again, so whatever goes wrong is told to the person. */
  async function takeClick(event: ChatEvent & { kind: 'action' }): Promise<Answer> {
    const open = clicks.open(
      {
        userId: event.person.userId,
        conversationId: conversationOf(event.message.thread),
        threadId: conversationOf(event.thread),
        messageId: event.message.messageId,
        answeredByMessage: event.scope === 'dm' || event.actionId === 'choose',
      },
      options.clickWaitMs ?? DEFAULT_CLICK_WAIT_MS,
    );
    try {
      if ((await take(event)) === 'duplicate') return sentence('I have this click already.');
      return answerOf(await open.answer);
    } finally {
      open.close();
    }
  }

  async function work(req: IncomingMessage): Promise<Answer> {
    const admitted = await admit(req);
    if ('status' in admitted) return admitted;
    const { raw, envelope, tenantId } = admitted;
    await routes.learn(tenantId, envelope.serviceUrl);
    const click = isClick(raw);
    const normalized = normalizeActivity(raw, envelope, tenantId, now());
    try {
      switch (normalized.kind) {
        case 'ignored':
          logger.debug({ why: normalized.why }, 'activity ignored');
          if (click) return UNKNOWN_BUTTON;
          return envelope.type === 'invoke' ? { status: 501 } : OK;
        case 'added':
          void welcome(normalized.thread).catch((err: unknown) =>
            logger.warn({ err }, 'could not greet where FileFerry was added'),
          );
          return OK;
        case 'removed': {
          const { tenantId: tenant, conversationId } = normalized.thread;
          logger.info({ tenant, conversationId }, 'FileFerry was removed from a conversation in Teams');
          return OK;
        }
        case 'taken': {
          const { event, sender } = normalized;
          const person = await people.person(sender);
          if (!person) {
            logger.debug('somebody without a directory account');
            return click ? sentence('I know nobody without an account in the directory.') : OK;
          }
          if (event.kind === 'action') return await takeClick({ ...event, person });
          await take({ ...event, person });
          return OK;
        }
      }
    } catch (err) {
      logger.warn({ err }, 'event not claimed, not acknowledged');
      if (!click) return LATER;
      const told = err instanceof FerryError ? err.userMessage : undefined;
      return sentence(told ?? 'Something went wrong on our side. Nothing was done; please try again.');
    }
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let given: Answer;
    try {
      given = await work(req);
    } catch (err) {
      logger.error({ err }, 'a request to the Teams endpoint failed');
      given = LATER;
    }
    if (res.destroyed) return;
    if (given.status === 413) res.setHeader('connection', 'close');
    if (given.body) {
      res.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.body));
    } else {
      res.writeHead(given.status).end();
    }
  }

  return {
    routes: {
      [PATH](req, res) {
        if (req.method !== 'POST') {
          res.writeHead(405, { allow: 'POST' }).end();
          return;
        }
        const done = answer(req, res).finally(() => underWay.delete(done));
        underWay.add(done);
      },
    },
    ready: () => handle !== undefined && !stopping,
    async start(handler) {
      handle = handler;
    },
    async stop() {
      stopping = true;
      const timer = new AbortController();
      await Promise.race([
        Promise.allSettled(underWay),
        delay(options.stopDeadlineMs ?? DEFAULT_STOP_DEADLINE_MS, undefined, { signal: timer.signal }).catch(
          () => {},
        ),
      ]);
      timer.abort();
    },
  };
}
