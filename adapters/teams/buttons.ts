/** A card's buttons for Teams: in rows that a phone shows whole, numbered where their labels are too long for a button. */
import type { CardAction } from '../card.ts';
import { notice, plainText, type RichText, richText, runsOf } from './text-runs.ts';

/** Bytes of all buttons with their labels. */
const MAX_BUTTON_BYTES = 10_000;
const MAX_BUTTONS = 24;
const MAX_LABEL = 75;
const MAX_CONFIRM = 300;
const MAX_VALUE = 2_000;
/** Teams hides what comes after the sixth of a row behind a menu. */
const MAX_IN_ROW = 6;
/** Characters' worth of room in a row on a phone, where Teams cuts off what does not fit. */
const ROOM = 39;
/** What a button takes beside its title: its margins and the gap to the next. */
const MARGIN = 5;

/** @see https://adaptivecards.io/explorer/Action.Execute.html */
interface Execute {
  readonly type: 'Action.Execute';
  readonly title: string;
  /** Read out and shown when somebody points at it. */
  readonly tooltip?: string;
  readonly verb: string;
  /** `thread` tells where the click belongs, for a card that was shown elsewhere. */
  readonly data: { readonly value: string; readonly thread?: string };
  readonly style?: 'positive' | 'destructive';
}
interface ShowCard {
  readonly type: 'Action.ShowCard';
  readonly title: string;
  readonly tooltip?: string;
  readonly style?: 'positive' | 'destructive';
  readonly card: {
    readonly type: 'AdaptiveCard';
    readonly body: readonly RichText[];
    readonly actions: readonly [Execute];
  };
}
/** @see https://adaptivecards.io/explorer/Action.OpenUrl.html */
interface OpenUrl {
  readonly type: 'Action.OpenUrl';
  readonly title: string;
  readonly url: string;
  readonly style: 'positive';
}
export interface ActionRow {
  readonly type: 'ActionSet';
  readonly spacing?: 'Medium' | 'Small';
  readonly actions: readonly (Execute | ShowCard | OpenUrl)[];
}

/** Bytes of a part of a card as JSON, with the comma after it. */
export const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) + 1;

const STYLES = { primary: 'positive', danger: 'destructive' } as const;

/** A button; where it asks for confirmation, one that unfolds the question with the real button below it. */
function buttonOf(
  action: CardAction,
  named: { readonly title: string; readonly tooltip?: string },
  thread: string | undefined,
): Execute | ShowCard {
  const style = action.style && { style: STYLES[action.style] };
  const execute: Execute = {
    type: 'Action.Execute',
    ...named,
    verb: action.actionId,
    data: { value: action.value, ...(thread && { thread }) },
    ...style,
  };
  if (!action.confirm) return execute;
  return {
    type: 'Action.ShowCard',
    ...named,
    ...style,
    card: {
      type: 'AdaptiveCard',
      body: richText(runsOf([action.confirm], MAX_CONFIRM)),
      actions: [{ ...execute, title: plainText(`Yes, ${action.label.toLowerCase()}`, MAX_LABEL) }],
    },
  };
}

/** A button that opens a page; nothing where there is no page to open. */
export function openBlocks(label: string, url: string): ActionRow[] {
  const page = URL.parse(url);
  const title = plainText(label, MAX_LABEL);
  if ((page?.protocol !== 'https:' && page?.protocol !== 'http:') || page.href.length > MAX_VALUE || !title)
    return [];
  const button: OpenUrl = { type: 'Action.OpenUrl', title, url: page.href, style: 'positive' };
  return [{ type: 'ActionSet', spacing: 'Medium', actions: [button] }];
}

/** Side by side as many as a phone shows. */
function rowsOf(buttons: readonly (Execute | ShowCard)[]): ActionRow[] {
  const rows: (Execute | ShowCard)[][] = [];
  let left = 0;
  for (const button of buttons) {
    const width = button.title.length + MARGIN;
    const row = rows.at(-1);
    if (row && width <= left && row.length < MAX_IN_ROW) row.push(button);
    else {
      rows.push([button]);
      left = ROOM;
    }
    left -= width;
  }
  return rows.map((actions, i) => ({ type: 'ActionSet', spacing: i === 0 ? 'Medium' : 'Small', actions }));
}

/**
 * The buttons, and above them the labels that are too long for one: a button of Teams shows the beginning of its title
 * alone, and choices differ at their ends.
 *
 * @param thread the conversation that they are about, where the card is shown in another
 */
export function buttonBlocks(
  actions: readonly CardAction[],
  thread: string | undefined,
): (RichText | ActionRow)[] {
  // A value that was cut would carry something else than it says: such a button is left out.
  const fitting = actions.filter(({ value }) => Buffer.byteLength(value) <= MAX_VALUE).slice(0, MAX_BUTTONS);
  const labels = fitting.map(({ label }) => plainText(label, MAX_LABEL) || '–');
  const numbered = labels.some((label) => label.length + MARGIN > ROOM);
  const lines: RichText[] = [];
  const buttons: (Execute | ShowCard)[] = [];
  let left = MAX_BUTTON_BYTES;
  for (const [index, action] of fitting.entries()) {
    const label = labels[index] ?? '';
    const number = String(index + 1);
    const line: RichText[] = numbered
      ? richText(
          [
            { type: 'TextRun', text: `${number}  `, weight: 'Bolder' },
            { type: 'TextRun', text: label },
          ],
          'Small',
        )
      : [];
    const named = numbered ? { title: number, tooltip: label } : { title: label };
    const button = buttonOf(action, named, thread);
    left -= sizeOf([...line, button]);
    if (left < 0) break;
    lines.push(...line);
    buttons.push(button);
  }
  const hidden = actions.length - buttons.length;
  return [...lines, ...rowsOf(buttons), ...(hidden > 0 ? [notice(`… and ${hidden} more`)] : [])];
}
