/** The objects that a sentence means, those it points back to included, and the slots that say so. */
import { lastObject, pointedAt } from './follow-up.ts';
import { type Found, findObjects } from './objects.ts';
import type { ObjectSlots, Slots } from './reading.ts';
import type { Sentence } from './sentence.ts';

/** Slots without those that are undefined. */
type Loose = { [Key in keyof Slots]?: Slots[Key] | undefined };
export const filled = (slots: Loose): Slots =>
  Object.fromEntries(Object.entries(slots).filter(([, value]) => value !== undefined)) as Slots;

export const objectSlots = (found: ObjectSlots): Slots =>
  filled({
    bucket: found.bucket,
    keys: found.keys,
    prefix: found.prefix,
    glob: found.glob,
    query: found.query,
    pick: found.pick,
    exclude: found.exclude,
    period: found.period,
  });

export const isNamed = (found: ObjectSlots) =>
  found.keys !== undefined ||
  found.prefix !== undefined ||
  found.glob !== undefined ||
  found.query !== undefined ||
  found.pick !== undefined;

/** The objects of the sentence, those it points back to included. */
export function objectsOf(sentence: Sentence, forTransfer: boolean): Found {
  const found = findObjects(sentence, forTransfer);
  const { lastListing } = sentence.context;
  const own = found.buckets.length > 0;
  const last = lastObject(sentence.context);
  const [key, ...more] = found.keys ?? [];
  const [lastKey] = last?.keys ?? [];
  if (
    last &&
    !own &&
    !lastListing &&
    key !== undefined &&
    more.length === 0 &&
    (lastKey === key || lastKey?.endsWith(`/${key}`))
  ) {
    return pointing(found, last);
  }
  if (found.keys && !own && lastListing) {
    const full = found.keys.map((key) =>
      lastListing.keys.find((one) => one === key || one.endsWith(`/${key}`)),
    );
    if (full.every((key) => key !== undefined)) {
      return { ...found, keys: full as string[], bucket: lastListing.bucket, buckets: [lastListing.bucket] };
    }
  }
  if (found.keys || found.glob !== undefined || found.prefix !== undefined) {
    const pointed = !own && !found.keys ? pointedAt(sentence, found.query) : undefined;
    if (pointed) return pointing(found, pointed);
    const home = sentence.context.lastListing?.bucket ?? sentence.context.lastObject?.bucket;
    return !own && home !== undefined ? { ...found, bucket: home, buckets: [home] } : found;
  }
  if (own && (found.query !== undefined || found.pick !== undefined || found.everything)) return found;
  const pointed = pointedAt(sentence, found.query);
  if (pointed && (!own || found.buckets.includes(pointed.bucket))) return pointing(found, pointed);
  if (!own && (found.query !== undefined || found.pick !== undefined) && lastListing) {
    return { ...found, bucket: lastListing.bucket, buckets: [lastListing.bucket] };
  }
  return found;
}

function pointing(found: Found, { bucket, keys }: { bucket: string; keys: readonly string[] }): Found {
  const { query: _query, pick: _pick, prefix: _prefix, glob: _glob, ...rest } = found;
  return { ...rest, bucket, buckets: [bucket], keys };
}
