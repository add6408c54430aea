/** The demo's Slack workspace: its people, channels and app, for the local Slack and the policy alike. */
import { stringify } from 'yaml';

export const WORKSPACE = {
  name: 'FileFerry Demo',
  domain: 'fileferry-demo',
  teamId: 'T01FERRY',
} as const;

/** Not secrets: the local Slack accepts these and nothing outside it does. */
export const SLACK_APP = {
  appId: 'A01FERRY',
  botUserId: 'U0FERRY',
  botName: 'fileferry',
  botToken: 'xoxb-local',
  appToken: 'xapp-local',
  signingSecret: 'local-secret',
} as const;

export const PEOPLE = {
  ana: { id: 'U01ANA', name: 'ana', realName: 'Ana Silva', email: 'ana.silva@example.com', dm: 'D01ANA' },
  bob: { id: 'U02BOB', name: 'bob', realName: 'Bob Stone', email: 'bob.stone@example.com', dm: 'D02BOB' },
  cleo: { id: 'U03CLEO', name: 'cleo', realName: 'Cleo Park', email: 'cleo.park@example.com', dm: 'D03CLEO' },
  dan: { id: 'U04DAN', name: 'dan', realName: 'Dan Reyes', email: 'dan.reyes@example.com', dm: 'D04DAN' },
} as const;
export type PersonName = keyof typeof PEOPLE;

export const TRANSFERS_CHANNEL = { id: 'C01OPS', name: 'transfers' } as const;

/** How events reach the bot: over its own socket, or posted and signed to a URL of its. */
export type SlackDelivery = 'socket' | { readonly requestUrl: string };

/** The local Slack's configuration as YAML. */
export function slackConfig(delivery: SlackDelivery): string {
  const people = Object.values(PEOPLE);
  return stringify({
    workspace: WORKSPACE,
    app: {
      ...SLACK_APP,
      ...(delivery === 'socket' ? { mode: 'socket' } : { mode: 'events', requestUrl: delivery.requestUrl }),
    },
    users: people.map(({ id, name, realName, email }) => ({ id, name, real_name: realName, email })),
    channels: [
      { ...TRANSFERS_CHANNEL, members: [...people.map(({ id }) => id), SLACK_APP.botUserId] },
      ...people.map(({ id, name, dm }) => ({
        id: dm,
        name: `dm-${name}`,
        is_im: true,
        is_channel: false,
        is_private: true,
        members: [id, SLACK_APP.botUserId],
      })),
    ],
  });
}
