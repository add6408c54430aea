/** Teams as a server of our own: holds conversations, enforces Teams' limits, fails on demand, and acts as its people. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultsOfCard } from './adaptive-card.ts';
import { createTeamsPeople, type TeamsPeople } from './teams-people.ts';
import { personalIdOf, rootOf, TEAMS_TENANT, type TeamsUser } from './teams-world.ts';

export interface TeamsConversation {
  /** `19:…@thread.tacv2` for a channel, `19:…@thread.v2` for a group chat. */
  readonly id: string;
  /** Object ids. */
  readonly members: readonly string[];
  /** Whether the app is installed there; it is unless said otherwise. */
  readonly withBot?: boolean;
}

export interface TeamsMessage {
  readonly id: string;
  /** With its thread, where it stands in one. */
  readonly conversationId: string;
  activity: SentActivity;
  readonly edits: number;
}

export interface SentActivity {
  readonly type: string;
  readonly text?: string;
  readonly summary?: string;
  readonly attachments?: readonly { readonly contentType: string; readonly content: unknown }[];
}

export type TeamsFault =
  | { readonly kind: 'throttle'; readonly retryAfter?: number; readonly status?: 429 | 412 }
  | { readonly kind: 'http'; readonly status: number; readonly code?: string }
  /** Does what was asked, but never answers. */
  | { readonly kind: 'hang' }
  /** Cuts the connection without doing anything. */
  | { readonly kind: 'drop' };

export type Operation = 'send' | 'update' | 'create' | 'member';

export interface TeamsCall {
  readonly operation: Operation;
  readonly conversationId: string;
  readonly activityId?: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface TeamsConnectorServer {
  /** The service URL that activities carry. */
  readonly serviceUrl: string;
  /** Every call in order, those that failed too. */
  readonly calls: readonly TeamsCall[];
  callsOf(operation: Operation): readonly TeamsCall[];
  readonly people: TeamsPeople;
  addUser(user: TeamsUser): void;
  addConversation(conversation: TeamsConversation): void;
  /** The messages of a conversation or thread as they are now, oldest first. */
  messages(conversationId: string): readonly TeamsMessage[];
  /** Every message, oldest first. */
  all(): readonly TeamsMessage[];
  /** Messages in this person's personal chat with the bot. */
  personalMessages(aadObjectId: string): readonly TeamsMessage[];
  /** Somebody deletes a message. */
  remove(messageId: string): void;
  /** The next calls of this operation fail so. */
  fail(operation: Operation, fault: TeamsFault, times?: number): void;
  /** The next call of this operation waits before it is done. */
  hold(operation: Operation, until: Promise<void>): void;
  close(): Promise<void>;
}

export interface TeamsConnectorOptions {
  /** Enforce Teams' limits on one bot in one conversation; they are unless said otherwise. */
  readonly rates?: boolean;
  /** Calls without exactly this token are refused. */
  readonly token?: string;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly retryAfter?: number;
}
interface Done {
  readonly status: number;
  readonly body: object;
}
type Answer = Refusal | Done;

/** @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit#per-bot-per-thread-limit */
const RATES = [
  { ms: 1_000, sends: 7 },
  { ms: 30_000, sends: 60 },
] as const;

const isChannel = (conversationId: string) => /@thread\.(tacv2|skype)$/.test(conversationId);

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text ? JSON.parse(text) : undefined;
}

