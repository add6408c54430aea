/** Text that a model wrote, made fit to be shown: bounded, plain, and without addresses that a click would open. */
import { plainText } from '../core/shown-text.ts';

const MAX_LINES = 40;
const MAX_LINE = 1_000;

/** Any scheme but our own `s3://`. A link is how a talked-into model would carry something out. */
const ADDRESS = /\b(?!s3:\/\/)[a-z][a-z0-9+.-]*:\/\/\S*|\bwww\.\S+|\b(?:mailto|javascript|data):\S+/gi;

export function shownModelText(text: string): string {
  return text
    .replaceAll(ADDRESS, '(link removed)')
    .split('\n')
    .map((line) => plainText(line, MAX_LINE))
    .filter((line, index, all) => line !== '' || all[index - 1] !== '')
    .slice(0, MAX_LINES)
    .join('\n')
    .trim();
}
