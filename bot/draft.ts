/** An answer that is shown while it grows: streamed where the platform can, as one message that is edited elsewhere. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Card } from '../adapters/card.ts';
import { answerCard } from '../adapters/cards/reply-cards.ts';
import type { ChatClient, TextStream } from '../adapters/chat-client.ts';
import type { MessageRef, ThreadRef } from '../core/thread-ref.ts';

/** Least milliseconds between two looks at what has grown: Slack takes 50 edits a minute, and more pieces of a stream. */
const STREAM_MS = 700;
const EDIT_MS = 1_500;

const THINKING = '…';

export interface Draft {
  /** What the answer is so far; what was shown before may be gone from it. Never throws, never waits. */
  show(text: string): void;
  /** Shows that there will be an answer, unless something of it is shown already. */
  think(): void;
  /**
   * The first call counts.
   *
   * Puts the card in the place of what was shown, for good.
   *
   * @returns whether anything had been shown; if not, the card is still to be posted
   */
  finish(card: Card): Promise<boolean>;
}

/** What is there of the answer. */
type Shown =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'stream'; readonly stream: TextStream; readonly text: string }
  | { readonly kind: 'message'; readonly ref: MessageRef; readonly text: string };

/** @param options.key the mark of the final message, so that a turn that runs again finds it */
export function createDraft(options: {
  client: ChatClient;
  thread: ThreadRef;
  key: string;
  log: Logger;
  everyMs?: number;
}): Draft {
  const { client, thread, key, log, everyMs } = options;
  let shown: Shown = { kind: 'nothing' };
  let wanted = '';
  let work: Promise<void> | undefined;
  const end = new AbortController();

  async function begin(text: string): Promise<Shown> {
    // What only says that there will be an answer is no beginning of it.
    const stream = text === THINKING ? undefined : await client.stream?.(thread, text);
    if (stream) return { kind: 'stream', stream, text };
    return { kind: 'message', ref: await client.post(thread, answerCard(text), { key }), text };
  }

  async function advance(text: string): Promise<Shown> {
    switch (shown.kind) {
      case 'nothing':
        return begin(text);
      case 'stream':
        // What was streamed cannot be taken back before the end; then the card takes its place.
        if (!text.startsWith(shown.text)) return shown;
        await shown.stream.append(text.slice(shown.text.length));
        return { ...shown, text };
      case 'message':
        await client.update(shown.ref, answerCard(text));
        return { ...shown, text };
    }
  }

  async function keepUp(): Promise<void> {
    let seen = '';
    while (!end.signal.aborted && wanted !== seen) {
      seen = wanted;
      shown = await advance(seen);
      const pause = everyMs ?? (shown.kind === 'stream' ? STREAM_MS : EDIT_MS);
      await delay(pause, undefined, { signal: end.signal }).catch(() => {});
    }
  }

  function show(text: string): void {
    if (end.signal.aborted || text.trim() === '') return;
    wanted = text;
    work ??= keepUp()
      // The answer itself comes all the same.
      .catch((err: unknown) => {
        end.abort();
        log.info({ err }, 'an answer could not be shown while it grew');
      })
      .finally(() => {
        work = undefined;
      });
  }

  async function replace(card: Card): Promise<boolean> {
    end.abort();
    await work;
    if (shown.kind === 'nothing') return false;
    const ref = shown.kind === 'stream' ? await shown.stream.stop() : shown.ref;
    await client.update(ref, card);
    return true;
  }

  let final: Promise<boolean> | undefined;
  return {
    show,
    think() {
      if (wanted === '') show(THINKING);
    },
    finish(card) {
      final ??= replace(card);
      return final;
    },
  };
}
