/** Renders a neutral card as an Adaptive Card 1.5 that Teams takes, whatever the card holds. */
import type { Card, CardElement, ChecklistState } from '../card.ts';
import { progressBar, progressInWords } from '../format.ts';
import { type ActionRow, buttonBlocks, openBlocks, sizeOf } from './buttons.ts';
import {
  cleanText,
  escapeMarkdown,
  notice,
  plainText,
  type RichText,
  richText,
  runsOf,
  type TextRun,
} from './text-runs.ts';

/**
 * Bytes of a card as JSON. Teams refuses messages above 28 KB where they come by webhook, and about 40 KB with
 * all that the service adds where they come from a bot.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/resources/bot-v3/bots-message-format
 */
const MAX_CARD_BYTES = 28_000;
/** Kept free for the notice that something was left out. */
const NOTICE_BYTES = 400;
const MAX_LINE = 1_400;
const MAX_HEADER = 150;
const MAX_FIELD_LABEL = 100;
const MAX_FALLBACK = 1_000;
/** Fits a phone's width beside the percentage. */
const BAR_WIDTH = 12;

interface Heading {
  readonly type: 'TextBlock';
  readonly style: 'heading';
  readonly size: 'Large';
  readonly weight: 'Bolder';
  readonly wrap: true;
  readonly text: string;
}
type Block = RichText | Heading | ActionRow;

/** @see https://adaptivecards.io/explorer/AdaptiveCard.html */
export interface AdaptiveCard {
  readonly type: 'AdaptiveCard';
  readonly $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
  readonly version: '1.5';
  readonly fallbackText: string;
  readonly body: readonly Block[];
  readonly msteams: { readonly width: 'Full' };
}

export interface TeamsMessage {
  /** For notifications, the chat list and screen readers. */
  readonly summary: string;
  readonly card: AdaptiveCard;
}

const CHECKLIST_ICONS: Readonly<Record<ChecklistState, string>> = {
  waiting: '◻️',
  active: '⏳',
  done: '✅',
  failed: '❌',
  skipped: '➖',
};

function progressBlocks(progress: Extract<CardElement, { type: 'progress' }>): RichText[] {
  const { shown, details } = progressInWords(progress);
  // A number and its unit stay together on a narrow screen.
  const text = details.map((detail) => detail.replaceAll(' ', '\u00a0')).join(' · ');
  return [
    {
      type: 'RichTextBlock',
      inlines: [
        { type: 'TextRun', text: progressBar(shown / 100, BAR_WIDTH), fontType: 'Monospace' },
        { type: 'TextRun', text: ` ${shown} %`, weight: 'Bolder' },
      ],
    },
    ...richText([{ type: 'TextRun', text, isSubtle: true }], 'None'),
  ];
}

/** The blocks of an element, in order; those that share a line's fate come one by one. */
function blocksOf(element: CardElement, thread: string | undefined): Block[] {
  switch (element.type) {
    case 'header': {
      const text = escapeMarkdown(plainText(element.text, MAX_HEADER));
      return text
        ? [{ type: 'TextBlock', style: 'heading', size: 'Large', weight: 'Bolder', wrap: true, text }]
        : [];
    }
    case 'text':
      return element.lines.flatMap((line, i) =>
        richText(runsOf(line, MAX_LINE), i === 0 ? undefined : 'Small'),
      );
    case 'fields':
      return element.fields.flatMap(({ label, value }, i) => {
        const name = plainText(label, MAX_FIELD_LABEL);
        const runs: TextRun[] = name ? [{ type: 'TextRun', text: `${name}: `, isSubtle: true }] : [];
        return richText([...runs, ...runsOf(value, MAX_LINE)], i === 0 ? undefined : 'Small');
      });
    case 'progress':
      return progressBlocks(element);
    case 'checklist':
      return element.items.flatMap(({ label, state, detail }, i) =>
        richText(
          runsOf([`${CHECKLIST_ICONS[state]} `, label, ...(detail ? [` – ${detail}`] : [])], MAX_LINE),
          i === 0 ? undefined : 'None',
        ),
      );
    case 'context':
      return element.lines.flatMap((line, i) =>
        richText(
          runsOf(line, MAX_LINE).map((run) => ({ ...run, isSubtle: true, size: 'Small' })),
          i === 0 ? 'Medium' : 'None',
        ),
      );
    case 'open':
      return openBlocks(element.label, element.url);
    case 'actions':
      return buttonBlocks(element.actions, thread);
    default: {
      const unknown: never = element;
      throw new TypeError(`unknown card element ${JSON.stringify(unknown)}`);
    }
  }
}

/**
 * In order, as much as fits; what is left out is counted.
 *
 * @param firm blocks that are the last to go
 */
function withinSize(blocks: readonly Block[], firm: ReadonlySet<Block>, room: number): Block[] {
  const kept = new Set<Block>();
  let left = room - NOTICE_BYTES;
  const take = (block: Block) => {
    const size = sizeOf(block);
    if (size > left) return false;
    left -= size;
    kept.add(block);
    return true;
  };
  for (const block of blocks) if (firm.has(block)) take(block);
  for (const block of blocks) if (!firm.has(block) && !take(block)) break;
  const shown = blocks.filter((block) => kept.has(block));
  const hidden = blocks.length - shown.length;
  if (hidden === 0) return shown;
  const cut = blocks.findIndex((block) => !kept.has(block));
  const before = blocks.slice(0, cut).filter((block) => kept.has(block)).length;
  return [...shown.slice(0, before), notice(`… and ${hidden} more`), ...shown.slice(before)];
}

/**
 * A card for Teams.
 *
 * @param thread the conversation that it is about, where it is shown in another
 */
export function renderCard(card: Card, thread?: string): TeamsMessage {
  const summary = plainText(card.fallback, MAX_FALLBACK) || 'FileFerry';
  const frame: AdaptiveCard = {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    fallbackText: summary,
    body: [],
    msteams: { width: 'Full' },
  };
  const firm = new Set<Block>();
  const blocks = card.elements.flatMap((element) => {
    const made = blocksOf(element, thread);
    if (element.type === 'actions') for (const block of made) firm.add(block);
    return made;
  });
  const body =
    blocks.length > 0 ? blocks : richText([{ type: 'TextRun', text: cleanText(summary) || 'FileFerry' }]);
  return { summary, card: { ...frame, body: withinSize(body, firm, MAX_CARD_BYTES - sizeOf(frame)) } };
}
