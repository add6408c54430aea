import { it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { useGatedHouse } from '../support/gated-house.ts';
import type { FakeMessage } from '../fakes/slack-server.ts';
import { startFaultServer } from '../fakes/ftp-fault-server.ts';

const flat = (m: FakeMessage) => m.text + ' || ' + JSON.stringify(m.blocks).replace(/"(type|block_id|verbatim|emoji)":("[^"]*"|true|false),?/g,'').replace(/"value":"[^"]*(\\"[^"]*)*"/g,'').slice(0, 900);
const gated = useGatedHouse({
  async policy(file, stack) {
    const { acme } = { acme: file.destinations['acme-ftp'] };
    const full = await startFaultServer({ store(u) { u.reply('150 go'); u.reply('552 Disk full: no space left on device'); } });
    Object.assign(file.destinations, {
      'overwrite-ftp': { ...acme, aliases: [], folder: '/overwrite', existing: 'overwrite' },
      'locked-ftp': { ...acme, aliases: [], folder: '/locked', user: 'nobody' },
      'full-ftp': { ...acme, aliases: [], folder: '/full', port: full.port },
      'small-ftp': { ...acme, aliases: [], folder: '/small' },
    });
    file.rules.push(
      { request: ['requesters'], from: ['finance-exports'], to: ['overwrite-ftp', 'locked-ftp', 'full-ftp'], approve: ['approvers'] },
      { request: ['requesters'], from: ['finance-exports'], to: ['small-ftp'], approve: ['approvers'], maxBytes: '1 MB' },
    );
  },
});
it('probe', async () => {
  const asks: [string, string][] = [
    ['ana', 'send s3://finance-exprots/reports/2026/Q3/summary.xlsx to acme-ftp'],
    ['ana', 'send s3://nosuchbucket/x.csv to acme-ftp'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/sumary.xlsx to acme-ftp'],
    ['ana', 'send s3://finance-exports/zzz/qqq.csv to acme-ftp'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acmee'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to ftp.evil.example'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to ftp://ftp.evil.example'],
    ['eve', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp'],
    ['ana', 'send s3://legal-docs/contracts/acme-2026.pdf to acme-ftp'],
    ['ana', 'send s3://marketing-assets/logos/fileferry.svg to acme-ftp'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/raw.csv to small-ftp'],
    ['ana', 'send s3://finance-exports/reports/ to small-ftp'],
    ['ana', 'send s3://finance-exports-archive/reports/2019/Q3/q3-report-2019.pdf to acme-ftp'],
    ['ana', 'send s3://finance-exports/reports/../secret.csv to acme-ftp'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp as ../../etc/passwd'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp as "a\rDELE b"'],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp as a\nDELE b'],
    ['ana', 'send "s3://finance-exports/reports/\u0007bell.csv" to acme-ftp'],
    ['ana', `send ${'x'.repeat(40_000)} to acme-ftp`],
    ['ana', 'send s3://finance-exports/reports/2026/Q3/ to'],
    ['ana', 'approve'],
    ['ana', 'blah blah'],
  ];
  for (const [who, text] of asks) {
    const { answer } = await gated.office.ask(who as never, text);
    console.log(`\n### ${who}: ${text.slice(0, 100)}\n${answer.onlyFor ? '[whisper] ' : ''}${flat(answer)}`);
  }
  for (const to of ['offline-ftp', 'locked-ftp', 'full-ftp']) {
    const asked = await gated.office.request('ana', `send s3://finance-exports/reports/2026/Q3/summary.xlsx to ${to}`);
    await gated.office.approve('bob', asked);
    const t0 = Date.now();
    const t = await gated.done(asked.transferId, 'failed', { withinMs: 40000 }).catch((e) => console.log(String(e)));
    console.log(`\n### ${to} ${Date.now() - t0} ms\n`, gated.office.thread(asked.root).map(flat).join('\n'));
    void t;
  }
  await delay(10);
}, 200_000);
