/** What a sentence is read in and what it comes to: the world, the conversation so far, and an intent with its slots. */
import { z } from 'zod';
import type { Named } from '../../core/names.ts';

/** What there is when the sentence is said, as far as the speaker may know of it. */
export interface World {
  /** Epoch milliseconds. */
  readonly now: number;
  /** IANA name. */
  readonly timezone: string;
  readonly buckets: readonly Named[];
  readonly destinations: readonly Named[];
  /** Ids of transfers, which may then be named without `TRF-`. */
  readonly transfers: readonly string[];
  /** Takes misspelt names for unknown instead of for what they nearly are: then a person is asked. */
  readonly exactNames?: boolean;
}

const objectSchema = z.looseObject({ bucket: z.string(), key: z.string() });
const pendingSchema = z.looseObject({
  for: z.string(),
  known: z.record(z.string(), z.unknown()).optional(),
  missing: z.array(z.string()).optional(),
  ambiguous: z.record(z.string(), z.array(z.string())).optional(),
});

/** What was talked about last; all of it may be absent. Looser than it need be, because it is only ever read. */
export const contextSchema = z.looseObject({
  lastListing: z.looseObject({ bucket: z.string(), keys: z.array(z.string()) }).optional(),
  lastObject: objectSchema.optional(),
  lastTransfer: z
    .looseObject({
      id: z.string(),
      status: z.string().optional(),
      bucket: z.string().optional(),
      key: z.string().optional(),
      keys: z.array(z.string()).optional(),
      destination: z.string().optional(),
    })
    .optional(),
  /** A question that is still open: what was asked for, what is known of it, what is not. */
  pending: pendingSchema.optional(),
});
export type Context = z.infer<typeof contextSchema>;

export type Intent =
  | 'list_buckets'
  | 'list_objects'
  | 'object_info'
  | 'check_access'
  | 'list_destinations'
  | 'request_transfer'
  | 'predict'
  | 'status'
  | 'history'
  | 'cancel'
  | 'retry'
  | 'approve_attempt'
  | 'clarify'
  | 'out_of_scope'
  | 'help';

/** A stretch of time as it was said. */
export interface Said {
  readonly text: string;
}

/** Which objects are meant, exactly (`keys`, `glob`, `prefix`) or in words (`query`, `pick`). */
export interface ObjectSlots {
  readonly bucket?: string;
  readonly keys?: readonly string[];
  readonly prefix?: string;
  readonly glob?: string;
  /** A description, still to be resolved by listing. */
  readonly query?: string;
  readonly pick?: 'latest' | 'oldest' | 'largest' | 'smallest';
  /** Keys, globs or words of what is left out. */
  readonly exclude?: readonly string[];
  /** When the objects were made. */
  readonly period?: Said;
}

export interface Slots extends ObjectSlots {
  readonly destination?: string;
  readonly destinationPath?: string;
  readonly priority?: 'high' | 'low';
  readonly schedule?: Said;
  readonly transferId?: string;
  readonly transferIds?: readonly string[];
  readonly metric?: 'duration' | 'success_rate';
  /** How much would be sent, as said, where no object is named. */
  readonly size?: string;
  readonly detail?: 'failure_reason' | 'eta' | 'approver';
  readonly who?: string;
  readonly status?: string;
  readonly limit?: number;
  readonly filter?: string;
  readonly scope?: 'all_pending' | 'all';
  readonly decision?: 'reject';
  readonly injection?: true;
  readonly kind?: 'smalltalk' | 'policy_violation' | 'unrelated' | 'unsupported';
  readonly topic?: string;
  readonly for?: Intent;
  readonly missing?: readonly string[];
  readonly ambiguous?: Readonly<Record<string, readonly string[]>>;
  readonly reason?: string;
  readonly known?: Slots;
}

export interface Reading {
  readonly intent: Intent;
  readonly slots: Slots;
}
