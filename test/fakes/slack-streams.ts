/** The part of the fake Slack that is for AI apps: messages that grow, and the status line; with Slack's limits. */
import type { Answer, Args, FakeMessage } from './slack-server.ts';

/** https://docs.slack.dev/reference/methods/chat.appendStream */
const MAX_MARKDOWN = 12_000;
/** https://docs.slack.dev/reference/methods/assistant.threads.setStatus */
const MAX_STATUS = 200;

const error = (code: string): Answer => ({ ok: false, error: code });

/** @param slack.streaming timestamps of messages that still grow: until they are stopped, nobody can edit them */
export function streamMethods(slack: {
  write: (args: Args) => Answer;
  find: (channel: string | undefined, ts: string | undefined) => FakeMessage | undefined;
  streaming: Set<string>;
  statuses: string[];
}): Readonly<Record<string, (args: Args) => Answer>> {
  const { write, find, streaming, statuses } = slack;
  const grow = (args: Args, end: boolean): Answer => {
    const message = find(args.channel, args.ts);
    if (!message) return error('message_not_found');
    if (!streaming.has(message.ts)) return error('message_not_in_streaming_state');
    const { markdown_text: more = '' } = args;
    if (!end && more === '') return error('no_text');
    if (more.length > MAX_MARKDOWN) return error('msg_too_long');
    message.text += more;
    if (end) streaming.delete(message.ts);
    return { ok: true, channel: message.channel, ts: message.ts };
  };
  return {
    'chat.startStream': (args) => {
      if (!args.thread_ts) return error('invalid_arguments');
      const isDirect = args.channel?.startsWith('D') ?? false;
      if (!isDirect && !args.recipient_user_id) return error('missing_recipient_user_id');
      if (!isDirect && !args.recipient_team_id) return error('missing_recipient_team_id');
      if ((args.markdown_text ?? '').length > MAX_MARKDOWN) return error('msg_too_long');
      const { markdown_text: text = '', ...where } = args;
      const written = write({ ...where, text });
      if (written.ok) streaming.add(String(written.ts));
      return written;
    },
    'chat.appendStream': (args) => grow(args, false),
    'chat.stopStream': (args) => grow(args, true),
    'assistant.threads.setStatus': ({ channel_id: channel, thread_ts: ts, status = '' }) => {
      if (!find(channel, ts)) return error('thread_not_found');
      if (status.length > MAX_STATUS) return error('status_too_long');
      statuses.push(status);
      return { ok: true };
    },
  };
}
