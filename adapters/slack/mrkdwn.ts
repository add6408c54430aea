/** Lines of a card as Slack's mrkdwn: untrusted text stripped, escaped, kept from formatting, and cut to fit. */
import { oneLine } from '../../core/shown-text.ts';
import type { Line, Span } from '../card.ts';

/** Stands for what was cut away. */
const ELLIPSIS = '…';
/** Tells Slack that a word ends here, so that formatting begins or ends; strips from what people write. */
const BOUNDARY = '\u200b';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** As much of `text` as fits into `max` UTF-16 units after `encode`, in whole graphemes. */
function fit(text: string, max: number, encode: (part: string) => string): { text: string; whole: boolean } {
  const encoded = encode(text);
  if (encoded.length <= max) return { text: encoded, whole: true };
  let fitted = '';
  for (const { segment } of graphemes.segment(text)) {
    const next = encode(segment);
    if (fitted.length + next.length > max) break;
    fitted += next;
  }
  return { text: fitted, whole: false };
}

const asIs = (text: string): string => text;

/**
 * Text for a `plain_text` object, which Slack neither formats nor searches for mentions, cut visibly.
 *
 * @param max length in UTF-16 units; Slack's own way to count is not documented, and no way counts more
 */
export function plainText(text: string, max: number): string {
  const clean = oneLine(text).trim();
  if (clean.length <= max) return clean;
  return `${fit(clean, max - 1, asIs).text.trimEnd()}${ELLIPSIS}`;
}

/** @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const LOOKALIKE: Readonly<Record<string, string>> = { '*': '∗', _: 'ˍ', '~': '∼' };

/**
 * Slack has no way to escape its formatting characters. Inside a word they do nothing; elsewhere they give way to
 * lookalikes, as do the colons of an emoji's name. Names that people may want to copy belong into code spans,
 * where only the backtick is replaced.
 */
function calm(text: string): string {
  return text
    .replaceAll('`', 'ˋ')
    .replace(/(?<![\p{L}\p{N}])[*_~]|[*_~](?![\p{L}\p{N}])/gu, (mark) => LOOKALIKE[mark] ?? mark)
    .replace(/:(?=(?!\d{1,2}:)[\p{L}\p{N}_+'-]+:)/gu, '꞉');
}

/** A span ready to be cut: what opens and closes it, and its text, or `atom` where it stays whole. */
interface Piece {
  readonly open: string;
  readonly text: string;
  readonly close: string;
  /** Whether the text may not be cut, as in a mention. */
  readonly atom: boolean;
}

const plainPiece = (text: string): Piece => ({
  open: '',
  text: calm(oneLine(text)),
  close: '',
  atom: false,
});

function linkPiece(url: string, text: string): Piece {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') return plainPiece(text);
  const target = escapeText(parsed.href.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E'));
  const label = calm(oneLine(text)).replaceAll('|', '¦');
  return { open: `<${target}|`, text: label || parsed.host, close: '>', atom: false };
}

function pieceOf(span: Span): Piece {
  if (typeof span === 'string') return plainPiece(span);
  switch (span.kind) {
    case 'bold': {
      const text = calm(oneLine(span.text)).replaceAll('*', '∗').trim();
      return text ? { open: '*', text, close: '*', atom: false } : plainPiece('');
    }
    case 'code':
      return {
        open: '`',
        text: oneLine(span.text).replaceAll('`', 'ˋ') || '\u00a0',
        close: '`',
        atom: false,
      };
    case 'person': {
      const user = /^slack:[^:]+:([UW][A-Z0-9]+)$/.exec(span.userId)?.[1];
      return user ? { open: `<@${user}`, text: '', close: '>', atom: true } : plainPiece(span.name);
    }
    case 'link':
      return linkPiece(span.url, span.text);
    default: {
      const unknown: never = span;
      throw new TypeError(`unknown span ${JSON.stringify(unknown)}`);
    }
  }
}

/** Whether Slack would miss that formatting begins or ends here, because a word goes on. */
function needsBoundary(before: string, piece: Piece, previous: Piece | undefined): boolean {
  const formatted = piece.open.length === 1 || previous?.open.length === 1;
  return (
    formatted && /[\p{L}\p{N}*_~`>]$/u.test(before) && /^[\p{L}\p{N}*_~`<]/u.test(piece.open + piece.text)
  );
}

/**
 * One line as mrkdwn of at most `max` UTF-16 units; what does not fit is cut with `…`, between graphemes and
 * outside of mark-up.
 */
export function renderLine(line: Line, max: number): string {
  let out = '';
  let previous: Piece | undefined;
  for (const [index, span] of line.entries()) {
    const piece = pieceOf(span);
    if (!piece.open && !piece.text) continue;
    const boundary = needsBoundary(out, piece, previous) ? BOUNDARY : '';
    // Slack reads an escaped > at the beginning of a line as a quotation.
    const guard = out === '' && /^\s*>/.test(piece.text) && !piece.open ? BOUNDARY : '';
    const around = guard.length + boundary.length + piece.open.length + piece.close.length;
    const last = index === line.length - 1;
    // Room for the ellipsis, unless nothing can follow that would need one.
    const room = max - out.length - around - (last ? 0 : 1);
    const fitted = room < 0 ? undefined : fit(piece.text, room, escapeText);
    if (fitted?.whole) {
      out += guard + boundary + piece.open + fitted.text + piece.close;
      previous = piece;
      continue;
    }
    const cut =
      piece.atom || room < 1 ? '' : fit(piece.text, room - (last ? 1 : 0), escapeText).text.trimEnd();
    if (cut) return out + guard + boundary + piece.open + cut + ELLIPSIS + piece.close;
    return out.length < max ? out + ELLIPSIS : out;
  }
  return out;
}

/** How a list that was cut short says so. */
export const andMore = (count: number): string => `${ELLIPSIS} and ${count} more`;

/** Longest notice of {@link andMore} with its line break. */
const NOTICE = 24;
/** A line shorter than this is not worth showing when it is cut. */
const LEAST_LINE = 20;

/**
 * Lines below each other in at most `max` UTF-16 units; the rest is counted in a last line.
 *
 * @param max at least 100
 */
export function renderLines(lines: readonly Line[], max: number): string {
  const out: string[] = [];
  let left = max;
  for (const [index, line] of lines.entries()) {
    const remaining = lines.length - index;
    const whole = renderLine(line, max);
    const reserve = remaining > 1 ? NOTICE : 0;
    if (whole.length > left - reserve && left - reserve < LEAST_LINE) {
      out.push(andMore(remaining));
      break;
    }
    const text = whole.length <= left - reserve ? whole : renderLine(line, left - reserve);
    out.push(text);
    left -= text.length + 1;
  }
  return out.join('\n');
}
