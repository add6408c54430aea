/** The Teams app's manifest: what Teams shows of FileFerry and where people may add it. */

export interface TeamsManifestFacts {
  /** Where the bot answers, such as `https://ferry.example.com`. */
  readonly baseUrl: string;
  /** Application (client) id of the app registration. */
  readonly appId: string;
  /** Of the package, such as `1.0.0`; Teams takes an update only with a higher one. */
  readonly version: string;
}

const COMMANDS = [
  { title: 'send', description: 'Send files from S3 to a destination' },
  { title: 'status', description: 'How your transfers stand' },
  { title: 'history', description: 'What you sent before' },
  { title: 'destinations', description: 'Where you may send files' },
  { title: 'list buckets', description: 'Where files can come from' },
  { title: 'help', description: 'What I understand' },
] as const;

const SCOPES = ['personal', 'team', 'groupChat'] as const;

/**
 * It asks for no permission beyond a bot's own: FileFerry reads the messages that name it and the roster of the
 * conversations that it is in, which every bot may.
 *
 * @see https://learn.microsoft.com/microsoft-365/extensibility/schema/
 */
export function teamsManifest({ baseUrl, appId, version }: TeamsManifestFacts) {
  return {
    $schema: 'https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.schema.json',
    manifestVersion: '1.19',
    version,
    id: appId,
    developer: {
      name: 'FileFerry',
      websiteUrl: `${baseUrl}/`,
      privacyUrl: `${baseUrl}/privacy`,
      termsOfUseUrl: `${baseUrl}/terms`,
    },
    icons: { color: 'color.png', outline: 'outline.png' },
    name: { short: 'FileFerry', full: 'FileFerry, files from S3 to FTP' },
    description: {
      short: 'Move files from Amazon S3 to FTP servers by asking.',
      full: 'Ask FileFerry to send files from Amazon S3 to an FTP server. Somebody else approves with a button, FileFerry delivers, checks and reports, and two tickets tell the whole story.',
    },
    accentColor: '#0F4C81',
    bots: [
      {
        botId: appId,
        scopes: [...SCOPES],
        supportsFiles: false,
        isNotificationOnly: false,
        commandLists: [{ scopes: [...SCOPES], commands: [...COMMANDS] }],
      },
    ],
    validDomains: [new URL(baseUrl).host],
  };
}
