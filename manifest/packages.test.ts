/** The app packages: valid by Microsoft's schema, the same at every run, and asking for no more than the code uses. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { AppManifestUtils } from '@microsoft/app-manifest';
import { describe, expect, it } from 'vitest';
import { colorIcon, outlineIcon } from './icon.ts';
import { EXAMPLE, packageFiles, teamsPackage } from './packages.ts';
import { SLACK_EVENTS, SLACK_SCOPES, slackManifest } from './slack-manifest.ts';
import { teamsManifest } from './teams-manifest.ts';

const HERE = import.meta.dirname;
const ADAPTERS = join(HERE, '..', 'adapters');

function sourceOf(folder: string): string {
  return readdirSync(join(ADAPTERS, folder))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(ADAPTERS, folder, name), 'utf8'))
    .join('\n');
}

describe('the Teams package', () => {
  it('holds what Microsoft’s schema asks for', async () => {
    const manifest = teamsManifest(EXAMPLE);
    type Manifest = Parameters<typeof AppManifestUtils.validateAgainstSchema>[0];
    expect(await AppManifestUtils.validateAgainstSchema(manifest as unknown as Manifest)).toEqual([]);
    const { name, ...without } = manifest;
    expect(
      await AppManifestUtils.validateAgainstSchema({ ...without, nom: name } as unknown as Manifest),
    ).not.toEqual([]);
  });

  it('asks for nothing but the conversations that the code knows', () => {
    const manifest = teamsManifest(EXAMPLE);
    expect(manifest).not.toHaveProperty('permissions');
    expect(manifest).not.toHaveProperty('authorization');
    expect(manifest).not.toHaveProperty('webApplicationInfo');
    expect(manifest.bots.map(({ scopes }) => scopes)).toEqual([['personal', 'team', 'groupChat']]);
    // Neither Graph nor files: what would need a permission is not called.
    expect(sourceOf('teams')).not.toMatch(/graph\.microsoft|fileConsent|getPagedMembers|getTeamDetails/);
  });

  it('is the same at every run, and a ZIP that others can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fileferry-manifest-'));
    try {
      const run = (out: string) =>
        execFileSync(
          process.execPath,
          [join(HERE, 'build.ts'), '--base-url', EXAMPLE.baseUrl, '--out', join(folder, out)],
          { encoding: 'utf8' },
        );
      expect(run('a')).toContain('--teams-app-id');
      run('b');
      const [first, second] = ['a', 'b'].map((out) => readFileSync(join(folder, out, 'fileferry-teams.zip')));
      expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
      expect(first?.equals(teamsPackage(EXAMPLE))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['color', colorIcon(), 192],
    ['outline', outlineIcon(), 32],
  ])('has a picture %s of the right size', (_, picture, size) => {
    expect(picture.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([size, size]);
    const at = picture.indexOf('IDAT');
    const pixels = inflateSync(picture.subarray(at + 4, at + 4 + picture.readUInt32BE(at - 4)));
    expect(pixels).toHaveLength(size * (size / 8 + 1));
    expect(pixels.some((byte) => byte !== 0)).toBe(true);
  });
});

describe('the Slack manifest', () => {
  /** The scopes of each call; of history, those of the conversations that FileFerry is told of. */
  const NEEDED: Readonly<Record<string, readonly string[]>> = {
    'auth.test': [],
    'chat.postMessage': ['chat:write'],
    'chat.postEphemeral': ['chat:write'],
    'chat.update': ['chat:write'],
    'chat.startStream': ['chat:write'],
    'chat.appendStream': ['chat:write'],
    'chat.stopStream': ['chat:write'],
    // Until Slack's change of March 2026 this took the scope assistant:write alone.
    'assistant.threads.setStatus': ['chat:write'],
    'conversations.open': ['im:write'],
    'conversations.replies': ['channels:history', 'groups:history', 'im:history'],
    'conversations.history': ['channels:history', 'groups:history', 'im:history'],
    'users.info': ['users:read', 'users:read.email'],
  };
  const OF_EVENTS: Readonly<Record<(typeof SLACK_EVENTS)[number], string>> = {
    app_mention: 'app_mentions:read',
    'message.channels': 'channels:history',
    'message.groups': 'groups:history',
    'message.im': 'im:history',
  };

  it('asks for exactly the scopes of the calls and events in the code', () => {
    const source = sourceOf('slack');
    const calls = [...source.matchAll(/\b(?:web|client)\.((?:[a-z]+\.)+[a-zA-Z]+)\(/g)].map(
      (match) => match[1] ?? '',
    );
    expect(new Set(calls)).toEqual(new Set(Object.keys(NEEDED)));
    const scopes = new Set([
      ...calls.flatMap((call) => NEEDED[call] ?? []),
      ...SLACK_EVENTS.map((event) => OF_EVENTS[event]),
      ...(source.includes('app.command(') ? ['commands'] : []),
    ]);
    expect([...scopes].sort()).toEqual(Object.keys(SLACK_SCOPES).sort());
    const heard = [...source.matchAll(/app\.event\('(\w+)'/g)].map((match) => match[1]);
    expect(new Set(SLACK_EVENTS.map((event) => event.split('.', 1)[0]))).toEqual(new Set(heard));
  });

  it('has a request URL for HTTP, and none for Socket Mode', () => {
    expect(
      JSON.stringify(slackManifest('https://a.example')).match(/https:\/\/a\.example\/slack\/events/g),
    ).toHaveLength(3);
    expect(slackManifest(undefined).settings.socket_mode_enabled).toBe(true);
    expect(JSON.stringify(slackManifest(undefined))).not.toContain('/slack/events');
  });
});

it('keeps in the repository what the script makes', () => {
  for (const [name, data] of Object.entries(packageFiles(EXAMPLE))) {
    const kept = readFileSync(join(HERE, name));
    // The formatter breaks lines of JSON where it likes.
    if (name.endsWith('.json'))
      expect(JSON.parse(kept.toString()), name).toEqual(JSON.parse(data.toString()));
    else expect(kept.equals(data), name).toBe(true);
  }
});
