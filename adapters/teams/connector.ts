/** The Bot Connector, spoken to through botbuilder: the few calls that FileFerry makes, and who may call it. */
import { setTimeout as delay } from 'node:timers/promises';
import { CloudAdapter, ConfigurationBotFrameworkAuthentication } from 'botbuilder';
import { withDeadline } from '../../core/deadline.ts';
import { FerryError } from '../../core/errors.ts';
import type { TeamsThreadRef } from '../../core/thread-ref.ts';
import { saysItIsFromChannel } from './channel-token.ts';
import { fromTeams, isUncertain, isWorthRepeating } from './errors.ts';
import { ConnectorFault, connectorHttp, type TurnContext } from './http.ts';
import { createPace } from './pace.ts';
import type { ServiceUrls } from './service-urls.ts';

export interface TeamsIdentity {
  /** Application (client) id; `''` only where nothing is authenticated. */
  readonly appId: string;
  readonly appType: 'SingleTenant' | 'UserAssignedMSI';
  readonly appPassword?: string | undefined;
  readonly tenantId: string;
}

type AuthOptions = NonNullable<ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[0]>;
type Credentials = ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[1];

export interface ConnectorOptions {
  readonly identity: TeamsIdentity;
  readonly serviceUrls: ServiceUrls;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds for one request. */
  readonly timeoutMs?: number;
  /** Milliseconds that one call may wait in all for the limits of Teams. */
  readonly patienceMs?: number;
  /** Milliseconds before the second, third … attempt; up to half as much again is added by chance. */
  readonly backoffMs?: readonly number[];
  /** Other addresses of Microsoft's keys, and other credentials, for tests with keys of their own. */
  readonly authority?: AuthOptions;
  readonly credentials?: Credentials;
}

/** What is sent: an activity without its addressing. */
export interface OutgoingActivity {
  readonly type: 'message';
  readonly text?: string;
  readonly summary?: string;
  readonly attachments?: readonly { readonly contentType: string; readonly content: unknown }[];
}

/** One member of a conversation, as its roster has them. */
export interface RosterEntry {
  readonly name?: string;
  readonly email?: string;
  readonly tenantId?: string;
  readonly aadObjectId?: string;
  /** `user`, `guest`, `anonymous` or `bot`. */
  readonly userRole?: string;
}

/** Every call but `authenticate` and `typing` throws FerryErrors only. */
export interface TeamsConnector {
  readonly identity: TeamsIdentity;
  /** Posts; answers with the activity's id. */
  send(thread: TeamsThreadRef, activity: OutgoingActivity): Promise<string>;
  /** Shows that the bot writes, for some seconds or until it has; asked once. */
  typing(thread: TeamsThreadRef): Promise<void>;
  update(thread: TeamsThreadRef, activityId: string, activity: OutgoingActivity): Promise<void>;
  /** Opens the personal chat with somebody who has the app; answers with its conversation id. */
  openPersonal(serviceUrl: string, tenantId: string, aadObjectId: string): Promise<string>;
  rosterEntry(thread: TeamsThreadRef, memberId: string): Promise<RosterEntry>;
  /**
   * Whether the request comes from Teams and is meant for this bot: its token, and that it was issued for this
   * service URL. Throws when Microsoft's keys cannot be fetched.
   */
  authenticate(
    activity: { readonly channelId: string; readonly serviceUrl: string },
    authorization: string,
  ): Promise<'genuine' | 'refused'>;
}

/** Whom the bot's token is for. */
const AUDIENCE = 'https://api.botframework.com';
/** Who signs what Teams sends. */
const CHANNEL_ISSUER = 'https://api.botframework.com';
const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_PATIENCE_MS = 20_000;
const DEFAULT_BACKOFF_MS = [500, 2_000, 5_000];

/** What the client of a turn can do, as far as it is used here. */
interface Conversations {
  sendToConversation(conversationId: string, activity: object): Promise<{ id?: string }>;
  updateActivity(conversationId: string, activityId: string, activity: object): Promise<unknown>;
  getConversationMember(conversationId: string, memberId: string): Promise<RosterEntry>;
}

interface CallOptions {
  /** Whether the same call may be made twice when nobody knows whether Teams acted on the first. */
  readonly repeatable: boolean;
}

