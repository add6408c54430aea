/** The whole walk as people see it: through the local Slack's web page, in a real browser. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PEOPLE, type PersonName, SLACK_APP, TRANSFERS_CHANNEL } from '../../infra/local/slack-workspace.ts';
import { useHouse } from '../support/house.ts';
import { hasLocalSlack, requireOrSkip } from '../support/require.ts';

/** Pictures of each scene, for people to look at. */
const SCREENSHOTS = join(import.meta.dirname, '../../node_modules/.cache/fileferry-screenshots');
const executablePath = requireOrSkip('chromium');

const BUCKET = 'finance-exports';
const KEY = 'reports/2026/Q3/q3-report.pdf';

describe.skipIf(!executablePath || !hasLocalSlack())('the walk in the browser', () => {
  // Slow enough that the bar is seen on its way.
  const house = useHouse({ bytesPerSecond: 1_200_000 });
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
  beforeEach(({ task, onTestFailed }) => {
    onTestFailed(() => shoot(`failed ${task.name}`));
  });

  async function shoot(name: string): Promise<void> {
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }
  const actAs = (name: PersonName) => page.getByLabel('Act as').selectOption(PEOPLE[name].id);
  const open = (name: string) => page.locator('.sidebar-item', { hasText: name }).click();
  const thread = () => page.locator('.thread-pane');
  /** The message in the thread that has this header. */
  const card = (header: string) => thread().locator('.msg', { hasText: header });
  const buttons = (label: string) => thread().locator('.bk-button', { hasText: label });

  async function write(text: string): Promise<void> {
    const box = page.getByPlaceholder(/Message/).first();
    await box.fill(text);
    await box.press('Enter');
  }
  /** Waits until the text can be seen. */
  const see = (where: Locator, text: string | RegExp, timeout = 10_000) =>
    where.getByText(text).first().waitFor({ timeout });

  it('shows Ana’s request, refuses her own approval, takes Bob’s, and fills the bar', async () => {
    await actAs('ana');
    await open(TRANSFERS_CHANNEL.name);
    await write(`@${SLACK_APP.botName} please send s3://${BUCKET}/${KEY} to acme-ftp`);
    await page.locator('.thread-summary').click();
    await see(card('Approval needed'), /INC\d+ \(audit\)/);
    await shoot('1 proposal');

    await buttons('Approve').click();
    await see(thread(), 'You asked for this transfer, so somebody else has to decide on it.');
    await shoot('2 own approval refused');
    expect(await buttons('Approve').isVisible()).toBe(true);

    await actAs('bob');
    await buttons('Approve').click();
    await see(card('Approved: q3-report.pdf'), 'Approved by');
    await see(card('Sending q3-report.pdf'), /^[1-9]\d? %$/);
    await shoot('3 on its way');

    await see(card('Delivered: q3-report.pdf').first(), '100 %', 20_000);
    await see(card('Delivered: q3-report.pdf').last(), '/acme/q3-report.pdf');
    await card('Delivered: q3-report.pdf').last().scrollIntoViewIfNeeded();
    await shoot('4 delivered');
    expect(await thread().locator('.bk-button').count()).toBe(0);

    const source = await house.stack.readObject(BUCKET, KEY);
    expect(source.equals(await house.stack.ftp.read('/acme/q3-report.pdf'))).toBe(true);
  }, 45_000);

  it('answers Ana in her direct messages', async () => {
    await actAs('ana');
    await open(PEOPLE.ana.realName);
    await write('where is my transfer?');
    const answer = page.locator('.messages .msg', { hasText: 'Delivered: q3-report.pdf' });
    await see(answer, '100 %');
    await shoot('5 direct message');
    expect(await page.locator('.messages .msg').allTextContents()).toEqual([
      expect.stringContaining('where is my transfer?'),
      expect.stringContaining('/acme/q3-report.pdf'),
    ]);
  });
});
