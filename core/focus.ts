/** What a person and FileFerry spoke of last, so that "it" and "the second one" mean something. */
import { z } from 'zod';

/** Keys of a listing that are remembered: as many as a person points at. */
const MAX_KEYS = 25;

const objectName = z.strictObject({ bucket: z.string(), key: z.string() });

export const focusSchema = z.strictObject({
  listing: z.strictObject({ bucket: z.string(), keys: z.array(z.string()) }).optional(),
  object: objectName.optional(),
  transferId: z.string().optional(),
});
export type Focus = z.infer<typeof focusSchema>;

/** What is remembered when something new is spoken of: a new object or listing takes the place of both. */
export function refocused(before: Focus, news: Focus): Focus {
  const { listing, object, transferId } = news;
  const kept = listing || object ? {} : { ...before };
  const id = transferId ?? before.transferId;
  return {
    ...kept,
    ...(listing ? { listing: { bucket: listing.bucket, keys: listing.keys.slice(0, MAX_KEYS) } } : {}),
    ...(object ? { object } : {}),
    ...(!listing && object && before.listing ? { listing: before.listing } : {}),
    ...(id === undefined ? {} : { transferId: id }),
  };
}
