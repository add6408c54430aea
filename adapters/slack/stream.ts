/** A message that grows in Slack: `chat.startStream` and its siblings. */
import { FerryError } from '../../core/errors.ts';
import type { SlackThreadRef } from '../../core/thread-ref.ts';
import type { TextStream } from '../chat-client.ts';
import type { SlackApi } from './web-api.ts';

/** Characters that one call may carry. https://docs.slack.dev/reference/methods/chat.appendStream */
const MAX_PIECE = 12_000;

/** Streams take Markdown, in which plain text must mean itself; `&`, `<` and `>` are Slack's own, as everywhere. */
const plainMarkdown = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_~[\]()#!|{}+-]/g, '\\$&');

/** Cut where nothing is torn apart: neither a character nor a mark from its escape. */
function pieces(text: string): string[] {
  const cut: string[] = [];
  let piece = '';
  for (const char of text) {
    const escaped = plainMarkdown(char);
    if (piece.length + escaped.length > MAX_PIECE) {
      cut.push(piece);
      piece = '';
    }
    piece += escaped;
  }
  return piece === '' ? cut : [...cut, piece];
}

/**
 * Begins a stream.
 *
 * @returns undefined where there is no thread, for Slack streams replies only
 * @throws FerryError, not retryable where the workspace or the app's scopes do not have streams
 */
export async function startSlackStream(
  api: SlackApi,
  thread: SlackThreadRef,
  text: string,
): Promise<TextStream | undefined> {
  const { channelId: channel, threadTs } = thread;
  if (!threadTs) return undefined;
  const [first = '', ...rest] = pieces(text);
  const { ts } = await api.call(
    (web) => web.chat.startStream({ channel, thread_ts: threadTs, markdown_text: first }),
    { repeatable: false },
  );
  if (!ts) throw new FerryError('internal', { userMessage: 'Slack began no message.' });
  const add = async (more: readonly string[]) => {
    for (const markdown_text of more) {
      // A piece that comes twice would be read twice.
      await api.call((web) => web.chat.appendStream({ channel, ts, markdown_text }), { repeatable: false });
    }
  };
  await add(rest);
  return {
    append: (more) => add(pieces(more)),
    async stop() {
      await api.call((web) => web.chat.stopStream({ channel, ts }), { repeatable: true });
      return { thread, messageId: ts };
    },
  };
}
