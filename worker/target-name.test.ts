import { describe, expect, it } from 'vitest';
import { numberedPath, pathFault, temporaryPath } from './target-name.ts';

describe('names at the destination', () => {
  it.each([
    ['/in/report.csv', '/in', undefined],
    ['/in/2026/Q3/Übersicht (1).csv', '/in', undefined],
    ['/report.csv', '/', undefined],
    ['/in/..hidden/a..b', '/in', undefined],
    ['/in/../etc/passwd', '/in', 'has "." or ".." in it'],
    ['/in/./a', '/in', 'has "." or ".." in it'],
    ['/in//a', '/in', 'has an empty name in it'],
    ['/in/a/', '/in', 'has an empty name in it'],
    ['/inside/a', '/in', "is not in the destination's folder /in"],
    ['in/a', '/in', "is not in the destination's folder /in"],
    ['/in', '/in', "is not in the destination's folder /in"],
    ['/in/a\r\nDELE b', '/in', 'has control characters'],
    ['/in/a\u0085b', '/in', 'has control characters'],
    [`/in/${'é'.repeat(128)}`, '/in', 'has a name longer than 255 bytes'],
    [`/in/${'a/'.repeat(600)}b`, '/in', 'is longer than 1024 bytes'],
  ])('%j in %s: %s', (path, folder, fault) => {
    expect(pathFault(path, folder)).toBe(fault);
  });

  it('keeps temporary names apart by transfer, object and lease, beside the final name', () => {
    expect(temporaryPath('/in/a/b.csv', 'TRF-0000000001', 7, 3)).toBe(
      '/in/a/.fileferry-TRF-0000000001-7-3.part',
    );
    expect(temporaryPath('/b.csv', 'TRF-0000000001', 0, 1)).toBe('/.fileferry-TRF-0000000001-0-1.part');
  });

  it('numbers before the extension', () => {
    expect(numberedPath('/in/report.csv', 1)).toBe('/in/report (1).csv');
    expect(numberedPath('/in.d/report', 12)).toBe('/in.d/report (12)');
    expect(numberedPath('/in/.profile', 1)).toBe('/in/.profile (1)');
  });
});
