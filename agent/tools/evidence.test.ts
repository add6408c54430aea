import { describe, expect, it } from 'vitest';
import { withFocus } from '../../core/focus.ts';
import { CHANNEL } from '../../test/support/planning.ts';
import { createEvidence } from './evidence.ts';

const nothing = { exchanges: [], preferences: {}, foci: [] };
const after = (text: string, memory: Parameters<typeof createEvidence>[1] = nothing) =>
  createEvidence({ text, thread: CHANNEL }, memory);

describe('evidence', () => {
  it.each([
    ['send reports/a.csv to acme', 'reports/a.csv'],
    ['send s3://finance-exports/reports/a.csv, please', 'reports/a.csv'],
    ['"Q3 report.pdf" to acme', 'Q3 report.pdf'],
    ['is it a.csv?', 'a.csv'],
    ['everything in s3://finance-exports/reports/', 'reports/'],
    ['all of reports/*.csv', 'reports/*.csv'],
  ])('%s names %s', (text, name) => {
    expect(after(text).knows('finance-exports', name)).toBe(true);
  });

  it.each([
    ['send reports/a.csv to acme', 'a'],
    ['send reports/a.csv to acme', 'reports/a.cs'],
    ['send xreports/a.csv to acme', 'reports/a.csv'],
    ['send the report', 'reports/a.csv'],
    ['send it', ''],
  ])('%s does not name %j', (text, name) => {
    expect(after(text).knows('finance-exports', name)).toBe(false);
  });

  it('comes from listings too, bucket by bucket', () => {
    const evidence = after('send it');
    evidence.saw('finance-exports', ['a.csv']);
    expect(evidence.knows('finance-exports', 'a.csv')).toBe(true);
    expect(evidence.knows('finance-archive', 'a.csv')).toBe(false);
  });

  it('comes from what an earlier listing showed the person', () => {
    const focus = { listing: { bucket: 'finance-exports', keys: ['a.csv', 'b.csv'] } };
    const foci = withFocus([], CHANNEL, focus);
    const evidence = after('send the second one', { ...nothing, foci });
    expect(evidence.knows('finance-exports', 'b.csv')).toBe(true);
    expect(evidence.knows('finance-archive', 'b.csv')).toBe(false);
  });

  it('for a destination is a word that tells it apart, an alias, or a preference', () => {
    expect(after('send it to Acme').meansDestination('acme-ftp', [])).toBe(true);
    expect(after('send it to the auditors').meansDestination('acme-ftp', ['our auditors'])).toBe(true);
    expect(after('send it to the ftp server').meansDestination('acme-ftp', [])).toBe(false);
    expect(
      after('send it', {
        exchanges: [],
        preferences: { destination: 'acme-ftp' },
        foci: [],
      }).meansDestination('acme-ftp', []),
    ).toBe(true);
  });

  it('for acting on a transfer is its id in this very message', () => {
    expect(after('cancel trf-0123456789 now').namesTransfer('TRF-0123456789')).toBe(true);
    expect(after('cancel it').namesTransfer('TRF-0123456789')).toBe(false);
    expect(after('cancel TRF-01234567890').namesTransfer('TRF-0123456789')).toBe(false);
  });
});
