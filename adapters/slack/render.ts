/** Renders a neutral card as a Slack message: Block Kit within its limits, whatever the card holds. */
import type { Button, ContextBlock, KnownBlock, PlainTextElement, SectionBlock } from '@slack/types';
import { FerryError } from '../../core/errors.ts';
import type { Card, CardAction, CardElement, ChecklistState } from '../card.ts';
import { progressBar, progressInWords } from '../format.ts';
import { andMore, plainText, renderLine, renderLines } from './mrkdwn.ts';

/** @see https://docs.slack.dev/reference/block-kit/blocks */
const MAX_BLOCKS = 50;
const MAX_SECTION = 3_000;
const MAX_FIELDS = 10;
const MAX_HEADER = 150;
const MAX_CONTEXT = 2_000;
const MAX_BUTTONS = 25;
const MAX_BUTTON_LABEL = 75;
const MAX_URL = 3_000;
const MAX_BUTTON_VALUE = 2_000;
const MAX_CONFIRM_TEXT = 300;
const MAX_CONFIRM_BUTTON = 30;

/**
 * Characters in a whole message's texts and in its buttons. Slack refuses messages with `msg_blocks_too_long` from
 * somewhere above 11,000 (bolt-js issues 2509 and 2867; the limit is not documented).
 */
const MAX_TEXTS = 7_000;
const MAX_BUTTON_TEXTS = 3_000;
/** A field with a key of 1,000 characters is shown whole. */
const MAX_FIELD = 1_400;
const MAX_FIELD_LABEL = 100;
const MAX_ALL_FIELDS = 30;
/** Longest value, and longest word in it, that a column of a thread on a laptop's screen shows well. */
const MAX_NARROW = 28;
const MAX_NARROW_WORD = 24;
/** Slack recommends at most 4,000 characters beside blocks. */
const MAX_FALLBACK = 3_000;
/** Below this much of the total, an element is left out rather than shown as a stump. */
const LEAST_ELEMENT = 150;

const BAR_WIDTH = 20;
const KEY_PREFIX = 'ff:';
const KEY_PATTERN = /^[A-Za-z0-9:/.-]{1,100}$/;

export interface SlackMessage {
  /** The fallback for notifications and screen readers, as mrkdwn. */
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** The `block_id` of a message's first block, by which the message is found again: it outlives every edit. */
export function markOf(key: string): string {
  if (!KEY_PATTERN.test(key)) {
    throw new FerryError('internal', {
      userMessage: 'FileFerry could not mark its message. Nothing was posted.',
      cause: new TypeError(`not a message key: ${JSON.stringify(key)}`),
    });
  }
  return `${KEY_PREFIX}${key}`;
}

/** The key in a `block_id` that {@link markOf} made. */
export function keyOfMark(blockId: string | undefined): string | undefined {
  return blockId?.startsWith(KEY_PREFIX) ? blockId.slice(KEY_PREFIX.length) : undefined;
}

/** What is left of the message's characters while its elements are rendered in order. */
interface Budget {
  left: number;
  forButtons: number;
}

const plain = (text: string, max: number): PlainTextElement => ({
  type: 'plain_text',
  text: plainText(text, max) || '–',
  emoji: true,
});

const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true }) as const;
const section = (text: string): SectionBlock => ({ type: 'section', text: mrkdwn(text) });
const notice = (text: string): ContextBlock => ({ type: 'context', elements: [mrkdwn(text)] });

/** A section of this text, or nothing where Slack would refuse an empty one. */
function sectionOf(text: string, budget: Budget): KnownBlock[] {
  if (!text.trim()) return [];
  budget.left -= text.length;
  return [section(text)];
}

/** Whether a value would be torn apart, or cut off, in one of Slack's two narrow columns. */
const isWide = (value: string): boolean =>
  value.length > MAX_NARROW || value.split(/\s+/).some((word) => word.length > MAX_NARROW_WORD);

