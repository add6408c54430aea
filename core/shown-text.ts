/** Untrusted text made fit for a sentence: bounded, and without characters that hide or reorder others. */

/** Control and format characters (bidi marks among them), lone surrogates, and separators that break lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/**
 * A file name or a server's words for use inside our own sentence. Escaping for the platform comes later.
 *
 * @param max length in UTF-16 units; what is longer loses its middle, because names differ at both ends
 */
export function shownText(text: string, max = 200): string {
  const plain = text.replace(UNSEEN, ' ').trim();
  if (plain.length <= max) return plain;
  const tail = Math.floor((max - 1) / 3);
  return `${plain.slice(0, max - 1 - tail)}…${plain.slice(-tail)}`.toWellFormed();
}
