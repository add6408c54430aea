/** Slack as an HTTP Events app meets it: our fake Web API on one side, signed posts to the bot on the other. */
import type { SlackPeople } from '../../infra/local/slack-people.ts';
import { PEOPLE, SLACK_APP, TRANSFERS_CHANNEL, WORKSPACE } from '../../infra/local/slack-workspace.ts';
import type { Environment } from '../../infra/local/stack-environment.ts';
import { SLACK_BOT, type SlackServer, startSlackServer } from '../fakes/slack-server.ts';
import { postSignedCommand, postSignedInteraction, postSignedJson } from '../fakes/slack-signer.ts';

/** How one post differs from what Slack does when all is well. */
export interface Delivery {
  /** The bot that gets it; the first one unless given. */
  readonly bot?: string;
  readonly secret?: string;
  /** Epoch seconds of the signature. */
  readonly timestamp?: number;
  /** Counts up when Slack delivers again. */
  readonly retryNum?: number;
}

export interface HttpSlack {
  readonly server: SlackServer;
  /** What its people do, as the local Slack's can. Refused posts throw. */
  readonly people: SlackPeople;
  /** The settings of a bot that Slack posts to. */
  readonly botSettings: Environment;
  readonly workerSettings: Environment;
  /** The two events that Slack sends for a message with a mention, in its order. */
  mentionEvents(ts: string, user: string, text: string): readonly object[];
  postEvent(event: object, delivery?: Delivery): Promise<Response>;
  postClick(click: Click, delivery?: Delivery): Promise<Response>;
  postCommand(user: string, text: string, delivery?: Delivery): Promise<Response>;
  close(): Promise<void>;
}

export interface Click {
  readonly user: string;
  readonly channel: string;
  readonly messageTs: string;
  readonly actionId: string;
  readonly value: string;
  /** Tells one click from the next; a new one unless given. */
  readonly actionTs?: string;
}

const { signingSecret } = SLACK_APP;
const isDirect = (channel: string) => channel.startsWith('D');

/**
 * Starts the fake with the demo's people in it: nobody more, so that tests add guests and strangers as they like.
 *
 * @param botUrl where the first bot answers HTTP; asked at every post
 */
export async function startHttpSlack(botUrl: () => string): Promise<HttpSlack> {
  const server = await startSlackServer();
  const people = Object.values(PEOPLE);
  for (const { id, name, realName, email } of people)
    server.addUser({ id, name, profile: { display_name: name, real_name: realName, email } });
  server.addChannel({ id: TRANSFERS_CHANNEL.id, members: [...people.map(({ id }) => id), SLACK_BOT.userId] });
  for (const { id, dm } of people) server.addChannel({ id: dm, members: [id, SLACK_BOT.userId] });

  let count = 0;
  const next = () => `1795377000.${String(++count).padStart(6, '0')}`;

  const request = ({ bot, secret = signingSecret, ...rest }: Delivery) => ({
    url: `${bot ?? botUrl()}/slack/events`,
    secret,
    ...rest,
  });
  const envelope = { team_id: WORKSPACE.teamId, api_app_id: SLACK_APP.appId };

  const slack: HttpSlack = {
    server,
    botSettings: {
      SLACK_API_URL: server.url,
      SLACK_BOT_TOKEN: SLACK_BOT.token,
      SLACK_APP_TOKEN: '',
      SLACK_SIGNING_SECRET: signingSecret,
    },
    workerSettings: { SLACK_API_URL: server.url, SLACK_BOT_TOKEN: SLACK_BOT.token },

    mentionEvents(ts, user, text) {
      const event = { user, ts, event_ts: ts, channel: TRANSFERS_CHANNEL.id, text };
      return [
        { ...event, type: 'message', channel_type: 'channel' },
        { ...event, type: 'app_mention' },
      ];
    },

    postEvent: (event, delivery = {}) =>
      postSignedJson(request(delivery), {
        ...envelope,
        type: 'event_callback',
        event_id: `Ev${next()}`,
        event_time: Math.floor(Date.now() / 1_000),
        event,
      }),

    postClick({ user, channel, messageTs, actionId, value, actionTs = next() }, delivery = {}) {
      const shown = server.messages(channel, user).find(({ ts }) => ts === messageTs);
      const place = {
        message_ts: messageTs,
        channel_id: channel,
        ...(shown?.thread_ts && { thread_ts: shown.thread_ts }),
      };
      return postSignedInteraction(request(delivery), {
        ...envelope,
        type: 'block_actions',
        user: { id: user, team_id: WORKSPACE.teamId },
        team: { id: WORKSPACE.teamId },
        channel: { id: channel },
        container: { type: 'message', is_ephemeral: shown?.onlyFor !== undefined, ...place },
        // Slack sends no message along that is in no history.
        ...(!shown?.onlyFor && { message: { type: 'message', ts: messageTs, ...shown } }),
        trigger_id: next(),
        actions: [{ type: 'button', block_id: 'b', action_id: actionId, value, action_ts: actionTs }],
      });
    },

    postCommand: (user, text, delivery = {}) =>
      postSignedCommand(request(delivery), {
        ...envelope,
        channel_id: TRANSFERS_CHANNEL.id,
        user_id: user,
        command: '/fileferry',
        text,
        trigger_id: next(),
      }),

    people: {
      async sendMessage({ channel, user, text, threadTs }) {
        const ts = server.say(channel, user, text, threadTs);
        const event = { user, ts, event_ts: ts, channel, text, ...(threadTs && { thread_ts: threadTs }) };
        const kind = isDirect(channel) ? 'im' : 'channel';
        await accepted(slack.postEvent({ ...event, type: 'message', channel_type: kind }));
        if (text.includes(`<@${SLACK_BOT.userId}>`) && !isDirect(channel))
          await accepted(slack.postEvent({ ...event, type: 'app_mention' }));
        return { ts, user, text, ...(threadTs && { thread_ts: threadTs }) };
      },
      async interact({ button: { actionId, value }, ...click }) {
        await accepted(slack.postClick({ ...click, actionId, value }));
      },
      async command({ user, text }) {
        await accepted(slack.postCommand(user, text));
      },
      openHome: () => Promise.reject(new Error('the fake Slack has no home')),
      messages: async (channel) =>
        server.messages(channel).map(({ blocks, ...message }) => ({
          ...message,
          ...(blocks && { blocks: blocks as { type: string }[] }),
        })),
    },
    close: () => server.close(),
  };
  return slack;
}

async function accepted(post: Promise<Response>): Promise<void> {
  const response = await post;
  if (!response.ok) throw new Error(`the bot answered ${response.status}: ${await response.text()}`);
}
