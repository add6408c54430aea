/** Cards in Microsoft's own renderer, in a real browser: light and dark, on a desktop and on a phone. */
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEnded } from '../../core/transfer-state.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import { everyStatus, transferAt } from '../../test/support/cards.ts';
import { requireOrSkip } from '../../test/support/require.ts';
import { NOON, plannedObject, proposal } from '../../test/support/transfers.ts';
import type { Card } from '../card.ts';
import { outcomeCard } from '../cards/outcome-card.ts';
import { progressCard } from '../cards/progress-card.ts';
import { proposalCard } from '../cards/proposal-card.ts';
import { helpCard } from '../cards/reply-cards.ts';
import { statusCard } from '../cards/status-card.ts';
import { renderCard } from './render.ts';

/** Pictures of each theme and width, for people to look at. */
const SCREENSHOTS = join(import.meta.dirname, '../../node_modules/.cache/fileferry-screenshots');
const LIBRARY = createRequire(import.meta.url).resolve('adaptivecards/dist/adaptivecards.min.js');
const executablePath = requireOrSkip('chromium');

/** Colours of Teams' themes. */
const THEMES = {
  light: { card: '#ffffff', text: '#242424', subtle: '#616161', accent: '#5b5fc7' },
  dark: { card: '#292929', text: '#ffffff', subtle: '#adadad', accent: '#7f85f5' },
} as const;
type Theme = (typeof THEMES)[keyof typeof THEMES];
const WIDTHS = { desktop: 900, phone: 360 } as const;

function everyCard(): Card[] {
  const approvers = ['finance-leads'];
  const { tooLong, ...samples } = SAMPLE_CARDS;
  const files = Array.from({ length: 200 }, (_, index) =>
    plannedObject(index, {
      key: `events/2026/11/part-${index}.parquet`,
      targetPath: `/in/part-${index}.parquet`,
    }),
  );
  const { plan, planHash } = proposal({}, files);
  const many = transferAt('pending_approval', { plan, planHash });
  return [
    ...Object.values(samples),
    ...[many, ...everyStatus()].flatMap((transfer) => [
      proposalCard(transfer, { approvers, now: NOON }),
      progressCard(transfer, NOON),
      ...(isEnded(transfer.status) ? [outcomeCard(transfer)] : []),
    ]),
    statusCard({
      title: 'Your transfers',
      transfers: everyStatus().map((transfer) => ({ transfer, approvers })),
      empty: '',
      now: NOON,
    }),
    helpCard(),
  ];
}

/** How Teams shows cards, as far as it says: https://learn.microsoft.com/adaptive-cards/rendering-cards/host-config */
function hostConfig({ card, text, subtle, accent }: Theme) {
  const sizes = { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 };
  const weights = { lighter: 200, default: 400, bolder: 600 };
  const colour = (it: string) => ({ default: it, subtle: it });
  const font = (fontFamily: string) => ({ fontFamily, fontSizes: sizes, fontWeights: weights });
  return {
    supportsInteractivity: true,
    fontTypes: { default: font('sans-serif'), monospace: font('monospace') },
    spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 16 },
    containerStyles: {
      default: {
        backgroundColor: card,
        foregroundColors: { default: { default: text, subtle }, accent: colour(accent) },
      },
    },
    actions: { maxActions: 6, actionsOrientation: 'horizontal', actionAlignment: 'left' },
  };
}

interface Shown {
  readonly innerText: string;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  querySelectorAll(selector: string): Iterable<Shown>;
  getBoundingClientRect(): { readonly height: number };
}
/** What the page has, as far as it is used here. */
interface PageGlobals {
  readonly document: { readonly body: { append(element: Shown): void } };
  readonly AdaptiveCards: {
    readonly AdaptiveCard: new () => { hostConfig: unknown; parse(json: unknown): void; render(): Shown };
    readonly HostConfig: new (config: object) => unknown;
  };
  getComputedStyle(element: Shown): { readonly color: string };
}

/** Runs in the page: shows the cards, and tells of each text how it came out. */
function show({ cards, config }: { cards: unknown[]; config: object }) {
  const { AdaptiveCards, document, getComputedStyle } = globalThis as unknown as PageGlobals;
  return cards.flatMap((json) => {
    const card = new AdaptiveCards.AdaptiveCard();
    card.hostConfig = new AdaptiveCards.HostConfig(config);
    card.parse(json);
    const element = card.render();
    document.body.append(element);
    return [...element.querySelectorAll('.ac-richTextBlock, .ac-textBlock')].map((block) => {
      const runs = [block, ...block.querySelectorAll('*')].filter(({ innerText }) => innerText.trim());
      return {
        text: block.innerText,
        colours: runs.map((run) => getComputedStyle(run).color),
        isWide: block.scrollWidth > block.clientWidth + 1,
        lines: Math.round(block.getBoundingClientRect().height / 18),
      };
    });
  });
}

const rgb = (hex: string) =>
  `rgb(${[1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(', ')})`;

describe.skipIf(!executablePath)('cards in Teams', () => {
  let browser: Browser;
  beforeAll(async () => {
    await mkdir(SCREENSHOTS, { recursive: true });
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
  });
  afterAll(() => browser?.close());

  const looks = (Object.keys(THEMES) as (keyof typeof THEMES)[]).flatMap((theme) =>
    (Object.keys(WIDTHS) as (keyof typeof WIDTHS)[]).map((width) => [theme, width] as const),
  );
  it.each(looks)('fit and keep to the colours of the %s theme on a %s', async (theme, width) => {
    const colours = THEMES[theme];
    const page: Page = await browser.newPage({ viewport: { width: WIDTHS[width], height: 800 } });
    try {
      await page.setContent(
        `<!doctype html><style>body{margin:8px;background:${colours.card};color:${colours.text}}a{color:${colours.accent}}</style>`,
      );
      await page.addScriptTag({ path: LIBRARY });
      const cards = everyCard().map((card) => renderCard(card).card);
      const texts = await page.evaluate(show, { cards, config: hostConfig(colours) });
      await page.screenshot({ path: join(SCREENSHOTS, `teams ${theme} ${width}.png`), fullPage: true });

      expect(texts.length).toBeGreaterThan(150);
      expect(texts.filter(({ isWide }) => isWide)).toEqual([]);
      const ofTheme = [colours.text, colours.subtle, colours.accent].map(rgb);
      const found = new Set(texts.flatMap((text) => text.colours));
      expect([...found].filter((colour) => !ofTheme.includes(colour))).toEqual([]);
      const bars = texts.filter(({ text }) => /^[█░]+ \d+ %$/.test(text));
      expect(bars.length).toBeGreaterThan(5);
      expect(new Set(bars.map(({ lines }) => lines))).toEqual(new Set([1]));
    } finally {
      await page.close();
    }
  });
});
