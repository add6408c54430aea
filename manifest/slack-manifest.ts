/** The Slack app's manifest: its events, its command, and the least scopes that FileFerry's calls need. */

/** What each scope is for; a test compares it with the calls and events in the code. */
export const SLACK_SCOPES = {
  'app_mentions:read': 'hears its mentions',
  'channels:history': 'reads on in threads of public channels, and finds its own messages',
  'chat:write': 'posts and edits cards',
  commands: 'answers /fileferry',
  'groups:history': 'the same in private channels',
  'im:history': 'reads direct messages',
  'im:write': 'opens direct messages',
  'users:read': 'knows names, guests and deactivated accounts',
  'users:read.email': 'knows people by the address that the policy names',
} as const;

export const SLACK_EVENTS = ['app_mention', 'message.channels', 'message.groups', 'message.im'] as const;

/**
 * @param baseUrl where the bot answers Slack's requests; undefined for Socket Mode, which needs no address
 * @see https://docs.slack.dev/reference/app-manifest
 */
export function slackManifest(baseUrl: string | undefined) {
  const url = baseUrl === undefined ? {} : { request_url: `${baseUrl}/slack/events` };
  return {
    display_information: {
      name: 'FileFerry',
      description: 'Move files from Amazon S3 to FTP servers by asking.',
      background_color: '#0f4c81',
    },
    features: {
      app_home: {
        home_tab_enabled: false,
        messages_tab_enabled: true,
        messages_tab_read_only_enabled: false,
      },
      bot_user: { display_name: 'fileferry', always_online: true },
      slash_commands: [
        {
          command: '/fileferry',
          ...(baseUrl === undefined ? {} : { url: `${baseUrl}/slack/events` }),
          description: 'Send files, and see how transfers stand',
          usage_hint: 'send s3://bucket/key to destination',
          should_escape: false,
        },
      ],
    },
    oauth_config: { scopes: { bot: Object.keys(SLACK_SCOPES) } },
    settings: {
      event_subscriptions: { ...url, bot_events: [...SLACK_EVENTS] },
      interactivity: { is_enabled: true, ...url },
      org_deploy_enabled: false,
      socket_mode_enabled: baseUrl === undefined,
      token_rotation_enabled: false,
    },
  };
}
