/** Slack's Web API as a server of our own: holds messages, enforces Slack's limits, and fails on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultsOfBlocks } from './block-kit.ts';
import { acceptSocket, type FakeSocket } from './slack-socket.ts';
import { streamMethods } from './slack-streams.ts';

export const SLACK_TEAM = 'T01FERRY';
export const SLACK_BOT = { userId: 'U0FERRY', botId: 'B0FERRY', token: 'xoxb-fake', appToken: 'xapp-fake' };

export interface FakeUser {
  readonly id: string;
  readonly name: string;
  readonly team_id?: string;
  readonly deleted?: boolean;
  readonly is_bot?: boolean;
  readonly is_restricted?: boolean;
  readonly is_ultra_restricted?: boolean;
  readonly is_stranger?: boolean;
  readonly profile?: { readonly display_name?: string; readonly real_name?: string; readonly email?: string };
}

export interface FakeChannel {
  readonly id: string;
  readonly members: readonly string[];
  readonly archived?: boolean;
}

export interface FakeMessage {
  readonly type: 'message';
  readonly ts: string;
  readonly channel: string;
  readonly user: string;
  readonly bot_id?: string;
  readonly thread_ts?: string;
  text: string;
  blocks?: readonly unknown[];
  /** An ephemeral message is seen by this user only and is not in the history. */
  readonly onlyFor?: string;
}

export type FakeFault =
  | { readonly kind: 'throttle'; readonly retryAfter: number }
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'error'; readonly error: string }
  /** Does what was asked, but never answers. */
  | { readonly kind: 'hang' }
  /** Cuts the connection without doing anything. */
  | { readonly kind: 'drop' };

export type Args = Readonly<Record<string, string>>;
export type Answer = { readonly ok: boolean; readonly error?: string; readonly [field: string]: unknown };

export interface SlackServer {
  /** Base of the Web API, with its slash. */
  readonly url: string;
  /** Every call in order, those that failed too. */
  readonly calls: readonly { readonly method: string; readonly args: Args }[];
  callsOf(method: string): readonly Args[];
  addUser(user: FakeUser): void;
  addChannel(channel: FakeChannel): void;
  /** What somebody sees in a channel; without `viewer`, what everybody sees. */
  messages(channel: string, viewer?: string): readonly FakeMessage[];
  /** Status lines that were set, newest last. */
  readonly statuses: readonly string[];
  /** Somebody writes a message; returns its timestamp. */
  say(channel: string, user: string, text: string, threadTs?: string): string;
  /** Somebody deletes a message. */
  remove(channel: string, ts: string): void;
  /** The next calls of this method fail so. */
  fail(method: string, fault: FakeFault, times?: number): void;
  /** Resolves with the next Socket Mode connection, or the one that is open. */
  socket(): Promise<FakeSocket>;
  close(): Promise<void>;
}

export interface SlackServerOptions {
  /** Enforce one post a second and channel, and 50 edits a minute. */
  readonly rates?: boolean;
}

const error = (code: string): Answer => ({ ok: false, error: code });

async function readForm(req: IncomingMessage): Promise<Args> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
}