/** Wide fields as lines over the whole width, the others in two columns below; one alone is a line too. */
function fieldBlocks(element: Extract<CardElement, { type: 'fields' }>, budget: Budget): KnownBlock[] {
  const shown: { readonly name: string; readonly value: string }[] = [];
  for (const { label, value } of element.fields.slice(0, MAX_ALL_FIELDS)) {
    if (budget.left < LEAST_ELEMENT) break;
    const name = renderLine([{ kind: 'bold', text: label }], MAX_FIELD_LABEL);
    const text = renderLine(value, Math.min(MAX_FIELD, budget.left) - name.length - 2);
    budget.left -= name.length + text.length + 2;
    if (name || text.trim()) shown.push({ name, value: text });
  }
  const narrow = shown.filter(({ value }) => !isWide(value));
  const inColumns = narrow.length > 1 ? narrow : [];
  const lines = shown
    .filter((field) => !inColumns.includes(field))
    .map(({ name, value }) => (name ? `${name}: ${value}` : value));
  const columns = inColumns.map(({ name, value }) => `${name}\n${value}`);

  const blocks: KnownBlock[] = inSections(lines).map(section);
  for (let start = 0; start < columns.length; start += MAX_FIELDS) {
    blocks.push({ type: 'section', fields: columns.slice(start, start + MAX_FIELDS).map(mrkdwn) });
  }
  const hidden = element.fields.length - shown.length;
  return hidden > 0 ? [...blocks, notice(andMore(hidden))] : blocks;
}

/** Lines in as few texts as Slack takes for a section each. */
function inSections(lines: readonly string[]): string[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= MAX_SECTION)
      texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(line);
  }
  return texts;
}

function progressText(progress: Extract<CardElement, { type: 'progress' }>): string {
  const { shown, details } = progressInWords(progress);
  return `\`${progressBar(shown / 100, BAR_WIDTH)}\` *${shown} %*\n${details.join(' · ')}`;
}

const CHECKLIST_ICONS: Readonly<Record<ChecklistState, string>> = {
  waiting: '▫️',
  active: '⏳',
  done: '✅',
  failed: '❌',
  skipped: '➖',
};

/** Longest that the texts of the confirmation can be. */
const confirmLength = ({ confirm }: CardAction): number =>
  confirm ? Math.min(confirm.length, MAX_CONFIRM_TEXT) + 2 * MAX_CONFIRM_BUTTON : 0;

function buttonOf(action: CardAction, actionId: string): Button {
  return {
    type: 'button',
    action_id: actionId,
    text: plain(action.label, MAX_BUTTON_LABEL),
    value: action.value,
    ...(action.style && { style: action.style }),
    ...(action.confirm && {
      confirm: {
        title: plain('Are you sure?', 100),
        text: plain(action.confirm, MAX_CONFIRM_TEXT),
        confirm: plain(action.label, MAX_CONFIRM_BUTTON),
        deny: plain('Back', MAX_CONFIRM_BUTTON),
        ...(action.style && { style: action.style }),
      },
    }),
  };
}

function actionBlocks(actions: readonly CardAction[], budget: Budget): KnownBlock[] {
  const seen = new Map<string, number>();
  const buttons: Button[] = [];
  for (const action of actions) {
    const cost = Math.min(action.label.length, MAX_BUTTON_LABEL) + confirmLength(action);
    // A value that was cut would carry something else than it says: such a button is left out.
    if (action.value.length > MAX_BUTTON_VALUE || cost > budget.forButtons) continue;
    if (buttons.length === MAX_BUTTONS) break;
    budget.forButtons -= cost;
    const count = (seen.get(action.actionId) ?? 0) + 1;
    seen.set(action.actionId, count);
    // Slack refuses two equal ids in one block; normalizing takes the number off again.
    buttons.push(buttonOf(action, count === 1 ? action.actionId : `${action.actionId}:${count}`));
  }
  const hidden = actions.length - buttons.length;
  return [
    ...(buttons.length > 0 ? [{ type: 'actions', elements: buttons } as const] : []),
    ...(hidden > 0 ? [notice(andMore(hidden))] : []),
  ];
}

