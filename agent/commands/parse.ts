/** From a sentence to a command, by fixed rules: pure, and quick whatever the text. */
import { isAddress } from './address.ts';
import type { Command } from './command.ts';
import { readRequest } from './request.ts';
import { type Token, tokenize } from './tokenize.ts';

/** Longest text that is read, in UTF-16 units; adapters cut messages at the same length. */
const MAX_TEXT = 4_000;

/** Most words of a command; a text with more is a text. A hundred keys with commas are a hundred words. */
const MAX_WORDS = 500;

/** Courtesies in a row that are passed over. */
const MAX_OPENINGS = 12;

/** What people say around a request, longest first where one begins another. */
const OPENINGS = [
  'i would like you to',
  "i'd like you to",
  'i would like to',
  "i'd like to",
  'would you mind',
  'i need you to',
  'i want you to',
  'good afternoon',
  'good morning',
  'good evening',
  'are you able to',
  'could you',
  'would you',
  'would u',
  'could u',
  'can you',
  'will you',
  'i need to',
  'i want to',
  'hi there',
  'hey there',
  'let us',
  'can we',
  'can i',
  'can u',
  "let's",
  'thank you',
  'please',
  'kindly',
  'thanks',
  'thx',
  'cheers',
  'hello',
  'hiya',
  'hey',
  'hi',
  'pls',
  'plz',
  'just',
  'now',
  'then',
  'also',
  'and',
  'so',
  'ok',
  'okay',
  'yes',
  'yep',
  'sure',
  'fileferry',
  '@fileferry',
  '/fileferry',
].map((opening) => opening.split(' '));

const CLOSINGS = new Set(['please', 'pls', 'plz', 'thanks', 'thx', 'ty', 'cheers', 'now', 'ok']);

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
const DECIDE = /^(re-?|pre-?|auto-?)?(approv(e|ed|al|als|es|ing)|authori[sz](e|ed|es)|sign-?off|greenlight)$/;
const REJECT = new Set([
  'reject',
  'rejected',
  'deny',
  'denied',
  'decline',
  'declined',
  'disapprove',
  'no',
  'nope',
]);

/** Words of which a consent is made; one of `CONSENT` has to be among them. */
const CONSENT = new Set([
  'yes',
  'yep',
  'yeah',
  'y',
  'ok',
  'okay',
  'sure',
  'go',
  'lgtm',
  'confirm',
  'confirmed',
  'proceed',
  'accept',
  'accepted',
  'agree',
  'agreed',
  'fine',
  '+1',
  '👍',
  '✅',
  ':+1:',
  'approve',
  'approved',
  'ship',
  'do',
  'release',
  'good',
]);
const AROUND_CONSENT = new Set([
  'i',
  'we',
  'it',
  'this',
  'that',
  'them',
  'all',
  'ahead',
  'looks',
  'to',
  'me',
  'by',
  'the',
  'transfer',
  'transfers',
  'request',
  'now',
  'please',
  'thanks',
  'and',
  'with',
  'is',
  "it's",
  'for',
  'from',
  'my',
  'side',
  'on',
]);

const word = (token: Token | undefined): string =>
  token && !token.quoted ? token.text.toLowerCase().replaceAll('’', "'") : '';

/** Crockford's base32 has no I, L and O: read as the digits that they look like. Ids of ten characters only. */
function normalId(body: string): string {
  const upper = body.toUpperCase();
  return `TRF-${upper.length === 10 ? upper.replace(/[IL]/g, '1').replaceAll('O', '0') : upper}`;
}

