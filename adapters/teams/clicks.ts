/** Clicks that Teams is still waiting to have answered: what they cause here becomes the answer. */
import type { MessageRef, TeamsThreadRef } from '../../core/thread-ref.ts';
import type { TeamsMessage } from './render.ts';

export type ClickAnswer =
  /** The clicked card as it is now; shown at once to the person who clicked. */
  | { readonly kind: 'card'; readonly message: TeamsMessage }
  /** A sentence to the person who clicked, which nobody else sees. */
  | { readonly kind: 'sentence'; readonly text: string }
  /** Nothing came in time. */
  | { readonly kind: 'none' };

const ANSWERED_BELOW = 'I answered in the conversation.';
const ANSWERED_PRIVATELY = 'I answered in our personal chat.';

export interface Clicks {
  /**
   * Waits for what a click causes.
   *
   * @param waitMs after which the answer is `none`
   */
  open(click: OpenClick, waitMs: number): { readonly answer: Promise<ClickAnswer>; close(): void };
  /**
   * A message is about to be edited: the answer to a click on it that is open by now. What began before a click was not
   * caused by it, and shows what was before.
   *
   * @returns to be called once it was edited
   */
  updating(message: MessageRef): (rendered: TeamsMessage) => void;
  /**
   * Something is to be told to one person only.
   *
   * @param sentence all that there is to tell, or undefined where it takes a card
   * @returns whether a click of theirs took it as its answer; else it has to be sent
   */
  whispered(thread: TeamsThreadRef, userId: string, sentence: string | undefined): boolean;
  /**
   * A message is about to be posted: clicks that are open there by now, and are answered by a message, then have their
   * answer, and others if nothing else comes.
   *
   * @returns to be called once it was posted
   */
  posting(thread: TeamsThreadRef): () => void;
}

export interface OpenClick {
  readonly userId: string;
  /** Where the clicked message stands. */
  readonly conversationId: string;
  /** Where its answers belong. */
  readonly threadId: string;
  readonly messageId: string;
  /**
   * Whether a message in the conversation answers it. Where others write and click too, only what asks for a message:
   * another's would leave a refused click without its reason.
   */
  readonly answeredByMessage: boolean;
}

/** In one process: a click that another process works off is answered with `none`. */
export function createClicks(): Clicks {
  interface Waiting extends OpenClick {
    resolve(answer: ClickAnswer): void;
    /** The answer when the time is up. */
    late: ClickAnswer;
  }
  const open = new Set<Waiting>();
  const openNow = (matches: (click: OpenClick) => boolean) => new Set([...open].filter(matches));
  const rootOf = (conversationId: string) => conversationId.split(';', 1)[0];

  function settle(matches: (click: Waiting) => boolean, answer: ClickAnswer): boolean {
    let any = false;
    for (const click of open) {
      if (!matches(click)) continue;
      open.delete(click);
      click.resolve(answer);
      any = true;
    }
    return any;
  }

  return {
    open(click, waitMs) {
      const { promise, resolve } = Promise.withResolvers<ClickAnswer>();
      const entry: Waiting = { ...click, resolve, late: { kind: 'none' } };
      open.add(entry);
      const timer = setTimeout(() => resolve(entry.late), waitMs);
      const answer = promise.finally(() => {
        clearTimeout(timer);
        open.delete(entry);
      });
      return { answer, close: () => resolve({ kind: 'none' }) };
    },
    updating({ thread, messageId }) {
      const conversation = thread.platform === 'teams' ? rootOf(thread.conversationId) : undefined;
      const theirs = openNow(
        (click) => click.messageId === messageId && rootOf(click.conversationId) === conversation,
      );
      return (message) => settle((click) => theirs.has(click), { kind: 'card', message });
    },
    whispered(thread, userId, sentence) {
      const taken = settle((click) => click.userId === userId && click.threadId === thread.conversationId, {
        kind: 'sentence',
        text: sentence ?? ANSWERED_PRIVATELY,
      });
      return taken && sentence !== undefined;
    },
    posting(thread) {
      const theirs = openNow((click) => click.threadId === thread.conversationId);
      const answer = { kind: 'sentence', text: ANSWERED_BELOW } as const;
      return () => {
        settle((click) => click.answeredByMessage && theirs.has(click), answer);
        for (const click of theirs) click.late = answer;
      };
    },
  };
}
