/** What people do in the fake Teams, sent to the bot as Teams would send it. */
import { randomUUID } from 'node:crypto';
import { personalIdOf, TEAMS_APP, TEAMS_TENANT, type TeamsUser } from './teams-world.ts';

/** How the bot answered an activity. */
export interface Delivered {
  readonly status: number;
  /** Its JSON, or undefined where the answer has no body. */
  readonly body: unknown;
  /** The activity that was sent, to send it again. */
  readonly activity: Readonly<Record<string, unknown>>;
}

export interface Said extends Delivered {
  /** The thread that it stands in or begins. */
  readonly conversationId: string;
}

export interface TeamsPeople {
  /** Where the bot listens, and the `Authorization` that goes with an activity; none unless given. */
  connect(bot: { readonly url: string; readonly authorization?: () => string }): void;
  /** Mentions the bot in a channel, a thread of it or a group chat. */
  mention(aadObjectId: string, conversationId: string, text: string): Promise<Said>;
  /** Writes to the bot in the personal chat. */
  write(aadObjectId: string, text: string): Promise<Said>;
  /** Presses a button of a card; it need not be one that the card shows. */
  click(
    aadObjectId: string,
    message: { readonly id: string; readonly conversationId: string },
    button: { readonly verb: string; readonly value: string; readonly thread?: string | undefined },
  ): Promise<Delivered>;
  /** The app is added to a conversation, of which Teams tells twice. */
  install(aadObjectId: string, conversationId: string): Promise<readonly Delivered[]>;
  /** The app is taken away again. */
  uninstall(aadObjectId: string, conversationId: string): Promise<readonly Delivered[]>;
  /** Somebody else comes to a conversation that the bot is in, or leaves it. */
  member(aadObjectId: string, conversationId: string, change: 'joins' | 'leaves'): Promise<Delivered>;
  /** Sends an activity as it is. */
  deliver(activity: Readonly<Record<string, unknown>>): Promise<Delivered>;
}

const BOT_ID = `28:${TEAMS_APP}`;

export function createTeamsPeople(teams: {
  serviceUrl: string;
  userOf: (aadObjectId: string) => TeamsUser | undefined;
  nextId: () => string;
  /** The app is in this conversation from now on, or no longer. */
  setBot: (conversationId: string, present: boolean) => void;
}): TeamsPeople {
  let bot: { url: string; authorization?: () => string } | undefined;

  async function deliver(activity: Readonly<Record<string, unknown>>): Promise<Delivered> {
    if (!bot) throw new Error('connect the fake Teams to the bot first');
    const response = await fetch(bot.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...(bot.authorization && { authorization: bot.authorization() }),
      },
      body: JSON.stringify(activity),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined, activity };
  }

  const conversationTypeOf = (conversationId: string) =>
    conversationId.startsWith('a:')
      ? 'personal'
      : conversationId.includes('@thread.tacv2')
        ? 'channel'
        : 'groupChat';

  function envelope(aadObjectId: string, conversationId: string) {
    const user = teams.userOf(aadObjectId);
    const conversationType = conversationTypeOf(conversationId);
    return {
      channelId: 'msteams',
      serviceUrl: teams.serviceUrl,
      timestamp: new Date().toISOString(),
      from: { id: `29:${aadObjectId}`, name: user?.name ?? '', aadObjectId },
      conversation: {
        ...(conversationType !== 'personal' && { isGroup: true }),
        conversationType,
        tenantId: TEAMS_TENANT,
        id: conversationId,
      },
      recipient: { id: BOT_ID, name: 'FileFerry' },
      channelData: { tenant: { id: TEAMS_TENANT } },
    };
  }

  const installation = (aadObjectId: string, conversationId: string, action: 'add' | 'remove') =>
    deliver({
      ...envelope(aadObjectId, conversationId),
      type: 'installationUpdate',
      action,
      id: `f:${randomUUID()}`,
    });
  const members = (aadObjectId: string, conversationId: string, change: object) =>
    deliver({
      ...envelope(aadObjectId, conversationId),
      type: 'conversationUpdate',
      id: `f:${randomUUID()}`,
      ...change,
    });

  return {
    connect(where) {
      bot = where;
    },
    deliver,
    async mention(aadObjectId, conversationId, text) {
      const id = teams.nextId();
      const thread =
        conversationTypeOf(conversationId) === 'channel' && !conversationId.includes(';messageid=')
          ? `${conversationId};messageid=${id}`
          : conversationId;
      const mark = '<at>FileFerry</at>';
      const delivered = await deliver({
        ...envelope(aadObjectId, thread),
        type: 'message',
        id,
        textFormat: 'plain',
        text: `${mark} ${text}`,
        entities: [{ type: 'mention', mentioned: { id: BOT_ID, name: 'FileFerry' }, text: mark }],
      });
      return { ...delivered, conversationId: thread };
    },
    async write(aadObjectId, text) {
      const conversationId = personalIdOf(aadObjectId);
      const delivered = await deliver({
        ...envelope(aadObjectId, conversationId),
        type: 'message',
        id: teams.nextId(),
        textFormat: 'plain',
        text,
      });
      return { ...delivered, conversationId };
    },
    click: (aadObjectId, message, { verb, value, thread }) =>
      deliver({
        ...envelope(aadObjectId, message.conversationId),
        type: 'invoke',
        name: 'adaptiveCard/action',
        id: `f:${randomUUID()}`,
        replyToId: message.id,
        value: { action: { type: 'Action.Execute', verb, data: { value, thread } }, trigger: 'manual' },
      }),
    async install(aadObjectId, conversationId) {
      teams.setBot(conversationId, true);
      return Promise.all([
        members(aadObjectId, conversationId, { membersAdded: [{ id: BOT_ID }] }),
        installation(aadObjectId, conversationId, 'add'),
      ]);
    },
    async uninstall(aadObjectId, conversationId) {
      teams.setBot(conversationId, false);
      return Promise.all([
        members(aadObjectId, conversationId, { membersRemoved: [{ id: BOT_ID }] }),
        installation(aadObjectId, conversationId, 'remove'),
      ]);
    },
    member(aadObjectId, conversationId, change) {
      const list = [{ id: `29:${aadObjectId}`, aadObjectId }];
      const told = change === 'joins' ? { membersAdded: list } : { membersRemoved: list };
      return members(aadObjectId, conversationId, told);
    },
  };
}
