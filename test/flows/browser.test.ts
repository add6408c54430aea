/** The whole walk as people see it: through the local Slack's web page, in a real browser. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PEOPLE, type PersonName, TRANSFERS_CHANNEL } from '../../infra/local/slack-workspace.ts';
import { useHouse } from '../support/house.ts';
import { hasLocalSlack, requireOrSkip } from '../support/require.ts';

const SCREENSHOTS = join(import.meta.dirname, '../../node_modules/.cache/fileferry-screenshots');
const executablePath = requireOrSkip('chromium');

describe.skipIf(!executablePath || !hasLocalSlack())('the walk in the browser', () => {
  // Slow enough that the bar is seen on its way.
  const house = useHouse({ bytesPerSecond: 5_000_000 });
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await mkdir(SCREENSHOTS, { recursive: true });
    browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1500, height: 1300 } });
    page.setDefaultTimeout(10_000);
    await page.goto(house.slack.webUrl);
  });
  afterAll(() => browser?.close());

  const shoot = (name: string) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  const actAs = (name: PersonName) => page.getByLabel('Act as').selectOption(PEOPLE[name].id);
  const open = (name: string) => page.locator('.sidebar-item', { hasText: name }).click();
  const thread = () => page.locator('.thread-pane');

  async function write(text: string): Promise<void> {
    const box = page.getByPlaceholder(/Message/).first();
    await box.fill(text);
    await box.press('Enter');
  }
  /** Waits until the text can be seen; fails with what was looked for. */
  const see = (where: Locator | Page, text: string | RegExp, timeout = 10_000) =>
    where.getByText(text).first().waitFor({ timeout });
  const press = (label: string) => thread().locator('.bk-button', { hasText: label }).click();

  it('lets Ana ask, refuses her own approval, takes Bob’s, and shows how the file gets there', async () => {
    await actAs('ana');
    await open(TRANSFERS_CHANNEL.name);
    await write('@fileferry please send s3://finance-exports/reports/2026/Q3/q3-report.pdf to acme-ftp');
    await page.locator('.thread-summary').click();
    await see(thread(), 'Approval needed');
    await shoot('1-proposal');

    await press('Approve');
    await see(thread(), /somebody else/);
    await shoot('2-refused');
    expect(await thread().locator('.bk-button', { hasText: 'Approve' }).isVisible()).toBe(true);

    await actAs('bob');
    await press('Approve');
    await see(thread(), /Approved by/);
    await see(thread(), /[1-9]\d? %/);
    await shoot('3-progress');
    await see(thread(), '100 %', 20_000);
    await see(thread(), /Delivered/);
    await shoot('4-delivered');
    await thread().evaluate((el) => {
      const m = [...el.querySelectorAll('*')].filter((e) => e.scrollHeight > e.clientHeight + 5);
      for (const x of m) x.scrollTop = 1e6;
    });
    await shoot('4b-delivered');
    expect(await thread().locator('.bk-button').count()).toBe(0);
  }, 40_000);

  it('answers Ana in her direct messages', async () => {
    await actAs('ana');
    await open('Ana Silva');
    await write('where is my transfer?');
    await see(page, '100 %');
    await shoot('5-direct');
  });
});
