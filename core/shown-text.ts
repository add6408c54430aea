/** Untrusted text made fit to be shown: on one line, without characters that hide or reorder others, and bounded. */

/** Line breaks and all other control characters. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Bidi marks and overrides, characters without width, tag characters: whatever formats and is not seen itself. */
const UNSEEN = /(?![\u200c\u200d])\p{Cf}/gu;
/** Joiners beside ASCII, where they only make two names look alike: Persian needs the one, emoji the other. */
const IDLE_JOINERS = /(?<!\P{ASCII})[\u200c\u200d]+|[\u200c\u200d]+(?!\P{ASCII})/gu;

/** One line of text of any length: breaks become spaces, unseen characters go, lone surrogates become U+FFFD. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(BREAKS, ' ').replace(UNSEEN, '').replace(IDLE_JOINERS, '');
}

/** The beginning and the end of a text without half an emoji, `…` between them. */
function cut(text: string, max: number, tail: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max - 1 - tail).replace(/[\uD800-\uDBFF]$/, '');
  const end = tail > 0 ? text.slice(-tail).replace(/^[\uDC00-\uDFFF]/, '') : '';
  return `${head}…${end}`;
}

/**
 * A sentence or a server's words. Escaping for the platform comes later.
 *
 * @param max length in UTF-16 units; what is longer loses its end
 */
export function plainText(text: string, max: number): string {
  return cut(oneLine(text).trim(), max, 0);
}

/**
 * A name or path for use inside our own sentence. Escaping for the platform comes later.
 *
 * @param max length in UTF-16 units; what is longer loses its middle, because names differ at both ends
 */
export function shownText(text: string, max = 200): string {
  return cut(oneLine(text).trim(), max, Math.floor((max - 1) / 3));
}
