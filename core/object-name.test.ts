/** Names that must be refused, and the rule that nothing ever lands outside the destination's folder. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkKey, checkTargetPath, type TargetNaming, targetNamer } from './object-name.ts';

const RLO = String.fromCodePoint(0x202e);
const ISOLATE = String.fromCodePoint(0x2066);

describe('checkKey', () => {
  it.each([
    'a.csv',
    'a/b c/d.csv',
    '..a/b..',
    'a//b',
    'back\\slash',
    '\u200Fعربي.txt',
    'é'.repeat(512),
    ' a',
  ])('takes %j', (key) => {
    expect(checkKey(key)).toEqual({ ok: true });
  });

  it.each([
    ['../a', /"\.\."/],
    ['a/../b', /"\.\."/],
    ['a/..', /"\.\."/],
    ['a\r\nDELE b', /control/],
    ['a\u0000b', /control/],
    ['a\u0085b', /control/],
    ['a\u2028b', /control/],
    [`a${RLO}fdp.exe`, /order/],
    [`a${ISOLATE}b`, /order/],
    ['a\ud800', /Unicode/],
    ['é'.repeat(513), /1026 bytes/],
  ])('refuses %j', (key, reason) => {
    expect(checkKey(key)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });
});

describe('checkTargetPath', () => {
  it.each(['/in/a.csv', 'a b.csv', `/${'x'.repeat(255)}`, 'in/'])('takes %j', (path) => {
    expect(checkTargetPath(path)).toEqual({ ok: true });
  });

  it.each([
    ['/in/../a', /"\.\."/],
    ['/in/./a', /"\."/],
    ['in\\a', /backslash/],
    ['/in/a\nb', /line breaks/],
    ['/in /a', /space/],
    ['/in/a\t', /control|space/],
    [`/${'x'.repeat(256)}`, /255 bytes/],
    [`/${'abcd/'.repeat(200)}`, /1001 bytes/],
  ])('refuses %j', (path, reason) => {
    expect(checkTargetPath(path)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });
});

function paths(naming: TargetNaming, ...keys: string[]): string[] {
  const namer = targetNamer(naming);
  return keys.map((key) => {
    const verdict = namer.next(key);
    return verdict.ok ? verdict.targetPath : `refused: ${verdict.reason}`;
  });
}

describe('targetNamer', () => {
  it.each<[string, TargetNaming, string, string]>([
    ['keeps the file name', { folder: '/in', several: false }, 'a/b.csv', '/in/b.csv'],
    ['works at the root', { folder: '/', several: false }, 'a/b.csv', '/b.csv'],
    [
      'renames',
      { folder: '/in', as: { path: 'x.csv', folder: false }, several: false },
      'a/b.csv',
      '/in/x.csv',
    ],
    [
      'renames into a folder',
      { folder: '/in/', as: { path: 'q3/x.csv', folder: false }, several: false },
      'a/b.csv',
      '/in/q3/x.csv',
    ],
    [
      'reads a final slash as a folder',
      { folder: '/in', as: { path: 'q3/', folder: false }, several: false },
      'a/b.csv',
      '/in/q3/b.csv',
    ],
    [
      'reads "under" as a folder',
      { folder: '/in', as: { path: '/q3', folder: true }, several: false },
      'a/b.csv',
      '/in/q3/b.csv',
    ],
    [
      'reads "as" as a folder for several',
      { folder: '/in', as: { path: 'q3', folder: false }, several: true },
      'a/b.csv',
      '/in/q3/b.csv',
    ],
    [
      'does not repeat the folder of an absolute path',
      { folder: '/in', as: { path: '/in/q3/', folder: false }, several: false },
      'a/b.csv',
      '/in/q3/b.csv',
    ],
    [
      'takes only whole segments for the folder',
      { folder: '/in', as: { path: '/inbound/', folder: false }, several: false },
      'b.csv',
      '/in/inbound/b.csv',
    ],
    [
      'reads the folder itself as the folder',
      { folder: '/in', as: { path: '/in', folder: false }, several: false },
      'a/b.csv',
      '/in/b.csv',
    ],
    [
      'keeps what is below a prefix',
      { folder: '/in', listedUnder: 'a/', several: true },
      'a/b/c.csv',
      '/in/b/c.csv',
    ],
    [
      'keeps a name that a prefix cuts',
      { folder: '/in', listedUnder: 'logs/2026-', several: true },
      'logs/2026-11.log',
      '/in/2026-11.log',
    ],
    [
      'keeps everything of a whole bucket',
      { folder: '/in', listedUnder: '', several: true },
      'a/b.csv',
      '/in/a/b.csv',
    ],
  ])('%s', (_what, naming, key, expected) => {
    expect(paths(naming, key)).toEqual([expected]);
  });

  it('refuses two objects with one path', () => {
    expect(paths({ folder: '/in', several: true }, 'a/x.csv', 'b/x.csv', 'b/y.csv')).toEqual([
      '/in/x.csv',
      'refused: "a/x.csv" and "b/x.csv" would both become /in/x.csv.',
      '/in/y.csv',
    ]);
    expect(paths({ folder: '/in', listedUnder: '', several: true }, 'a//x', 'a/x')[1]).toMatch(/^refused/);
    expect(
      paths({ folder: '/in', as: { path: 'one.csv', folder: false }, several: false }, 'a', 'b')[1],
    ).toMatch(/^refused/);
  });

  it.each(['a/', '../x', 'a\\b', 'a\nb', 'trailing '])('refuses the key %j', (key) => {
    expect(paths({ folder: '/in', several: false }, key)[0]).toMatch(/^refused/);
  });

  it('stays below the folder, whatever people and listings say', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '/', '//', '\\', '\r\n', 'in', 'a', ' ', RLO, '%2e%2e'),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.constantFrom('/', '/in', '/in/deep/', '/ü'),
        fc.option(fc.record({ path, folder: fc.boolean() }), { nil: undefined }),
        path,
        fc.option(fc.nat(8), { nil: undefined }),
        fc.boolean(),
        (folder, as, key, prefixLength, several) => {
          const listedUnder = prefixLength === undefined ? undefined : key.slice(0, prefixLength);
          const verdict = targetNamer({
            folder,
            ...(as ? { as } : {}),
            ...(listedUnder === undefined ? {} : { listedUnder }),
            several,
          }).next(key);
          if (!verdict.ok) return;
          accepted++;
          expect(verdict.targetPath.startsWith(`${folder.replace(/\/$/, '')}/`)).toBe(true);
          expect(verdict.targetPath.split('/')).not.toContain('..');
          expect(verdict.targetPath).not.toMatch(/[\p{Cc}\\]|\/\/|\/$/u);
          expect(Buffer.byteLength(verdict.targetPath)).toBeLessThanOrEqual(1_000);
        },
      ),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});