export function createTeamsConnector(options: ConnectorOptions): TeamsConnector {
  const { identity, serviceUrls, now, patienceMs = DEFAULT_PATIENCE_MS } = options;
  const { backoffMs = DEFAULT_BACKOFF_MS, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const pace = createPace(now);
  const authentication = new ConfigurationBotFrameworkAuthentication(
    {
      ...(identity.appId && {
        MicrosoftAppId: identity.appId,
        MicrosoftAppType: identity.appType,
        MicrosoftAppTenantId: identity.tenantId,
        ...(identity.appPassword && { MicrosoftAppPassword: identity.appPassword }),
      }),
      ...options.authority,
    },
    options.credentials,
    undefined,
    undefined,
    { httpClient: connectorHttp(timeoutMs) },
  );
  const adapter = new CloudAdapter(authentication);
  const channel = {
    issuer: options.authority?.ToBotFromChannelTokenIssuer ?? CHANNEL_ISSUER,
    tenantId: identity.tenantId,
  };

  function checkService(serviceUrl: string): void {
    if (serviceUrls.allows(serviceUrl)) return;
    throw new FerryError('not_allowed', {
      userMessage: 'FileFerry does not know the server of this Teams conversation. Nothing was posted.',
      cause: new TypeError(`not a known service URL: ${serviceUrl}`),
    });
  }

  /** Makes the call within the limits and with bounded patience; uncertain ends are repeated where that is safe. */
  async function call<T>(
    conversationId: string | undefined,
    make: () => Promise<T>,
    { repeatable }: CallOptions,
  ): Promise<T> {
    let patience = patienceMs;
    for (let attempt = 0; ; attempt += 1) {
      if (conversationId !== undefined && !(await pace.take(conversationId, patience))) {
        throw fromTeams(new ConnectorFault(429, 'OurOwnLimit', undefined));
      }
      try {
        // The bot's own token is fetched with it, by a client that waits for ever (`@azure/msal-node`).
        return await withDeadline(make(), 2 * timeoutMs, 'a call to Teams with its token');
      } catch (thrown) {
        const base = backoffMs[attempt];
        const mayRepeat = isWorthRepeating(thrown) || (repeatable && isUncertain(thrown));
        if (!mayRepeat || base === undefined) throw fromTeams(thrown);
        const asked = thrown instanceof ConnectorFault ? thrown.retryAfterMs : undefined;
        const wait = Math.max(asked ?? 0, base) + Math.random() * (base / 2);
        if (wait > patience) throw fromTeams(thrown);
        patience -= wait;
        await delay(wait);
      }
    }
  }

  /** Runs `use` with a client for this thread, from its reference alone. */
  async function within<T>(
    thread: TeamsThreadRef,
    use: (conversations: Conversations) => Promise<T>,
  ): Promise<T> {
    checkService(thread.serviceUrl);
    const outcome = Promise.withResolvers<T>();
    const reference = {
      channelId: 'msteams',
      serviceUrl: thread.serviceUrl,
      bot: { id: thread.botId, name: '' },
      conversation: {
        id: thread.conversationId,
        tenantId: thread.tenantId,
        isGroup: thread.conversationId.startsWith('19:'),
        conversationType: '',
        name: '',
      },
    };
    await adapter.continueConversationAsync(identity.appId, reference, async (context: TurnContext) => {
      const client = context.turnState.get(adapter.ConnectorClientKey) as { conversations: Conversations };
      await use(client.conversations).then(outcome.resolve, outcome.reject);
    });
    return outcome.promise;
  }

  const addressed = (
    { conversationId, botId, tenantId }: TeamsThreadRef,
    activity: OutgoingActivity | { readonly type: 'typing' },
  ) => ({
    ...activity,
    channelId: 'msteams',
    from: { id: botId },
    conversation: { id: conversationId, tenantId },
  });

  return {
    identity,

    async send(thread, activity) {
      const { id } = await call(
        thread.conversationId,
        () =>
          within(thread, (conversations) =>
            conversations.sendToConversation(thread.conversationId, addressed(thread, activity)),
          ),
        { repeatable: false },
      );
      if (!id) throw new FerryError('internal', { userMessage: 'Teams posted no message.' });
      return id;
    },

    async typing(thread) {
      await within(thread, (conversations) =>
        conversations.sendToConversation(thread.conversationId, addressed(thread, { type: 'typing' })),
      );
    },

    async update(thread, activityId, activity) {
      await call(
        thread.conversationId,
        () =>
          within(thread, (conversations) =>
            conversations.updateActivity(thread.conversationId, activityId, {
              ...addressed(thread, activity),
              id: activityId,
            }),
          ),
        { repeatable: true },
      );
    },

    async openPersonal(serviceUrl, tenantId, aadObjectId) {
      checkService(serviceUrl);
      return call(
        undefined,
        async () => {
          let opened = '';
          const parameters = {
            isGroup: false,
            bot: { id: `28:${identity.appId}`, name: '' },
            members: [{ id: aadObjectId, name: '' }],
            tenantId,
            channelData: { tenant: { id: tenantId } },
          };
          await adapter.createConversationAsync(
            identity.appId,
            'msteams',
            serviceUrl,
            AUDIENCE,
            parameters as Parameters<CloudAdapter['createConversationAsync']>[4],
            async (context) => {
              opened = context.activity.conversation.id;
            },
          );
          if (!opened) throw new FerryError('internal', { userMessage: 'Teams opened no conversation.' });
          return opened;
        },
        // Opening a chat that is open gives the same one.
        { repeatable: true },
      );
    },

    rosterEntry: (thread, memberId) =>
      call(
        undefined,
        () =>
          within(thread, (conversations) =>
            conversations.getConversationMember(thread.conversationId, memberId),
          ),
        { repeatable: true },
      ),

    async authenticate(activity, authorization) {
      if (identity.appId && !saysItIsFromChannel(authorization, channel)) return 'refused';
      try {
        await authentication.authenticateRequest(
          activity as Parameters<typeof authentication.authenticateRequest>[0],
          authorization,
        );
        return 'genuine';
      } catch (error) {
        if (isOutage(error)) throw fromTeams(error);
        return 'refused';
      }
    },
  };
}

/** Microsoft's keys could not be fetched, which says nothing about the request. */
const isOutage = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'FetchError' || ('statusCode' in error && error.statusCode === 500));