/** Slack sends a click on it as well, which is acknowledged and means nothing. */
function openBlocks(label: string, url: string, budget: Budget): KnownBlock[] {
  const page = URL.parse(url);
  if (page?.protocol !== 'https:' && page?.protocol !== 'http:') return [];
  if (page.href.length > MAX_URL || label.length > budget.forButtons) return [];
  budget.forButtons -= label.length;
  const text = plain(label, MAX_BUTTON_LABEL);
  if (!text.text) return [];
  return [
    {
      type: 'actions',
      elements: [{ type: 'button', action_id: 'open', text, url: page.href, style: 'primary' }],
    },
  ];
}

function blocksOf(element: CardElement, budget: Budget): KnownBlock[] {
  switch (element.type) {
    case 'header': {
      const text = plainText(element.text, MAX_HEADER);
      budget.left -= text.length;
      return text ? [{ type: 'header', text: { type: 'plain_text', text, emoji: true } }] : [];
    }
    case 'text':
      return sectionOf(renderLines(element.lines, Math.min(MAX_SECTION, budget.left)), budget);
    case 'fields':
      return fieldBlocks(element, budget);
    case 'progress':
      return sectionOf(progressText(element), budget);
    case 'checklist': {
      const lines = element.items.map(({ label, state, detail }) => [
        `${CHECKLIST_ICONS[state]} `,
        label,
        ...(detail ? [` – ${detail}`] : []),
      ]);
      return sectionOf(renderLines(lines, Math.min(MAX_SECTION, budget.left)), budget);
    }
    case 'actions':
      return actionBlocks(element.actions, budget);
    case 'open':
      return openBlocks(element.label, element.url, budget);
    case 'context': {
      const text = renderLines(element.lines, Math.min(MAX_CONTEXT, budget.left));
      budget.left -= text.length;
      return text.trim() ? [notice(text)] : [];
    }
    default: {
      const unknown: never = element;
      throw new TypeError(`unknown card element ${JSON.stringify(unknown)}`);
    }
  }
}

/** At most {@link MAX_BLOCKS} blocks in order; buttons are the last to go, and what is left out is counted. */
function withinBlockLimit(blocks: readonly KnownBlock[], leftOut: number): KnownBlock[] {
  if (blocks.length <= MAX_BLOCKS && leftOut === 0) return [...blocks];
  const room = MAX_BLOCKS - 1;
  const buttons = blocks.filter(({ type }) => type === 'actions').slice(0, room);
  const others = blocks.filter(({ type }) => type !== 'actions').slice(0, room - buttons.length);
  const kept = new Set([...buttons, ...others]);
  const hidden = blocks.length - kept.size + leftOut;
  return [...blocks.filter((block) => kept.has(block)), ...(hidden > 0 ? [notice(andMore(hidden))] : [])];
}

/**
 * A card as `text` and `blocks` for `chat.postMessage` and `chat.update`.
 *
 * @param key marks the message: see `PostOptions.key`
 */
export function renderCard(card: Card, key?: string): SlackMessage {
  const text = renderLine([card.fallback.trim()], MAX_FALLBACK) || 'FileFerry';
  const budget: Budget = { left: MAX_TEXTS, forButtons: MAX_BUTTON_TEXTS };
  const rendered: KnownBlock[] = [];
  let leftOut = 0;
  for (const element of card.elements) {
    if (element.type !== 'actions' && budget.left < LEAST_ELEMENT) leftOut += 1;
    else rendered.push(...blocksOf(element, budget));
  }
  const blocks = withinBlockLimit(rendered.length > 0 ? rendered : [section(text)], leftOut);
  const mark = key === undefined ? 'b0' : markOf(key);
  return { text, blocks: blocks.map((block, i) => ({ ...block, block_id: i === 0 ? mark : `b${i}` })) };
}
