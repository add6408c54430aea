/** Slack's mark-up of incoming messages, resolved to what the person wrote. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TEXT } from '../chat-event.ts';
import { mentions, readText } from './text.ts';

describe('readText', () => {
  it.each([
    ['<@U0FERRY> send it', 'send it'],
    ['please <@U0FERRY|fileferry> send it', 'please send it'],
    ['<@U0FERRY>', ''],
    ['ask <@U02BOB|bob> in <#C01OPS|transfers>', 'ask @bob in #transfers'],
    ['ask <@U02BOB> in <#C01OPS>', 'ask @U02BOB in #C01OPS'],
    ['ask <#C01OPS|>', 'ask #C01OPS'],
    ['<!here> <!subteam^S01|@ops> <!subteam^S02> <!date^1^{date}|today>', '@here @ops @S02 today'],
    ['send <s3://finance-exports/q3.pdf> now', 'send s3://finance-exports/q3.pdf now'],
    [
      '<https://s3.console.aws.amazon.com/s3/object/b?region=eu-west-1&amp;prefix=a|this file>',
      'https://s3.console.aws.amazon.com/s3/object/b?region=eu-west-1&prefix=a',
    ],
    ['send <http://notes.md|notes.md> to acme-ftp', 'send notes.md to acme-ftp'],
    ['<mailto:ana@example.com|ana@example.com> <tel:+4912|+49 12>', 'ana@example.com +49 12'],
    ['<mailto:ana@example.com>', 'ana@example.com'],
    ['R&amp;D &lt;b&gt; &amp;lt; &amp;amp;', 'R&D <b> &lt; &amp;'],
    ['“q3 report.pdf”\u00a0please', '“q3 report.pdf” please'],
    ['two  spaces  kept\nand lines', 'two  spaces  kept\nand lines'],
    ['a < b and <unclosed', 'a < b and <unclosed'],
  ])('%j is %j', (mrkdwn, text) => {
    expect(readText(mrkdwn, 'U0FERRY')).toEqual({ text, truncated: false });
  });

  it('cuts a message of 40,000 characters and says so, never through a character', () => {
    const long = readText(`${'x'.repeat(MAX_TEXT - 1)}👋${'x'.repeat(36_000)}`, 'U0FERRY');
    expect(long).toEqual({ text: 'x'.repeat(MAX_TEXT - 1), truncated: true });
    expect(readText('x'.repeat(MAX_TEXT), 'U0FERRY').truncated).toBe(false);
  });

  it('leaves no mention that broken mark-up would complete', () => {
    expect(readText('<@U0FERRY<>>', 'U0FERRY').text).toBe('@U0FERRY>');
    expect(readText('<<!U0FERRY>> 1 &lt; 2', 'U0FERRY').text).toBe('@U0FERRY> 1 < 2');
  });

  it('takes anything', () => {
    const part = fc.constantFrom('<', '>', '|', '@', '#', '!', '&', 'amp;', 'lt;', 'a', '<@U0FERRY', ' ');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        expect(readText(parts.join(''), 'U0FERRY').text).not.toContain('<@U0FERRY>');
      }),
      { numRuns: 500 },
    );
  });
});

describe('mentions', () => {
  it.each([
    ['hi <@U0FERRY>', true],
    ['hi <@U0FERRY|ferry>', true],
    ['hi <@U0FERRYMAN>', false],
    ['hi @fileferry', false],
  ])('%j: %s', (text, expected) => {
    expect(mentions(text, 'U0FERRY')).toBe(expected);
  });
});
