/** Renders a neutral card as an Adaptive Card 1.5 that Teams takes, whatever the card holds. */
import type { Card, CardAction, CardElement, ChecklistState } from '../card.ts';
import { formatBytes, formatDuration, percent, progressBar } from '../format.ts';
import { cleanText, escapeMarkdown, plainText, runsOf, type TextRun } from './text-runs.ts';

/**
 * Bytes of a card as JSON. Teams refuses messages above 28 KB where they come by webhook, and about 40 KB with
 * all that the service adds where they come from a bot.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/resources/bot-v3/bots-message-format
 */
const MAX_CARD_BYTES = 28_000;
/** Kept free for the notice that something was left out. */
const NOTICE_BYTES = 400;
/** Kept free for buttons, which are the last to go. */
const MAX_BUTTON_BYTES = 10_000;
const MAX_LINE = 1_400;
const MAX_HEADER = 150;
const MAX_FIELD_LABEL = 100;
const MAX_LABEL = 75;
const MAX_CONFIRM = 300;
const MAX_VALUE = 2_000;
/** A row of buttons shows six; Teams hides the rest behind a menu. */
const ROW = 6;
const MAX_BUTTONS = 24;
const MAX_FALLBACK = 1_000;
/** Fits a phone's width beside the percentage. */
const BAR_WIDTH = 12;

interface RichText {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly TextRun[];
  readonly spacing?: 'None' | 'Small' | 'Medium';
}
interface Heading {
  readonly type: 'TextBlock';
  readonly style: 'heading';
  readonly size: 'Large';
  readonly weight: 'Bolder';
  readonly wrap: true;
  readonly text: string;
}
interface Execute {
  readonly type: 'Action.Execute';
  readonly title: string;
  readonly verb: string;
  /** `thread` tells where the click belongs, for a card that was shown elsewhere. */
  readonly data: { readonly value: string; readonly thread?: string };
  readonly style?: 'positive' | 'destructive';
}
interface ShowCard {
  readonly type: 'Action.ShowCard';
  readonly title: string;
  readonly style?: 'positive' | 'destructive';
  readonly card: {
    readonly type: 'AdaptiveCard';
    readonly body: readonly RichText[];
    readonly actions: readonly [Execute];
  };
}
interface ActionRow {
  readonly type: 'ActionSet';
  readonly spacing?: 'Medium';
  readonly actions: readonly (Execute | ShowCard)[];
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

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) + 1;

const CHECKLIST_ICONS: Readonly<Record<ChecklistState, string>> = {
  waiting: '◻️',
  active: '⏳',
  done: '✅',
  failed: '❌',
  skipped: '➖',
};

const richText = (inlines: readonly TextRun[], spacing?: RichText['spacing']): RichText[] =>
  inlines.length > 0 ? [{ type: 'RichTextBlock', ...(spacing && { spacing }), inlines }] : [];

const notice = (text: string): RichText => ({
  type: 'RichTextBlock',
  spacing: 'Small',
  inlines: [{ type: 'TextRun', text, isSubtle: true, size: 'Small' }],
});

function progressBlocks(progress: Extract<CardElement, { type: 'progress' }>): RichText[] {
  const { bytesDone, bytesTotal, objectsDone, objectsTotal, bytesPerSecond, secondsLeft } = progress;
  const filesDone = objectsDone >= objectsTotal;
  const moved = bytesTotal > 0 ? percent(bytesDone, bytesTotal) : percent(objectsDone, objectsTotal);
  // All bytes sent is not all files verified and in place.
  const shown = filesDone ? moved : Math.min(moved, 99);
  const details = [
    `${objectsDone} of ${objectsTotal} ${objectsTotal === 1 ? 'file' : 'files'}`,
    `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`]),
  ];
  return [
    {
      type: 'RichTextBlock',
      inlines: [
        { type: 'TextRun', text: progressBar(shown / 100, BAR_WIDTH), fontType: 'Monospace' },
        { type: 'TextRun', text: ` ${shown} %`, weight: 'Bolder' },
      ],
    },
    ...richText([{ type: 'TextRun', text: details.join(' · '), isSubtle: true }], 'None'),
  ];
}

const STYLES = { primary: 'positive', danger: 'destructive' } as const;

/** A button; where it asks for confirmation, one that unfolds the question with the real button below it. */
function buttonOf(action: CardAction, thread: string | undefined): Execute | ShowCard {
  const style = action.style && { style: STYLES[action.style] };
  const title = plainText(action.label, MAX_LABEL) || '–';
  const execute: Execute = {
    type: 'Action.Execute',
    title,
    verb: action.actionId,
    data: { value: action.value, ...(thread && { thread }) },
    ...style,
  };
  if (!action.confirm) return execute;
  return {
    type: 'Action.ShowCard',
    title,
    ...style,
    card: {
      type: 'AdaptiveCard',
      body: richText(runsOf([action.confirm], MAX_CONFIRM)),
      actions: [{ ...execute, title: plainText(`Yes, ${action.label.toLowerCase()}`, MAX_LABEL) }],
    },
  };
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
    // As a link, which looks the same on a phone and needs no room among the buttons.
    case 'open':
      return richText(runsOf([{ kind: 'link', url: element.url, text: element.label }], MAX_LINE));
    case 'actions':
      return actionRows(element.actions, thread);
    default: {
      const unknown: never = element;
      throw new TypeError(`unknown card element ${JSON.stringify(unknown)}`);
    }
  }
}

function actionRows(actions: readonly CardAction[], thread: string | undefined): Block[] {
  // A value that was cut would carry something else than it says: such a button is left out.
  const fitting = actions.filter(({ value }) => Buffer.byteLength(value) <= MAX_VALUE);
  const buttons: (Execute | ShowCard)[] = [];
  let left = MAX_BUTTON_BYTES;
  for (const action of fitting.slice(0, MAX_BUTTONS)) {
    const button = buttonOf(action, thread);
    left -= sizeOf(button);
    if (left < 0) break;
    buttons.push(button);
  }
  const rows: Block[] = [];
  for (let start = 0; start < buttons.length; start += ROW) {
    rows.push({ type: 'ActionSet', spacing: 'Medium', actions: buttons.slice(start, start + ROW) });
  }
  const hidden = actions.length - buttons.length;
  return hidden > 0 ? [...rows, notice(`… and ${hidden} more`)] : rows;
}

/** In order, as much as fits; buttons are the last to go, and what is left out is counted. */
function withinSize(blocks: readonly Block[], room: number): Block[] {
  const kept = new Set<Block>();
  let left = room - NOTICE_BYTES;
  const take = (block: Block) => {
    const size = sizeOf(block);
    if (size > left) return false;
    left -= size;
    kept.add(block);
    return true;
  };
  for (const block of blocks) if (block.type === 'ActionSet') take(block);
  for (const block of blocks) if (block.type !== 'ActionSet' && !take(block)) break;
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
  const blocks = card.elements.flatMap((element) => blocksOf(element, thread));
  const body =
    blocks.length > 0 ? blocks : richText([{ type: 'TextRun', text: cleanText(summary) || 'FileFerry' }]);
  return { summary, card: { ...frame, body: withinSize(body, MAX_CARD_BYTES - sizeOf(frame)) } };
}
