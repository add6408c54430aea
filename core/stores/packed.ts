/** The parts of an item that nobody but the programs reads, deflated: items are paid for by the kilobyte at every write. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Attribute that holds them: raw DEFLATE (RFC 1951) over a JSON object. */
const PACKED = 'packed';
/** An item is at most 400 KB; this is far beyond what its text comes to. */
const MOST_BYTES = 64 * 2 ** 20;

/** The item with these attributes packed into one. */
export function pack(item: Readonly<Record<string, unknown>>, names: ReadonlySet<string>) {
  const entries = Object.entries(item);
  const text = JSON.stringify(Object.fromEntries(entries.filter(([name]) => names.has(name))));
  return {
    ...Object.fromEntries(entries.filter(([name]) => !names.has(name))),
    [PACKED]: deflateRawSync(text, { level: 9 }),
  };
}

/** The item as it was before it was packed; one that was not stays as it is. */
export function unpack(item: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { [PACKED]: packed, ...rest } = item;
  if (!(packed instanceof Uint8Array)) return { ...item };
  const text = inflateRawSync(packed, { maxOutputLength: MOST_BYTES }).toString('utf8');
  return { ...rest, ...(JSON.parse(text) as Record<string, unknown>) };
}