/** Transfer ids among the tokens, in order, each once. Chat programs turn the dash into longer ones. */
function idsIn(tokens: readonly Token[]): string[] {
  const ids = new Set<string>();
  for (const token of tokens) {
    if (token.text.length > 400) continue;
    for (const [, body = ''] of token.text.matchAll(
      /(?:^|[^a-z0-9])trf[-_‐‑–—#]([0-9a-z]{4,16})(?![0-9a-z])/gi,
    )) {
      ids.add(normalId(body));
    }
  }
  return [...ids];
}

function withoutCourtesy(tokens: readonly Token[]): readonly Token[] {
  let from = 0;
  for (let passed = 0, found = true; found && passed < MAX_OPENINGS; passed++) {
    const opening = OPENINGS.find((words) =>
      words.every((expected, at) => word(tokens[from + at]) === expected),
    );
    found = opening !== undefined;
    from += opening?.length ?? 0;
  }
  let to = tokens.length;
  while (to > from && CLOSINGS.has(word(tokens[to - 1]))) to--;
  if (to - 2 >= from && word(tokens[to - 2]) === 'thank' && word(tokens[to - 1]) === 'you') to -= 2;
  while (to > from && CLOSINGS.has(word(tokens[to - 1]))) to--;
  return tokens.slice(from, to);
}

/** A sentence of nothing but consent: "yes", "ok go ahead", "I approve TRF-…". */
function isConsent(tokens: readonly Token[]): boolean {
  const words = tokens.filter((token) => idsIn([token]).length === 0).map(word);
  return (
    words.some((said) => CONSENT.has(said)) &&
    words.every((said) => CONSENT.has(said) || AROUND_CONSENT.has(said))
  );
}

const phrase = (tokens: readonly Token[]) => tokens.map((token) => token.text).join(' ');

function dropLeading(tokens: readonly Token[], words: readonly string[]): readonly Token[] {
  let from = 0;
  while (from < tokens.length && words.includes(word(tokens[from]))) from++;
  return tokens.slice(from);
}

function readStatus(tokens: readonly Token[]): Command {
  const ids = idsIn(tokens);
  const rest = dropLeading(tokens, [
    'status',
    'of',
    'for',
    'on',
    'the',
    'my',
    'is',
    'are',
    'file',
    'about',
    'with',
    'how',
    'a',
    'latest',
    'last',
  ]);
  const name = phrase(
    rest.filter(
      (token) =>
        token.quoted ||
        !['transfer', 'transfers', 'doing', 'going', 'now', 'done', 'yet'].includes(word(token)),
    ),
  );
  if (ids.length > 0 || name === '') return { kind: 'status', ids };
  return { kind: 'status', ids, name };
}

function readBuckets(tokens: readonly Token[]): Command {
  const at = tokens.findIndex((token) => word(token) === 'buckets');
  const rest = tokens
    .slice(at + 1)
    .filter(
      (token) =>
        token.quoted ||
        ![
          'with',
          'named',
          'like',
          'matching',
          'containing',
          'called',
          'that',
          'contain',
          'have',
          'has',
          'in',
          'the',
          'their',
          'name',
          'names',
          'do',
          'can',
          'may',
          'i',
          'we',
          'you',
          'use',
          'see',
          'read',
          'available',
          'are',
          'there',
          'is',
          'me',
          'for',
          'to',
          'access',
        ].includes(word(token)),
    );
  const filter = phrase(rest);
  return filter === '' ? { kind: 'buckets' } : { kind: 'buckets', filter };
}

function readList(tokens: readonly Token[], text: string): Command {
  const rest = dropLeading(tokens, [
    'me',
    'is',
    'are',
    'the',
    'all',
    'content',
    'contents',
    'files',
    'objects',
    'keys',
    'of',
    'bucket',
    'what',
    "what's",
    'in',
    'under',
    'inside',
  ]);
  const { sources, bucket } = readRequest(rest, text, true);
  const [source] = sources;
  if (!source) return bucket === undefined ? { kind: 'list' } : { kind: 'list', bucket };
  if (source.kind === 'words' && source.bucket === undefined && bucket === undefined) {
    return { kind: 'list', bucket: source.words };
  }
  return { kind: 'list', source, ...(bucket === undefined ? {} : { bucket }) };
}

function readInfo(tokens: readonly Token[], text: string): Command {
  const rest = dropLeading(tokens, ['of', 'on', 'for', 'about', 'the', 'is']);
  const { sources, bucket } = readRequest(rest, text, true);
  const named = sources.filter(({ kind }) => kind !== 'words');
  return {
    kind: 'info',
    sources: named.length > 0 ? named : sources,
    ...(bucket === undefined ? {} : { bucket }),
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

function readPredict(tokens: readonly Token[], text: string): Command {
  const request = readRequest(tokens, text);
  const [only, ...others] = request.sources;
  const said =
    only?.kind === 'words' ? only.words : only?.kind === 'key' && only.bucket === undefined ? only.key : '';
  const size = others.length > 0 ? null : /^(\d{1,15}(?:\.\d{1,6})?) ?([kmgt]i?|)b(?:ytes?)?$/i.exec(said);
  const bytes = size ? Math.round(Number(size[1]) * (UNITS[(size[2] ?? '').toLowerCase()] ?? 1)) : 0;
  return bytes > 0 ? { kind: 'predict', ...request, sources: [], bytes } : { kind: 'predict', ...request };
}

/** Questions in a few fixed forms. */
function readQuestion(tokens: readonly Token[], text: string): Command | undefined {
  const [first, second, third] = [0, 1, 2].map((at) => word(tokens[at]));
  if (first === 'where' || first === "where's" || first === 'wheres') {
    if (tokens.some((token) => ['send', 'transfer'].includes(word(token))) && second === 'can')
      return { kind: 'destinations' };
    return readStatus(tokens.slice(first === 'where' ? 1 : 1));
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
  if (REJECT.has(word(tokens[0]))) return { kind: 'decision', wanted: 'reject', ids };
  if (tokens.length === 0) return { kind: 'greeting' };
  if (all.some((token) => DECIDE.test(word(token)))) return { kind: 'decision', wanted: 'approve', ids };
  if (ids.length > 0 && tokens.some((token) => word(token) === 'release'))
    return { kind: 'decision', wanted: 'approve', ids };
  const [first] = tokens;
  if (ids.length > 0 && (tokens.length === 1 || word(first) === 'is')) return { kind: 'status', ids };
  return { kind: 'unknown', text: phrase(tokens) };
}
