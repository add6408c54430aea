/** What a person and FileFerry spoke of last in a thread, so that "it" and "the second one" mean something there. */
import { z } from 'zod';
import { type ThreadRef, threadKey } from './thread-ref.ts';

/** Keys of a listing that are remembered: as many as a person points at. */
const MAX_KEYS = 25;
/** Threads of which a person's focus is kept, the latest ones. */
const MAX_THREADS = 10;
/** UTF-16 units of an open question, as JSON; a longer one is not remembered. */
const MAX_QUESTION = 4_000;

const objectName = z.strictObject({ bucket: z.string(), key: z.string() });

/** A question that is open: what was asked for, what of it is known, what is not. */
const questionSchema = z.strictObject({
  /** When the turn was said that led to it, epoch milliseconds. */
  at: z.number().int(),
  for: z.string(),
  known: z.record(z.string(), z.unknown()).optional(),
  missing: z.array(z.string()).optional(),
  ambiguous: z.record(z.string(), z.array(z.string())).optional(),
});

const focusSchema = z.strictObject({
  listing: z.strictObject({ bucket: z.string(), keys: z.array(z.string()) }).optional(),
  object: objectName.optional(),
  transferId: z.string().optional(),
  /** Open until something else is said in the thread. */
  question: questionSchema.optional(),
});
export type Focus = z.infer<typeof focusSchema>;

export const fociSchema = z.array(
  z.strictObject({
    /** As `threadKey` writes it. */
    thread: z.string(),
    focus: focusSchema,
  }),
);
/** A person's focus in each of their threads, the latest last. */
export type Foci = z.infer<typeof fociSchema>;

/** What is remembered when something new is spoken of: a new object or listing takes the place of both. */
export function refocused(before: Focus, news: Focus): Focus {
  const { listing, object, transferId, question } = news;
  const { question: _answered, ...earlier } = before;
  const kept = listing || object ? {} : earlier;
  const id = transferId ?? before.transferId;
  return {
    ...kept,
    ...(listing ? { listing: { bucket: listing.bucket, keys: listing.keys.slice(0, MAX_KEYS) } } : {}),
    ...(object ? { object } : {}),
    ...(!listing && object && before.listing ? { listing: before.listing } : {}),
    ...(id === undefined ? {} : { transferId: id }),
    ...(question && JSON.stringify(question).length <= MAX_QUESTION ? { question } : {}),
  };
}

/** What was spoken of in this thread; nothing that was said in another one. */
export function focusIn(foci: Foci, thread: ThreadRef): Focus {
  const key = threadKey(thread);
  return foci.find((one) => one.thread === key)?.focus ?? {};
}

/** The same with news from a thread, whose oldest sibling is forgotten when there are too many. */
export function withFocus(foci: Foci, thread: ThreadRef, news: Focus): Foci {
  const key = threadKey(thread);
  const others = foci.filter((one) => one.thread !== key);
  return [...others, { thread: key, focus: refocused(focusIn(foci, thread), news) }].slice(-MAX_THREADS);
}
