/** What a person's earlier words add to a sentence: what it points back to, what it answers, what goes without saying. */
import type { Focus } from '../../core/focus.ts';
import type { Named } from '../../core/names.ts';
import type { Transfer } from '../../core/transfer.ts';
import type { Preferences } from '../preferences.ts';
import type { Context, Intent, Reading, Slots, World } from '../understanding/reading.ts';

/** What is known of the speaker: what they spoke of in this thread, and what they want to be taken for granted. */
export interface Memory {
  readonly focus: Focus;
  readonly preferences: Preferences;
  /** The transfer that was spoken of, as it is now. */
  readonly transfer?: Transfer;
}

/** Files of a transfer that can be pointed back to: all of them, or none. */
const keysOf = ({ plan }: Transfer): readonly string[] =>
  plan.preview.length === plan.objectCount ? plan.preview.map(({ key }) => key) : [];

/** The same as the reader of sentences wants it. */
export function contextOf({
  focus: { listing, object, transferId, question: asked },
  transfer,
}: Memory): Context {
  const keys = transfer ? keysOf(transfer) : [];
  return {
    ...(listing ? { lastListing: listing } : {}),
    ...(object ? { lastObject: object } : {}),
    ...(transferId === undefined
      ? {}
      : {
          lastTransfer: {
            id: transferId,
            ...(transfer ? { status: transfer.status, destination: transfer.plan.destination } : {}),
            ...(transfer && keys.length > 0 ? { bucket: transfer.plan.bucket, keys: [...keys] } : {}),
          },
        }),
    ...(asked ? { pending: asked } : {}),
  };
}

/** What was asked for and is not yet known, for the person's next few words. */
export function questionOf({ intent, slots }: Reading, at: number): Focus['question'] {
  if (intent !== 'clarify' || slots.for === undefined) return undefined;
  const { known, missing, ambiguous } = slots;
  return {
    at,
    for: slots.for,
    ...(known ? { known: { ...known } } : {}),
    ...(missing ? { missing: [...missing] } : {}),
    ...(ambiguous
      ? {
          ambiguous: Object.fromEntries(Object.entries(ambiguous).map(([slot, names]) => [slot, [...names]])),
        }
      : {}),
  };
}

const WITH_BUCKET: readonly Intent[] = ['request_transfer', 'predict', 'list_objects', 'object_info'];

/**
 * What nobody said, from what the person wants to be taken for granted. A name that they did say, known or not, is never
 * replaced; neither is a choice between several.
 */
export function withDefaults(reading: Reading, preferences: Preferences, world: World): Reading {
  const { intent, slots } = reading;
  if (intent !== 'clarify' || slots.for === undefined || slots.reason !== undefined || slots.ambiguous)
    return reading;
  const takes = (names: readonly Named[], name: string | undefined) =>
    names.some((one) => one.name === name) ? name : undefined;
  const missing = new Set(slots.missing);
  const bucket =
    missing.has('bucket') && WITH_BUCKET.includes(slots.for)
      ? takes(world.buckets, preferences.bucket)
      : undefined;
  const destination = missing.has('destination')
    ? takes(world.destinations, preferences.destination)
    : undefined;
  if (bucket === undefined && destination === undefined) return reading;
  const known: Slots = {
    ...slots.known,
    ...(bucket === undefined ? {} : { bucket }),
    ...(destination === undefined ? {} : { destination }),
  };
  if (bucket !== undefined) missing.delete('bucket');
  if (destination !== undefined) missing.delete('destination');
  return missing.size === 0
    ? { intent: slots.for, slots: known }
    : { intent, slots: { ...slots, missing: [...missing], known } };
}
