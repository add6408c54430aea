/** Lines of a card as blocks of runs of text, in which Teams reads no mark-up; and the escaping for the places where it does. */
import type { Line, Span } from '../card.ts';

/** Stands for what was cut away. */
const ELLIPSIS = '…';
const LINE_BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/**
 * Control characters, bidirectional overrides and isolates, and characters without width that make two names look
 * alike. U+200C and U+200D stay: Persian needs the one, emoji the other.
 */
const INVISIBLE =
  /[\p{Cc}\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/gu;

/** Text on one line, without control, bidi and hidden characters; a lone surrogate becomes U+FFFD. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(LINE_BREAKS, ' ').replace(INVISIBLE, '');
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `max` UTF-16 units, cut visibly between graphemes. */
function fitText(text: string, max: number): string {
  if (text.length <= max) return text;
  let fitted = '';
  for (const { segment } of graphemes.segment(text)) {
    if (fitted.length + segment.length > max - ELLIPSIS.length) break;
    fitted += segment;
  }
  return `${fitted.trimEnd()}${ELLIPSIS}`;
}

/** Plain text for a title, a button or a notification. */
export const plainText = (text: string, max: number): string => fitText(cleanText(text).trim(), max);

/**
 * Text for a `TextBlock`, whose markdown subset is thereby shown as it was written.
 *
 * @see https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
 */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\`*_[\]()~#|!<>]/g, (sign) => `\\${sign}`)
    // A list or a date function begins only at these places.
    .replace(
      /^(\s*)([-+]|\d+\.)(?=\s)/,
      (_all, space: string, mark: string) => `${space}${mark.slice(0, -1)}\\${mark.slice(-1)}`,
    )
    .replaceAll('{{', '{\u200b{');

/** @see https://adaptivecards.io/explorer/TextRun.html */
export interface TextRun {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'Bolder';
  readonly fontType?: 'Monospace';
  readonly isSubtle?: true;
  readonly size?: 'Small';
  readonly color?: 'Accent';
  readonly selectAction?: { readonly type: 'Action.OpenUrl'; readonly url: string };
}

function runOf(span: Span): TextRun {
  if (typeof span === 'string') return { type: 'TextRun', text: cleanText(span) };
  switch (span.kind) {
    case 'bold':
      return { type: 'TextRun', text: cleanText(span.text), weight: 'Bolder' };
    case 'code':
      return { type: 'TextRun', text: cleanText(span.text) || '\u00a0', fontType: 'Monospace' };
    case 'person':
      return { type: 'TextRun', text: cleanText(span.name), weight: 'Bolder' };
    case 'link': {
      const url = URL.parse(span.url);
      const text = cleanText(span.text);
      if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return { type: 'TextRun', text };
      return {
        type: 'TextRun',
        text: text || url.host,
        color: 'Accent',
        selectAction: { type: 'Action.OpenUrl', url: url.href },
      };
    }
    default: {
      const unknown: never = span;
      throw new TypeError(`unknown span ${JSON.stringify(unknown)}`);
    }
  }
}

/** One line as runs of at most `max` UTF-16 units in all; none for a line that shows nothing. */
export function runsOf(line: Line, max: number): TextRun[] {
  const runs: TextRun[] = [];
  let left = max;
  for (const span of line) {
    const run = runOf(span);
    if (!run.text) continue;
    if (left <= 0) break;
    const text = fitText(run.text, left);
    left -= text.length;
    runs.push({ ...run, text });
    if (text !== run.text) break;
  }
  return runs.some(({ text }) => text.trim()) ? runs : [];
}

/** @see https://adaptivecards.io/explorer/RichTextBlock.html */
export interface RichText {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly TextRun[];
  readonly spacing?: 'None' | 'Small' | 'Medium';
}

/** A block of these runs; none where there is nothing to show. */
export const richText = (inlines: readonly TextRun[], spacing?: RichText['spacing']): RichText[] =>
  inlines.length > 0 ? [{ type: 'RichTextBlock', ...(spacing && { spacing }), inlines }] : [];

/** A small remark of the renderer's own. */
export const notice = (text: string): RichText => ({
  type: 'RichTextBlock',
  spacing: 'Small',
  inlines: [{ type: 'TextRun', text, isSubtle: true, size: 'Small' }],
});
