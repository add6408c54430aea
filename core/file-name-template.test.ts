import { describe, expect, test } from 'vitest';
import { applyTemplate, templateFault } from './file-name-template.ts';

const file = { transferId: 'TRF-0123456789', at: Date.UTC(2026, 10, 22, 9, 5, 7) };
const named = (template: string | undefined, path = '/in/q3/report.final.csv') =>
  applyTemplate(template, path, file);

describe('file-name templates', () => {
  test.each([
    [undefined, '/in/q3/report.final.csv'],
    ['{name}', '/in/q3/report.final.csv'],
    ['{stem}_{date:YYYYMMDD}{ext}', '/in/q3/report.final_20261122.csv'],
    ['{date}-{name}', '/in/q3/20261122-report.final.csv'],
    ['{date:YYYY-MM-DDTHHmmss}_{name}', '/in/q3/2026-11-22T090507_report.final.csv'],
    ['ACME-{transferId}{ext}', '/in/q3/ACME-TRF-0123456789.csv'],
    ['feed.csv', '/in/q3/feed.csv'],
  ])('%s', (template, expected) => {
    expect(named(template)).toBe(expected);
  });

  test('a name without an extension gets none, and a name is never a pattern or a template', () => {
    expect(named('{stem}-x{ext}', '/in/README')).toBe('/in/README-x');
    expect(named('{stem}-x{ext}', '/in/.profile')).toBe('/in/.profile-x');
    expect(named('x-{name}', '/in/$& {date}.csv')).toBe('/in/x-$& {date}.csv');
  });

  test.each([
    ['{Name}', /there is no \{Name\}; use \{name\}/],
    ['{date:DD.MON}', /there is no \{date:DD\.MON\}/],
    ['{date:}', /there is no/],
    ['in/{name}', /without slashes/],
    ['{name}\r\nDELE x', /control characters/],
    ['{name', /brace/],
    ['..', /expected a file name/],
    ['', /expected a file name/],
  ])('%j is refused', (template, fault) => {
    expect(templateFault(template)).toMatch(fault);
  });

  test.each(['{name}', '{stem}_{date:YYYY.MM.DD}{ext}', 'feed.csv', '{transferId}'])(
    '%s is taken',
    (given) => {
      expect(templateFault(given)).toBeUndefined();
    },
  );
});