/** Starts the server on a free port of the loopback. */
export async function startSlackServer({ rates = false }: SlackServerOptions = {}): Promise<SlackServer> {
  const users = new Map<string, FakeUser>();
  const channels = new Map<string, FakeChannel>();
  const messages: FakeMessage[] = [];
  const calls: { method: string; args: Args }[] = [];
  const faults = new Map<string, { fault: FakeFault; times: number }>();
  const lastPost = new Map<string, number>();
  const edits: number[] = [];
  const streaming = new Set<string>();
  const statuses: string[] = [];
  let open: FakeSocket | undefined;
  const waiting: ((socket: FakeSocket) => void)[] = [];
  let count = 0;

  const nextTs = (): string => {
    count += 1;
    return `1795376915.${String(count).padStart(6, '0')}`;
  };

  /** Seconds to wait before Slack would allow this call. */
  function rateLimit(method: string, args: Args): number | undefined {
    if (!rates) return undefined;
    const now = Date.now();
    if (method === 'chat.postMessage') {
      const before = lastPost.get(args.channel ?? '') ?? 0;
      if (now - before < 1_000) return 1;
      lastPost.set(args.channel ?? '', now);
    }
    if (method === 'chat.update') {
      while ((edits[0] ?? now) < now - 60_000) edits.shift();
      if (edits.length >= 50) return Math.ceil(((edits[0] ?? now) + 60_000 - now) / 1_000);
      edits.push(now);
    }
    return undefined;
  }

  const find = (channel: string | undefined, ts: string | undefined): FakeMessage | undefined =>
    messages.find((one) => one.channel === channel && one.ts === ts && !one.onlyFor);

  /** The blocks of a message, or what Slack would say against it. */
  function content(args: Args): { text: string; blocks?: readonly unknown[] } | Answer {
    const { text = '', blocks: json } = args;
    if (!text && !json) return error('no_text');
    if (text.length > 40_000) return error('msg_too_long');
    if (!json) return { text };
    const blocks: unknown = JSON.parse(json);
    const wrong = faultsOfBlocks(blocks);
    if (wrong) return { ...error(wrong.error), response_metadata: { messages: [wrong.reasons] } };
    return { text, blocks: blocks as unknown[] };
  }

  function write(args: Args, onlyFor?: string): Answer {
    const channel = channels.get(args.channel ?? '');
    if (!channel) return error('channel_not_found');
    if (channel.archived) return error('is_archived');
    if (!channel.members.includes(SLACK_BOT.userId)) return error('not_in_channel');
    if (onlyFor && !channel.members.includes(onlyFor)) return error('user_not_in_channel');
    if (args.thread_ts && !find(channel.id, args.thread_ts)) return error('thread_not_found');
    const written = content(args);
    if ('ok' in written) return written;
    const message: FakeMessage = {
      type: 'message',
      ts: nextTs(),
      channel: channel.id,
      user: SLACK_BOT.userId,
      bot_id: SLACK_BOT.botId,
      ...(args.thread_ts && { thread_ts: args.thread_ts }),
      ...(onlyFor && { onlyFor }),
      ...written,
    };
    messages.push(message);
    return onlyFor
      ? { ok: true, message_ts: message.ts }
      : { ok: true, channel: channel.id, ts: message.ts, message };
  }

  function page(all: readonly FakeMessage[], { limit = '100', cursor = '0' }: Args): Answer {
    const start = Number(cursor);
    const end = start + Number(limit);
    const next = end < all.length ? String(end) : '';
    return {
      ok: true,
      messages: all.slice(start, end),
      has_more: next !== '',
      response_metadata: { next_cursor: next },
    };
  }

  const methods: Readonly<Record<string, (args: Args) => Answer>> = {
    'auth.test': () => ({
      ok: true,
      team_id: SLACK_TEAM,
      user_id: SLACK_BOT.userId,
      bot_id: SLACK_BOT.botId,
    }),
    'apps.connections.open': () => ({ ok: true, url: `ws://127.0.0.1:${port()}/socket` }),
    'users.info': ({ user: id = '' }) => {
      const user = users.get(id);
      return user ? { ok: true, user: { team_id: SLACK_TEAM, ...user } } : error('user_not_found');
    },
    'conversations.open': ({ users: id = '' }) => {
      if (!users.has(id)) return error('user_not_found');
      const channel = `D${id.slice(1)}`;
      channels.set(channel, { id: channel, members: [id, SLACK_BOT.userId] });
      return { ok: true, channel: { id: channel } };
    },
    'conversations.replies': (args) => {
      const root = find(args.channel, args.ts);
      if (!root) return error('thread_not_found');
      const { oldest = '0', latest = '9999999999' } = args;
      const thread = messages.filter(
        (one) =>
          one.channel === args.channel &&
          !one.onlyFor &&
          (one.ts === root.ts || (one.thread_ts === root.ts && one.ts >= oldest && one.ts <= latest)),
      );
      return page(thread, args);
    },
    'conversations.history': (args) => {
      if (!channels.has(args.channel ?? '')) return error('channel_not_found');
      const roots = messages.filter((one) => one.channel === args.channel && !one.thread_ts && !one.onlyFor);
      return page(roots.toReversed(), args);
    },
    'chat.postMessage': (args) => write(args),
    'chat.postEphemeral': (args) => write(args, args.user),
    'chat.update': (args) => {
      const message = find(args.channel, args.ts);
      if (message && streaming.has(message.ts)) return error('streaming_state_conflict');
      if (!message)
        return error(channels.has(args.channel ?? '') ? 'message_not_found' : 'channel_not_found');
      if (message.user !== SLACK_BOT.userId) return error('cant_update_message');
      const written = content(args);
      if ('ok' in written) return written;
      message.text = written.text;
      if (written.blocks) message.blocks = written.blocks;
      return { ok: true, channel: message.channel, ts: message.ts, text: message.text };
    },
    ...streamMethods({ write, find, streaming, statuses }),
  };

  function faultFor(method: string): FakeFault | undefined {
    const planned = faults.get(method);
    if (!planned) return undefined;
    planned.times -= 1;
    if (planned.times <= 0) faults.delete(method);
    return planned.fault;
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const method = (req.url ?? '').replace(/^\/api\//, '');
    const args = await readForm(req);
    calls.push({ method, args });
    const send = (body: Answer, status = 200, headers = {}): void => {
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    };
    const throttle = (seconds: number): void =>
      send(error('ratelimited'), 429, { 'retry-after': String(seconds) });

    const token = method === 'apps.connections.open' ? SLACK_BOT.appToken : SLACK_BOT.token;
    if (req.headers.authorization !== `Bearer ${token}`) return send(error('invalid_auth'));
    const run = methods[method];
    if (!run) return send(error('unknown_method'));
    const fault = faultFor(method);
    if (fault?.kind === 'throttle') return throttle(fault.retryAfter);
    if (fault?.kind === 'http') return send(error('internal_error'), fault.status);
    if (fault?.kind === 'error') return send(error(fault.error));
    if (fault?.kind === 'drop') {
      req.socket.destroy();
      return;
    }
    const wait = rateLimit(method, args);
    if (wait !== undefined) return throttle(wait);
    const body = run(args);
    if (fault?.kind !== 'hang') send(body);
  }

  const server = createServer((req, res) => void answer(req, res));
  server.on('upgrade', (req, socket) => {
    open = acceptSocket(req, socket, () => {
      open = undefined;
    });
    for (const resolve of waiting.splice(0)) resolve(open);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (): number => (server.address() as AddressInfo).port;

  return {
    url: `http://127.0.0.1:${port()}/api/`,
    calls,
    statuses,
    callsOf: (method) => calls.filter((call) => call.method === method).map(({ args }) => args),
    addUser: (user) => void users.set(user.id, user),
    addChannel: (channel) => void channels.set(channel.id, channel),
    messages: (channel, viewer) =>
      messages.filter((one) => one.channel === channel && (!one.onlyFor || one.onlyFor === viewer)),
    remove(channel, ts) {
      messages.splice(
        messages.findIndex((one) => one.channel === channel && one.ts === ts),
        1,
      );
    },
    say(channel, user, text, threadTs) {
      const ts = nextTs();
      messages.push({ type: 'message', ts, channel, user, text, ...(threadTs && { thread_ts: threadTs }) });
      return ts;
    },
    fail: (method, fault, times = 1) => void faults.set(method, { fault, times }),
    socket: () => (open ? Promise.resolve(open) : new Promise((resolve) => waiting.push(resolve))),
    async close() {
      open?.cut();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
