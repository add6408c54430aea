/** From a sentence to a command, by fixed rules: pure, and quick whatever the text. */
import { isAddress } from './address.ts';
import type { Command } from './command.ts';
import { withoutCourtesy } from './courtesy.ts';
import { isConsent, readDecision } from './decision.ts';
import { readBuckets, readInfo, readList, readPredict, readStatus } from './readings.ts';
import { readRequest } from './request.ts';
import { dropLeading, phrase, type Token, tokenize, word } from './tokenize.ts';
import { idsIn } from './transfer-ids.ts';

/** Longest text that is read, in UTF-16 units; adapters cut messages at the same length. */
const MAX_TEXT = 4_000;

/** Most words of a command; a text with more is a text. A hundred keys with commas are a hundred words. */
const MAX_WORDS = 500;

const SEND = new Set([
  'send',
  'copy',
  'transfer',
  'move',
  'cp',
  'mv',
  'upload',
  'push',
  'deliver',
  'ship',
  'ferry',
  'forward',
  'put',
]);
const CANCEL = new Set(['cancel', 'abort', 'stop', 'withdraw', 'kill']);
const RETRY = new Set(['retry', 'rerun', 'restart', 'redo']);
const SHOW = new Set(['list', 'show', 'ls', 'dir', 'browse', 'display', 'what', 'which', 'get', 'give']);
const INFO = new Set(['info', 'head', 'stat', 'describe', 'details', 'detail', 'about', 'size', 'inspect']);
const PREDICT = new Set(['predict', 'estimate', 'forecast', 'eta']);
const STATUS = new Set(['status', 'progress', 'track', 'check']);
const HELP = new Set(['help', '?', 'commands', 'usage', 'man', '-h', '--help']);

/** Questions in a few fixed forms. */
function readQuestion(tokens: readonly Token[], text: string): Command | undefined {
  const [first, second, third] = [0, 1, 2].map((at) => word(tokens[at]));
  if (first === 'where' || first === "where's" || first === 'wheres') {
    if (tokens.some((token) => ['send', 'transfer'].includes(word(token))) && second === 'can')
      return { kind: 'destinations' };
    return readStatus(tokens.slice(1));
  }
  if (first === "how's" || (first === 'how' && ['is', 'are'].includes(second ?? '')))
    return readStatus(tokens.slice(1));
  if (first === 'how' && (second === 'big' || second === 'large')) return readInfo(tokens.slice(2), text);
  if (first === 'how' && second === 'long') {
    const rest = tokens
      .slice(2)
      .filter(
        (token) =>
          !['would', 'will', 'does', 'do', 'it', 'take', 'get', 'need', 'needs', 'for', 'is'].includes(
            word(token),
          ),
      );
    const doubled = rest.findIndex((token, at) => word(token) === 'to' && word(rest[at + 1]) === 'to');
    const start = dropLeading(doubled < 0 ? rest : rest.toSpliced(doubled, 1), [
      'to',
      'send',
      'copy',
      'transfer',
    ]);
    return readPredict(start, text);
  }
  if (first === 'what' && second === 'can' && (third === 'you' || third === 'i')) {
    return tokens.some((token) => word(token) === 'buckets') ? undefined : { kind: 'help' };
  }
  return undefined;
}

const DESTINATIONS = new Set(['destinations', 'targets', 'destination']);

function readByVerb(tokens: readonly Token[], text: string): Command | undefined {
  const [token, ...rest] = tokens;
  const verb = word(token);
  if (SEND.has(verb)) return { kind: 'send', ...readRequest(rest, text) };
  if (CANCEL.has(verb)) return { kind: 'cancel', ids: idsIn(rest) };
  if (RETRY.has(verb)) return { kind: 'retry', ids: idsIn(rest) };
  if (HELP.has(verb)) return { kind: 'help' };
  if (verb === 'transfers' && rest.length === 0) return { kind: 'transfers' };
  if (verb === 'my' && ['transfers', 'requests'].includes(word(rest[0]))) return { kind: 'transfers' };
  const bare = dropLeading(rest, ['me', 'my', 'the', 'all']);
  if (verb === 'history' || ((SHOW.has(verb) || verb === 'my') && word(bare[0]) === 'history'))
    return { kind: 'history' };
  if (SHOW.has(verb) && bare.length === 1 && word(bare[0]) === 'transfers') return { kind: 'transfers' };
  if (verb === 'buckets' || (SHOW.has(verb) && tokens.slice(1, 4).some((other) => word(other) === 'buckets')))
    return readBuckets(tokens);
  if (
    DESTINATIONS.has(verb) ||
    (SHOW.has(verb) && rest.slice(0, 4).some((other) => DESTINATIONS.has(word(other))))
  )
    return { kind: 'destinations' };
  if (STATUS.has(verb)) return readStatus(rest);
  if (PREDICT.has(verb)) return readPredict(dropLeading(rest, ['for', 'of', 'sending', 'send']), text);
  if (INFO.has(verb) && rest.length > 0) return readInfo(rest, text);
  if (['list', 'ls', 'dir', 'browse'].includes(verb)) return readList(rest, text);
  if (SHOW.has(verb) && idsIn(rest).length > 0) return readStatus(rest);
  if (SHOW.has(verb) && rest.some((other) => isAddress(other.text))) return readList(rest, text);
  return undefined;
}

/**
 * Reads one sentence. It never fails: what is missing is absent in the command, what is not understood is `unknown`.
 * A sentence that tries to approve is a `decision` unless it begins with another command's verb.
 */
export function parseCommand(said: string): Command {
  const text = said.slice(0, MAX_TEXT);
  const all = tokenize(text);
  if (all.length === 0) return { kind: 'help' };
  if (all.length > MAX_WORDS) return { kind: 'unknown', text };
  const ids = idsIn(all);
  const tokens = withoutCourtesy(all);
  if (isConsent(all)) return { kind: 'decision', wanted: 'approve', ids };
  const command = readByVerb(tokens, text) ?? readQuestion(tokens, text);
  if (command) return command;
  if (tokens.length === 0) return { kind: 'greeting' };
  const decision = readDecision(tokens);
  if (decision) return decision;
  const [first] = tokens;
  if (ids.length > 0 && (tokens.length === 1 || word(first) === 'is')) return { kind: 'status', ids };
  return { kind: 'unknown', text: phrase(tokens) };
}
