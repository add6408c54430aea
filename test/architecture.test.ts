/** Holds the house plan: who may import whom, and one speaker for each outside party. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const ROOMS = ['core', 'adapters', 'agent', 'bot', 'worker', 'infra', 'test', 'bench'] as const;

/** Folders that each folder may import beside itself; missing folders may import anything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ['infra/schema'],
  adapters: ['core'],
  agent: ['core'],
  bot: ['adapters', 'agent', 'core'],
  worker: ['adapters', 'core'],
  'infra/schema': [],
};

/** Which files may speak to an outside party; each matches a file's path or the folder that begins it. */
const SPEAKERS: readonly { party: RegExp; files: readonly RegExp[] }[] = [
  { party: /^@slack\//, files: [/^adapters\/slack\//] },
  { party: /^botbuilder/, files: [/^adapters\/teams\/(connector|http)\.ts$/] },
  { party: /^@aws-sdk\/client-bedrock/, files: [/^agent\/bedrock/] },
  { party: /^@aws-sdk\/(client-dynamodb|lib-dynamodb)$/, files: [/^core\/stores\//] },
  { party: /^@aws-sdk\/client-s3$/, files: [/^core\/s3-/, /^worker\/s3-/] },
  { party: /^@aws-sdk\/client-sts$/, files: [/^core\/s3-credentials\.ts$/] },
  { party: /^@aws-sdk\/client-secrets-manager$/, files: [/^core\/secrets\.ts$/] },
  { party: /^@opentelemetry\/|^import-in-the-middle/, files: [/^core\/(otel|tracing)\.ts$/] },
  { party: /^basic-ftp$/, files: [/^worker\/ftp-/] },
];

/** Rooms in which anything goes, and files that only tests run. */
const isUnbound = (path: string) =>
  /^(infra\/(local|cloud)|bench|test)\//.test(path) || path.endsWith('.test.ts');

interface Source {
  path: string;
  text: string;
  imports: string[];
}

function sources(): Source[] {
  return ROOMS.filter((room) => existsSync(join(ROOT, room))).flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => {
        const path = join(room, name).replaceAll('\\', '/');
        const text = readFileSync(join(ROOT, path), 'utf8');
        const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
          (match) => match[1] ?? '',
        );
        return { path, text, imports };
      }),
  );
}

const all = sources();
const bound = all.filter((file) => !isUnbound(file.path));

const roomOf = (path: string) =>
  path.startsWith('infra/') ? path.split('/', 2).join('/') : (path.split('/', 1)[0] ?? '');

describe('the house plan', () => {
  it('was held against a plausible number of files', () => {
    expect(bound.length).toBeGreaterThan(70);
    for (const room of ['core', 'adapters', 'agent', 'bot', 'worker', 'infra/schema']) {
      expect(
        bound.some((file) => roomOf(file.path) === room),
        room,
      ).toBe(true);
    }
    expect(all.reduce((sum, file) => sum + file.imports.length, 0)).toBeGreaterThan(300);
  });

  it('lets each room import only the rooms below it', () => {
    const faults = bound.flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.startsWith('.'))
        .map((name) => relative(ROOT, join(ROOT, dirname(path), name)).replaceAll('\\', '/'))
        .filter(
          (target) =>
            roomOf(target) !== roomOf(path) && !(MAY_IMPORT[roomOf(path)] ?? []).includes(roomOf(target)),
        )
        .map((target) => `${path} imports ${target}`),
    );
    expect(faults).toEqual([]);
  });

  it('keeps receivers away from the worker', () => {
    const faults = bound
      .filter(
        ({ path, imports }) => path.startsWith('worker/') && imports.some((name) => /\/receiver/.test(name)),
      )
      .map(({ path }) => path);
    expect(faults).toEqual([]);
  });

  it('has one speaker for each outside party', () => {
    const faults = bound.flatMap(({ path, imports }) =>
      SPEAKERS.filter(
        ({ party, files }) =>
          imports.some((name) => party.test(name)) && !files.some((file) => file.test(path)),
      ).map(({ party }) => `${path} speaks to ${party.source}`),
    );
    expect(faults).toEqual([]);
  });

  it('decides nothing by the chat platform but in its adapter, in the wiring and in what a thread reference is', () => {
    const mayKnow = [
      /^adapters\/(slack|teams)\//,
      /^adapters\/platforms\.ts$/,
      /^core\/(thread-ref|linked-accounts)\.ts$/,
    ];
    const knowing = bound.filter(({ text }) =>
      /'(slack|teams)[':]|`(slack|teams):\$|platform\s*[!=]==?|switch \(.*platform/.test(text),
    );
    expect(knowing.length).toBeGreaterThan(5);
    const faults = knowing.map(({ path }) => path).filter((path) => !mayKnow.some((file) => file.test(path)));
    expect(faults).toEqual([]);
  });

  it('reads the environment only where the settings are loaded', () => {
    const faults = bound
      .filter(({ path, text }) => text.includes('process.env') && path !== 'core/config.ts')
      .map(({ path }) => path);
    expect(faults).toEqual([]);
  });

  it('keeps files to one concept', () => {
    const faults = all
      .filter(({ path, text }) => !path.endsWith('.test.ts') && text.split('\n').length > 400)
      .map(({ path }) => path);
    expect(faults).toEqual([]);
  });

  it('opens every file with one sentence on what it is for', () => {
    const faults = bound.filter(({ text }) => !text.startsWith('/**')).map(({ path }) => path);
    expect(faults).toEqual([]);
  });

  it('has no default exports, enums or barrels', () => {
    const faults = bound
      .filter(
        ({ text, path }) =>
          /^export default|^export (const )?enum |^export \* from/m.test(text) || path.endsWith('/index.ts'),
      )
      .map(({ path }) => path);
    expect(faults).toEqual([]);
  });
});
