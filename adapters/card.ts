/** The platform-neutral message: what a card can hold, rendered exhaustively by each platform. */

/**
 * A piece of a line. A bare string is plain text, escaped for the platform wherever it came from, so that a
 * file name can neither format nor mention anything.
 */
export type Span =
  | string
  | { readonly kind: 'bold'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  /** A person, by `platform:tenant:user`; `name` is shown on a platform that this person is not on. */
  | { readonly kind: 'person'; readonly userId: string; readonly name: string }
  /** A link of our own making; never one that a user typed. */
  | { readonly kind: 'link'; readonly url: string; readonly text: string };

export type Line = readonly Span[];

/** `primary` and `danger` colour a button; a danger button asks for confirmation where `confirm` is given. */
export interface CardAction {
  readonly actionId: ActionId;
  readonly label: string;
  /** Opaque to the platform, at most 1,500 bytes; carries ids and hashes only, never rights. */
  readonly value: string;
  readonly style?: 'primary' | 'danger';
  readonly confirm?: string;
}

export const ACTION_IDS = ['approve', 'reject', 'cancel', 'retry', 'status', 'choose'] as const;
export type ActionId = (typeof ACTION_IDS)[number];

export type ChecklistState = 'waiting' | 'active' | 'done' | 'failed' | 'skipped';

/** How far something has come, for a bar and the figures beside it. */
export interface ProgressFigures {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly objectsDone: number;
  readonly objectsTotal: number;
  /** Bytes a second; absent while it is not known. */
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
}

export type CardElement =
  | { readonly type: 'header'; readonly text: string }
  | { readonly type: 'text'; readonly lines: readonly Line[] }
  | { readonly type: 'fields'; readonly fields: readonly { readonly label: string; readonly value: Line }[] }
  | ({ readonly type: 'progress' } & ProgressFigures)
  | {
      readonly type: 'checklist';
      readonly items: readonly {
        readonly label: string;
        readonly state: ChecklistState;
        readonly detail?: string;
      }[];
    }
  | { readonly type: 'actions'; readonly actions: readonly CardAction[] }
  /** A button that opens a page of our choice; pressing it tells us nothing. */
  | { readonly type: 'open'; readonly label: string; readonly url: string }
  | { readonly type: 'context'; readonly lines: readonly Line[] };

export interface Card {
  /** The card in one plain sentence: for notifications, screen readers and search. */
  readonly fallback: string;
  readonly elements: readonly CardElement[];
}

export const bold = (text: string): Span => ({ kind: 'bold', text });
export const code = (text: string): Span => ({ kind: 'code', text });
export const person = (who: { readonly userId: string; readonly name: string }): Span => ({
  kind: 'person',
  userId: who.userId,
  name: who.name,
});
