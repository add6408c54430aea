/** The planner port: turns what a person said into tool calls and a reply. */
import type { Person } from '../core/person.ts';
import type { ThreadRef } from '../core/thread-ref.ts';

/** One thing that a person said to FileFerry. */
export interface Turn {
  /** The claimed event's key; ids of proposals derive from it. */
  readonly key: string;
  readonly person: Person;
  /** Where it was said. */
  readonly thread: ThreadRef;
  /** Where a proposal's approval card goes; undefined where nobody could press its buttons, as `noApproval` says. */
  readonly proposalThread: ThreadRef | undefined;
  /** Why nothing can be proposed from here, and what to do, when there is no `proposalThread`. */
  readonly noApproval?: { readonly reason: string; readonly advice: string };
  /** It came by slash command; such turns always go to the commands planner. */
  readonly command: boolean;
  readonly text: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /**
   * Told the answer while it grows, where nobody but the asker sees it; what was told may be gone from what is told
   * next. What counts is the reply.
   */
  readonly draft?: (text: string) => void;
}

/** A way on that is offered as a button: pressing it says `text` in the asker's name. */
export interface Choice {
  readonly label: string;
  readonly text: string;
}

/**
 * What the turn came to, as data: the bot renders it. Nothing here was written by a model except `text` of
 * `answer`. All strings are untrusted and escaped by the renderer. `note` is one short line below it, of our own.
 */
export type Reply = ReplyContent & {
  readonly note?: string;
  /** The exchange is not to be kept: the person asked to be forgotten. */
  readonly unremembered?: true;
};

type ReplyContent =
  /** A proposal was stored; its approval card comes from the record. */
  | { readonly kind: 'proposed'; readonly transferId: string }
  | {
      readonly kind: 'transfers';
      readonly title: string;
      readonly transferIds: readonly string[];
      readonly empty: string;
    }
  | {
      readonly kind: 'list';
      readonly title: string;
      readonly items: readonly ListItem[];
      readonly more?: string;
    }
  | { readonly kind: 'question'; readonly question: string; readonly choices: readonly Choice[] }
  | { readonly kind: 'refusal'; readonly reason: string; readonly advice?: string }
  /** `personal`: it may tell what only the asker may know, and goes to nobody else. */
  | { readonly kind: 'answer'; readonly text: string; readonly personal?: boolean }
  | { readonly kind: 'help' };

export interface ListItem {
  readonly name: string;
  /** Size, date and the like. */
  readonly detail?: string;
}

export interface Planner {
  readonly name: 'commands' | 'bedrock';
  /**
   * Works a turn out. Running the same turn again has the same effect as running it once.
   *
   * @param signal aborts when the turn's deadline has passed or the bot stops
   */
  plan(turn: Turn, signal: AbortSignal): Promise<Reply>;
}
