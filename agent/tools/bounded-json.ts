/** Data of strangers for the model: JSON of bounded size whose strings hold nothing that hides or ends anything. */
import { shownText } from '../../core/shown-text.ts';

/** UTF-16 units of one string; an S3 key has at most 1,024 bytes. */
const MAX_STRING = 1_024;
const MAX_DEPTH = 6;

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shownText(value, MAX_STRING);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((inner) => cleaned(inner, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [shownText(name, 100), cleaned(inner, depth + 1)]),
  );
}

/** `<` and `>` as escapes, so that data cannot imitate the tags around it. */
const encode = (value: unknown): string =>
  JSON.stringify(value, (_name, inner) => (typeof inner === 'bigint' ? String(inner) : inner) ?? null)
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e');

/** The longest array anywhere in the value, to be shortened first. */
function longestArray(value: unknown): unknown[] | undefined {
  let longest: unknown[] | undefined;
  const visit = (inner: unknown) => {
    if (inner === null || typeof inner !== 'object') return;
    if (Array.isArray(inner) && inner.length > (longest?.length ?? 0)) longest = inner;
    for (const one of Object.values(inner)) visit(one);
  };
  visit(value);
  return longest;
}

/**
 * Valid JSON in at most `max` UTF-16 units. What does not fit is left out from the end of the longest list, and
 * the result then says so.
 */
export function boundedJson(value: unknown, max = 8_000): string {
  const clean = { data: cleaned(value, 0) };
  let text = encode(clean.data);
  let leftOut = 0;
  while (text.length > max) {
    const list = longestArray(clean.data);
    if (!list || list.length === 0) {
      return encode({
        cut: `${JSON.stringify(clean.data).slice(0, Math.floor((max - 30) / 8))}…`.toWellFormed(),
      });
    }
    const drop = Math.max(1, Math.floor(list.length / 4));
    list.length -= drop;
    leftOut += drop;
    text = encode({ result: clean.data, leftOut });
  }
  return text;
}
