/** What a sentence can ask for: the outcome of reading it, with whatever it left open left open. */
import type { TargetWish } from '../../core/object-name.ts';
import type { TransferStatus } from '../../core/transfer.ts';

/** Which of several objects is wanted. */
export type Preference = 'latest' | 'oldest' | 'largest' | 'smallest';

/**
 * Which objects are meant. `bucket` is there when the source itself named one (an address); otherwise the command's
 * own `bucket` holds, or nobody said. `words` is a description that has to be searched for.
 */
export type Source = { readonly bucket?: string } & (
  | { readonly kind: 'key'; readonly key: string; readonly versionId?: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'glob'; readonly pattern: string }
  | { readonly kind: 'words'; readonly words: string; readonly pick?: Preference }
);

/** Objects and where they should go, as typed: names are not resolved yet. */
export interface Request {
  readonly sources: readonly Source[];
  /** What the person calls the bucket (`in finance exports`). */
  readonly bucket?: string;
  /** What the person calls the destination. */
  readonly destination?: string;
  readonly as?: TargetWish;
  readonly priority: 'normal' | 'high';
}

export type SendCommand = { readonly kind: 'send' } & Request;
export type PredictCommand = {
  readonly kind: 'predict' /** A size instead of objects. */;
  readonly bytes?: number;
} & Request;

/** `ids` are upper-case transfer ids as typed; they need not exist, nor have the right length. */
export type Command =
  | SendCommand
  | PredictCommand
  | { readonly kind: 'list'; readonly bucket?: string; readonly source?: Source }
  | { readonly kind: 'info'; readonly bucket?: string; readonly sources: readonly Source[] }
  | { readonly kind: 'buckets'; readonly filter?: string }
  | { readonly kind: 'destinations' }
  | { readonly kind: 'status'; readonly ids: readonly string[] /** A file's name. */; readonly name?: string }
  | { readonly kind: 'transfers' }
  | {
      readonly kind: 'history';
      readonly destination?: string;
      readonly statuses?: readonly TransferStatus[];
      /** Epoch milliseconds, from included, to not included. */
      readonly period?: { readonly from: number; readonly to: number };
      readonly limit?: number;
    }
  | {
      readonly kind: 'access';
      readonly bucket?: string;
      readonly keys?: readonly string[];
      readonly destination?: string;
    }
  | {
      readonly kind: 'cancel' | 'retry';
      readonly ids: readonly string[];
      /** A file's name, to ask by. */
      readonly name?: string;
    }
  /** Words that try to decide. They decide nothing: the answer points at the button. */
  | { readonly kind: 'decision'; readonly wanted: 'approve' | 'reject'; readonly ids: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'greeting' }
  | { readonly kind: 'unknown'; readonly text: string };