/** Starts the server on a free port of the loopback. */
export async function startTeamsConnector(
  options: TeamsConnectorOptions = {},
): Promise<TeamsConnectorServer> {
  const users = new Map<string, TeamsUser>();
  const conversations = new Map<string, TeamsConversation>();
  const messages: { -readonly [K in keyof TeamsMessage]: TeamsMessage[K] }[] = [];
  const calls: TeamsCall[] = [];
  const faults = new Map<Operation, { fault: TeamsFault; times: number }>();
  const holds = new Map<Operation, Promise<void>>();
  const writes = new Map<string, number[]>();
  let lastId = 1_795_376_915_000;

  const nextId = (): string => {
    lastId += 1;
    return String(lastId);
  };

  /** Whether Teams lets the bot do one thing more in this conversation now. */
  function overRate(conversationId: string): boolean {
    if (options.rates === false) return false;
    const now = Date.now();
    const times = (writes.get(conversationId) ?? []).filter((time) => time > now - 30_000);
    const over = RATES.some(({ ms, sends }) => times.filter((time) => time > now - ms).length >= sends);
    if (!over) times.push(now);
    writes.set(conversationId, times);
    return over;
  }

  /** Why Teams would refuse this activity. */
  function refusal(conversationId: string, activity: SentActivity): Refusal | undefined {
    const conversation = conversations.get(rootOf(conversationId));
    if (!conversation) return { status: 404, code: 'ConversationNotFound' };
    if (conversation.withBot === false) return { status: 403, code: 'BotNotInConversationRoster' };
    if (overRate(conversationId)) return { status: 429, code: 'TooManyRequests' };
    if (activity.type !== 'message' && activity.type !== 'typing') return { status: 400, code: 'BadSyntax' };
    if (activity.type === 'typing' && activity.attachments) return { status: 400, code: 'BadSyntax' };
    for (const { contentType, content } of activity.attachments ?? []) {
      const wrong =
        contentType === 'application/vnd.microsoft.card.adaptive'
          ? faultsOfCard(content)
          : 'unknown attachment';
      if (wrong) return { status: 400, code: `BadSyntax ${wrong}` };
    }
    return undefined;
  }

  const operations: Record<Operation, (call: TeamsCall) => Answer> = {
    send({ conversationId, body }) {
      const activity = body as SentActivity;
      const refused = refusal(conversationId, activity);
      if (refused) return refused;
      const id = nextId();
      // Shown for a moment, and no message.
      if (activity.type === 'typing') return { status: 201, body: { id } };
      const thread = isChannel(conversationId) ? `${conversationId};messageid=${id}` : conversationId;
      messages.push({ id, conversationId: thread, activity, edits: 0 });
      return { status: 201, body: { id } };
    },
    update({ conversationId, activityId, body }) {
      const activity = body as SentActivity;
      const refused = refusal(conversationId, activity);
      if (refused) return refused;
      const message = messages.find(
        (one) => one.id === activityId && rootOf(one.conversationId) === rootOf(conversationId),
      );
      if (!message) return { status: 404, code: 'ActivityNotFoundInConversation' };
      message.activity = activity;
      message.edits += 1;
      return { status: 200, body: { id: message.id } };
    },
    create({ body }) {
      const { members = [], tenantId } = body as { members?: { id: string }[]; tenantId?: string };
      const user = users.get(members[0]?.id ?? '');
      if (!user || tenantId !== (user.tenantId ?? TEAMS_TENANT))
        return { status: 403, code: 'ForbiddenOperationException' };
      return { status: 201, body: { id: personalIdOf(user.aadObjectId) } };
    },
    member({ conversationId, activityId: memberId = '' }) {
      const conversation = conversations.get(rootOf(conversationId));
      const user = users.get(memberId.replace(/^29:/, ''));
      if (!conversation || !user || !conversation.members.includes(user.aadObjectId))
        return { status: 404, code: 'MemberNotFoundInConversation' };
      return {
        status: 200,
        body: {
          id: `29:${user.aadObjectId}`,
          ...(user.userRole !== 'anonymous' && { aadObjectId: user.aadObjectId }),
          name: user.name,
          ...(user.email && { email: user.email }),
          userPrincipalName: `${user.name.toLowerCase().replace(/\W+/g, '.')}@directory.example`,
          tenantId: user.tenantId ?? TEAMS_TENANT,
          userRole: user.userRole ?? 'user',
        },
      };
    },
  };

  function callOf(req: IncomingMessage, body: unknown): TeamsCall | undefined {
    const path = new URL(req.url ?? '/', 'http://x').pathname;
    const authorization = req.headers.authorization;
    const common = { authorization, body };
    if (req.method === 'POST' && path.endsWith('/v3/conversations'))
      return { ...common, operation: 'create', conversationId: '' };
    const match = /\/v3\/conversations\/([^/]+)\/(activities|members)(?:\/([^/]+))?$/.exec(path);
    if (!match) return undefined;
    const conversationId = decodeURIComponent(match[1] ?? '');
    const id = match[3] === undefined ? undefined : decodeURIComponent(match[3]);
    if (match[2] === 'members' && req.method === 'GET' && id)
      return { ...common, operation: 'member', conversationId, activityId: id };
    if (match[2] === 'activities' && req.method === 'POST')
      return { ...common, operation: 'send', conversationId };
    if (match[2] === 'activities' && req.method === 'PUT' && id)
      return { ...common, operation: 'update', conversationId, activityId: id };
    return undefined;
  }

  function takeFault(operation: Operation): TeamsFault | undefined {
    const planned = faults.get(operation);
    if (!planned) return undefined;
    planned.times -= 1;
    if (planned.times <= 0) faults.delete(operation);
    return planned.fault;
  }

  const refuse = (res: ServerResponse, { status, code, retryAfter }: Refusal): void => {
    res.writeHead(status, {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    });
    res.end(JSON.stringify({ error: { code: code.split(' ', 1)[0], message: code } }));
  };

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const call = callOf(req, await readJson(req));
    if (!call) return refuse(res, { status: 405, code: 'MethodNotAllowed' });
    calls.push(call);
    const held = holds.get(call.operation);
    holds.delete(call.operation);
    await held;
    if (options.token !== undefined && call.authorization !== `Bearer ${options.token}`)
      return refuse(res, { status: 401, code: 'Unauthorized' });
    const fault = takeFault(call.operation);
    switch (fault?.kind) {
      case 'throttle':
        return refuse(res, {
          status: fault.status ?? 429,
          code: 'TooManyRequests',
          ...(fault.retryAfter !== undefined && { retryAfter: fault.retryAfter }),
        });
      case 'http':
        return refuse(res, { status: fault.status, code: fault.code ?? 'Whatever' });
      case 'drop':
        return void res.destroy();
      case 'hang':
        operations[call.operation](call);
        return;
      case undefined: {
        const given = operations[call.operation](call);
        if ('code' in given) return refuse(res, given);
        res.writeHead(given.status, { 'content-type': 'application/json' });
        res.end(JSON.stringify(given.body));
      }
    }
  }

  const server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const serviceUrl = `http://127.0.0.1:${port}/amer/${TEAMS_TENANT}/`;

  return {
    serviceUrl,
    calls,
    callsOf: (operation) => calls.filter((call) => call.operation === operation),
    people: createTeamsPeople({
      serviceUrl,
      userOf: (aadObjectId) => users.get(aadObjectId),
      nextId,
      setBot(id, withBot) {
        const conversation = conversations.get(id);
        if (conversation) conversations.set(id, { ...conversation, withBot });
      },
    }),
    addUser(user) {
      users.set(user.aadObjectId, user);
      conversations.set(personalIdOf(user.aadObjectId), {
        id: personalIdOf(user.aadObjectId),
        members: [user.aadObjectId],
      });
    },
    addConversation: (conversation) => void conversations.set(conversation.id, conversation),
    messages: (conversationId) => messages.filter((one) => one.conversationId === conversationId),
    all: () => [...messages],
    personalMessages: (aadObjectId) =>
      messages.filter((one) => one.conversationId === personalIdOf(aadObjectId)),
    remove(messageId) {
      messages.splice(
        messages.findIndex(({ id }) => id === messageId),
        1,
      );
    },
    fail: (operation, fault, times = 1) => void faults.set(operation, { fault, times }),
    hold: (operation, until) => void holds.set(operation, until),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
