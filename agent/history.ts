/** What the model is told of earlier: the person's own exchanges, cut so that a conversation stays well-formed. */
import type { Exchange } from '../core/stores/user-context-store.ts';
import { threadKey } from '../core/thread-ref.ts';
import type { Message } from './bedrock.ts';
import type { Turn } from './planner.ts';
import { boundedJson } from './tools/bounded-json.ts';

const startsTurn = ({ role, content }: Message): boolean =>
  role === 'user' && (content ?? []).every((block) => block.toolResult === undefined);

const sizeOf = (message: Message): number => JSON.stringify(message).length;

/**
 * The newest messages that fit, beginning where a person speaks: a tool's result without its request is refused by
 * the API. The last turn of the person is always kept.
 *
 * @param most UTF-16 units of all messages as JSON
 */
export function trimHistory(messages: readonly Message[], most: number): readonly Message[] {
  let kept = messages.length;
  let size = 0;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (!message) continue;
    size += sizeOf(message);
    if (!startsTurn(message)) continue;
    if (size > most && kept < messages.length) break;
    kept = at;
  }
  return messages.slice(kept);
}

/** Earlier exchanges as a conversation; each says whether it was in the thread of this turn. */
export function exchangeMessages(exchanges: readonly Exchange[], turn: Turn): Message[] {
  const here = threadKey(turn.thread);
  return exchanges.flatMap(({ at, thread, text, reply }): Message[] => [
    {
      role: 'user',
      content: [
        {
          text: boundedJson({
            message: text,
            said: new Date(at).toISOString(),
            inThisThread: threadKey(thread) === here,
          }),
        },
      ],
    },
    { role: 'assistant', content: [{ text: boundedJson({ earlierReply: reply }) }] },
  ]);
}
