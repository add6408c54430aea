/**
 * What the local stand-in of the model does for a person who plays with it: it reads a sentence by the fixed
 * grammar and calls the tools that a real model would, so that every part but the model's mind is the real one.
 */
import type { Request } from '../../agent/commands/command.ts';
import { parseCommand } from '../../agent/commands/parse.ts';
import type { ConverseBody, ModelScript, ScriptedAnswer } from './bedrock.ts';

const call = (name: string, input: unknown = {}): ScriptedAnswer => ({ call: [{ name, input }] });
const say = (text: string): ScriptedAnswer => ({ say: text });

/** The newest message of the person, out of the JSON that it comes in. */
function saidIn({ messages }: ConverseBody): string {
  const text = messages.findLast(({ content }) => content.some((block) => block.text !== undefined))
    ?.content[0]?.text;
  const said: unknown = JSON.parse(text ?? '{}');
  const message = (said as { message?: unknown }).message;
  return Array.isArray(message) ? message.join('') : String(message ?? '');
}

/** What the tools of this turn have answered. */
function answersIn({ messages }: ConverseBody): string[] {
  return (messages.at(-1)?.content ?? []).flatMap(({ toolResult }) =>
    toolResult ? [toolResult.content.map(({ text }) => text).join('')] : [],
  );
}

function filesOf({ sources, bucket }: Pick<Request, 'sources' | 'bucket'>) {
  const [first] = sources;
  const where = first?.bucket ?? bucket;
  if (!first || where === undefined) return undefined;
  switch (first.kind) {
    case 'key':
      return {
        bucket: where,
        keys: sources.flatMap((source) => (source.kind === 'key' ? [source.key] : [])),
      };
    case 'prefix':
      return { bucket: where, prefix: first.prefix };
    case 'glob':
      return { bucket: where, pattern: first.pattern };
    case 'words':
      return { bucket: where, keys: [first.words] };
  }
}

function firstCall(text: string): ScriptedAnswer {
  const command = parseCommand(text);
  switch (command.kind) {
    case 'send': {
      const files = filesOf(command);
      const { destination } = command;
      return files
        ? call('execute_transfer', { ...files, ...(destination === undefined ? {} : { destination }) })
        : say('Which file, in which bucket, and where to?');
    }
    case 'list': {
      const files = command.source && filesOf({ sources: [command.source], ...command });
      return files && !('keys' in files) ? call('list_bucket_contents', files) : call('list_s3_buckets');
    }
    case 'buckets':
      return call('list_s3_buckets', command.filter === undefined ? {} : { filter: command.filter });
    case 'destinations':
      return call('list_destinations');
    case 'status':
      return command.ids[0] === undefined
        ? call('get_transfer_history', { limit: 1, show: true })
        : call('get_transfer_status', { transferId: command.ids[0], show: true });
    case 'transfers':
    case 'history':
      return call('get_transfer_history', { show: true });
    case 'cancel':
    case 'retry':
      return command.ids[0] === undefined
        ? call('get_transfer_history')
        : call(`${command.kind}_transfer`, { transferId: command.ids[0] });
    case 'decision':
      return say('Words do not decide anything here; the buttons on the card do.');
    default:
      return say('I am only a stand-in for a model: ask me to send, list, or follow files.');
  }
}

/** One look or act for each sentence, and then what came of it, in the words of the tool. */
export const localScript: ModelScript = (request) => {
  const answers = answersIn(request);
  return answers.length > 0
    ? say(`I found this:\n${answers.join('\n').slice(0, 1_500)}`)
    : firstCall(saidIn(request));
};
