/** Makes untrusted text harmless before it leaves us: bounded, without control, bidi or invisible characters. */

/**
 * One line of plain text: control characters and line separators become spaces; format characters (bidi
 * marks, zero-width and tag characters) and lone surrogates go.
 *
 * @param max longest result in UTF-16 units; what is cut is marked by `…`
 */
export function plainText(text: string, max: number): string {
  return cut(clean(text), max, 'end');
}

/** As {@link plainText}, but cut in the middle: for paths, whose end says as much as their beginning. */
export function plainPath(path: string, max: number): string {
  return cut(clean(path), max, 'middle');
}

function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .toWellFormed()
    .trim();
}

function cut(text: string, max: number, where: 'end' | 'middle'): string {
  if (text.length <= max) return text;
  const tail = where === 'middle' ? Math.floor((max - 1) / 2) : 0;
  const head = text.slice(0, max - 1 - tail).replace(/[\uD800-\uDBFF]$/, '');
  const end = tail > 0 ? text.slice(-tail).replace(/^[\uDC00-\uDFFF]/, '') : '';
  return `${head}…${end}`;
}
