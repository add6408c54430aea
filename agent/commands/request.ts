/** Reads "these objects, from there, to that destination, under this name": what send, predict, ls and info share. */
import { escapeGlob, isGlob } from '../../core/glob.ts';
import { isAddress, readAddress, sourceFrom } from './address.ts';
import type { Request, Source } from './command.ts';
import type { Token } from './tokenize.ts';

/** The words between which the parts of a request stand. */
const CLAUSES = new Map<string, Clause>([
  ['to', 'to'],
  ['onto', 'to'],
  ['towards', 'to'],
  ['into', 'into'],
  ['in', 'in'],
  ['from', 'in'],
  ['inside', 'in'],
  ['as', 'as'],
  ['named', 'as'],
  ['under', 'under'],
  ['below', 'under'],
  ['on', 'on'],
]);
type Clause = 'what' | 'to' | 'into' | 'in' | 'as' | 'under' | 'on';

/** Words that carry nothing where a source or a destination stands. */
const ARTICLES = new Set([
  'the',
  'a',
  'an',
  'my',
  'our',
  'this',
  'these',
  'of',
  'key',
  'keys',
  'file',
  'files',
  'object',
  'objects',
  'called',
]);
const ALL = new Set(['everything', 'all', 'contents']);
const FILLERS = new Set([
  'over',
  'across',
  'please',
  'pls',
  'now',
  'out',
  'along',
  'straight',
  'directly',
  'up',
  'all',
]);
const URGENCY = new Set(['high', 'urgent', 'top', 'highest']);
const CALM = new Set(['normal', 'low', 'standard', 'regular', 'default']);

const lower = (token: Token | undefined): string => (token && !token.quoted ? token.text.toLowerCase() : '');
const clauseOf = (token: Token | undefined) => CLAUSES.get(lower(token));
const isAnd = (token: Token | undefined) => ['and', '&', '+', 'plus'].includes(lower(token));

/** Whether an address may end here: at an extension, a slash, or a bucket's bare name. */
function looksComplete(text: string): boolean {
  return text.endsWith('/') || /\.[a-z][a-z0-9]{0,7}$/i.test(text) || /^s3[an]?:\/\/[^/]*$/i.test(text);
}

const looksLikeKey = (token: Token) =>
  token.quoted || isAddress(token.text) || /[/]|\.[a-z0-9]{1,8}$/i.test(token.text) || isGlob(token.text);

/**
 * The end (exclusive) of an unquoted address that begins at `start`: a key may hold spaces up to " to ". The first
 * "to" behind something complete counts (`s3://b/Letter to Bob.pdf to acme`), else the first one.
 */
function addressEnd(tokens: readonly Token[], start: number, greedy: boolean): number {
  let firstTo: number | undefined;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at];
    const next = tokens[at + 1];
    if (!token) break;
    const done = looksComplete(token.text) || isGlob(token.text);
    if (!next || token.comma || next.quoted || isAddress(next.text)) {
      return firstTo ?? (done || greedy ? at + 1 : start + 1);
    }
    if (clauseOf(next) === 'to') {
      if (done) return at + 1;
      firstTo ??= at + 1;
    } else if (
      done &&
      (clauseOf(next) || isAnd(next) || FILLERS.has(lower(next)) || lower(next) === 'with')
    ) {
      return at + 1;
    } else if (done && firstTo === undefined && !hasToBehind(tokens, at)) {
      return at + 1;
    }
  }
  return start + 1;
}

/** Whether a "to" follows before the next address. */
function hasToBehind(tokens: readonly Token[], at: number): boolean {
  for (let next = at + 1; next < Math.min(tokens.length, at + 40); next++) {
    if (clauseOf(tokens[next]) === 'to') return true;
    if (isAddress(tokens[next]?.text ?? '')) return false;
  }
  return false;
}

/** Joins the words of addresses that hold spaces into one token each. */
function joinAddresses(tokens: readonly Token[], text: string, greedy: boolean): Token[] {
  const joined: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at];
    if (!token) break;
    let end = at + 1;
    if (!token.quoted && isAddress(token.text) && !/^https?:/i.test(token.text)) {
      end = addressEnd(tokens, at, greedy);
      while (end > at + 1 && FILLERS.has(lower(tokens[end - 1]))) end--;
    }
    const last = tokens[end - 1] ?? token;
    joined.push(
      end === at + 1
        ? token
        : { ...token, text: text.slice(token.from, last.to), to: last.to, comma: last.comma },
    );
    at = end;
  }
  return joined;
}

/** Takes the words about urgency out of the sentence. */
function takePriority(tokens: readonly Token[]): { priority: Request['priority']; rest: Token[] } {
  let priority: Request['priority'] = 'normal';
  const rest: Token[] = [];
  const drop = () => {
    while (['with', 'at', 'as', 'and', 'a', 'is', 'in', 'of'].includes(lower(rest.at(-1)))) rest.pop();
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) break;
    const word = lower(token);
    const stated = /^priority[=:]([a-z]+)$/.exec(word)?.[1];
    const nextAt = ['is', '=', ':'].includes(lower(tokens[at + 1])) ? at + 2 : at + 1;
    const next = stated ?? lower(tokens[nextAt]);
    const before = lower(rest.at(-1));
    if (stated || (word === 'priority' && (URGENCY.has(next) || CALM.has(next)))) {
      if (URGENCY.has(next)) priority = 'high';
      drop();
      if (!stated) at = nextAt;
    } else if (word === 'priority' && (URGENCY.has(before) || CALM.has(before))) {
      if (URGENCY.has(before)) priority = 'high';
      rest.pop();
      drop();
    } else if (
      ['urgently', 'asap', 'immediately'].includes(word) ||
      (word === 'urgent' && (at === 0 || at === tokens.length - 1))
    ) {
      priority = 'high';
      drop();
    } else {
      rest.push(token);
    }
  }
  return { priority, rest };
}

interface Draft {
  /** Named without a bucket: they belong to `base` or to the bucket that the sentence names. */
  relative: Source[];
  addressed: Source[];
  everything: boolean;
  base?: Source;
  bucket?: string;
  destination?: string;
  as?: { path: string; folder: boolean };
}

const phrase = (tokens: readonly Token[]) => tokens.map((token) => token.text).join(' ');

function withoutArticles(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => !ARTICLES.has(lower(token)));
}

/** What stands where the objects are named: addresses, keys, patterns, descriptions. */
function readSources(draft: Draft, tokens: readonly Token[]): void {
  let words: Token[] = [];
  const flush = () => {
    const isFolder = words.some((token) => lower(token) === 'folder');
    const kept = withoutArticles(words).filter(
      (token) => lower(token) !== 'folder' && !FILLERS.has(lower(token)),
    );
    words = [];
    if (kept.length === 0) return;
    if (kept.every(looksLikeKey)) {
      for (const token of kept) draft.relative.push(relativeSource(token.text, isFolder, token.quoted));
    } else if (isFolder && kept.length === 1) {
      draft.relative.push(relativeSource(kept[0]?.text ?? '', true, false));
    } else {
      draft.relative.push({ kind: 'words', words: phrase(kept) });
    }
  };
  for (const token of tokens) {
    const address = readAddress(token.text, token.quoted);
    if (address) {
      flush();
      draft.addressed.push(address);
    } else if (isAnd(token)) {
      flush();
      continue;
    } else if (ALL.has(lower(token))) {
      draft.everything = true;
    } else {
      words.push(token);
    }
    if (token.comma) flush();
  }
  flush();
}

function relativeSource(text: string, isFolder: boolean, quoted: boolean): Source {
  const key = text.replace(/^\/+(?=.)/, '');
  return sourceFrom(isFolder && !key.endsWith('/') ? `${key}/` : key, { encoded: !quoted });
}

/** `acme-ftp:/in/` and `acme-ftp/in/` name a destination and a path on it. */
function readDestination(draft: Draft, tokens: readonly Token[]): void {
  const text = phrase(tokens.filter((token) => !['over', 'folder'].includes(lower(token)))).trim();
  if (text === '') return;
  if (draft.destination !== undefined) {
    draft.as ??= { path: text, folder: true };
    return;
  }
  const split = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? null : /^([^/:]{1,200})(?::\/?|\/)(.*)$/s.exec(text);
  draft.destination = split ? (split[1] ?? '').trim() : text;
  const path = split ? text.slice((split[1] ?? '').length).replace(/^:/, '') : '';
  if (path !== '' && path !== '/') draft.as ??= { path, folder: path.endsWith('/') };
}

/** `in …` and `from …`: an address, a bucket's name, or a folder. */
function readWhere(draft: Draft, tokens: readonly Token[]): void {
  const rest: Token[] = [];
  for (const token of tokens) {
    const address = readAddress(token.text, token.quoted);
    if (address) draft.base = address;
    else rest.push(token);
  }
  const kept = withoutArticles(rest).filter((token) => !ALL.has(lower(token)));
  const text = phrase(kept);
  const isFolder = kept.some((token) => lower(token) === 'folder');
  const name = phrase(kept.filter((token) => lower(token) !== 'folder'));
  if (name === '') return;
  if (draft.destination !== undefined && (isFolder || name.startsWith('/'))) {
    draft.as ??= { path: name, folder: true };
  } else if (isFolder || (name.includes('/') && kept.length === 1)) {
    draft.base = relativeSource(
      name,
      true,
      kept.some((token) => token.quoted),
    );
  } else {
    draft.bucket ??= text;
  }
}

function readClause(draft: Draft, clause: Clause, tokens: readonly Token[]): void {
  if (tokens.length === 0) return;
  const addresses = tokens.filter((token) => isAddress(token.text));
  const others = tokens.filter((token) => !isAddress(token.text));
  const name = phrase(others.filter((token) => lower(token) !== 'folder' || others.length === 1));
  const saysFolder = others.some((token) => lower(token) === 'folder');
  switch (clause) {
    case 'what':
      readSources(draft, tokens);
      return;
    case 'in':
      readWhere(draft, tokens);
      return;
    case 'to':
    case 'on':
      readSources(draft, addresses);
      readDestination(draft, others);
      return;
    case 'into':
      if (draft.destination === undefined && !saysFolder && !name.startsWith('/'))
        readDestination(draft, others);
      else if (name) draft.as ??= { path: name, folder: true };
      return;
    case 'under':
      if (
        draft.destination === undefined &&
        (draft.everything || draft.relative.some((s) => s.kind === 'glob'))
      ) {
        readWhere(draft, tokens);
        if (draft.bucket !== undefined && !draft.base) {
          draft.base = relativeSource(draft.bucket, true, false);
          delete draft.bucket;
        }
      } else if (name) draft.as ??= { path: name, folder: true };
      return;
    case 'as':
      if (name) draft.as ??= { path: name, folder: saysFolder || name.endsWith('/') };
      return;
  }
}

/** The source below a base: `*.csv in s3://b/p/`, `everything in p/`. */
function below(base: Source, source: Source | undefined): Source {
  const bucket = base.bucket === undefined ? {} : { bucket: base.bucket };
  if (base.kind === 'glob' || base.kind === 'words') return base;
  const folder = base.kind === 'key' ? `${base.key}/` : base.prefix;
  if (!source) return { ...bucket, kind: 'prefix', prefix: folder };
  switch (source.kind) {
    case 'key':
      return { ...bucket, kind: 'key', key: folder + source.key };
    case 'prefix':
      return { ...bucket, kind: 'prefix', prefix: folder + source.prefix };
    case 'glob':
      return { ...bucket, kind: 'glob', pattern: escapeGlob(folder) + source.pattern };
    case 'words':
      return { ...bucket, ...source };
  }
}

function sourcesOf(draft: Draft): Source[] {
  const { base } = draft;
  const own = base ? draft.relative.map((source) => below(base, source)) : draft.relative;
  const all = [...draft.addressed, ...own];
  if (all.length > 0) {
    // "Everything in s3://b/p" is what is below p; of an address, "all" changes nothing but that.
    return draft.everything
      ? all.map((source) =>
          source.kind === 'key' && !/\.[a-z0-9]{1,8}$/i.test(source.key) ? below(source, undefined) : source,
        )
      : all;
  }
  if (base) return [draft.everything ? below(base, undefined) : base];
  return draft.everything && draft.bucket !== undefined ? [{ kind: 'prefix', prefix: '' }] : [];
}

/**
 * Reads the part of a sentence behind its verb.
 *
 * @param text the whole sentence, which the tokens point into
 * @param greedy an address that stands last may run to the end, for verbs that have no destination
 */
export function readRequest(tokens: readonly Token[], text: string, greedy = false): Request {
  const { priority, rest } = takePriority(joinAddresses(tokens, text, greedy));
  const draft: Draft = { relative: [], addressed: [], everything: false };
  let clause: Clause = 'what';
  let open: Token[] = [];
  for (const token of rest) {
    const next = clauseOf(token);
    if (next) {
      readClause(draft, clause, open);
      clause = next;
      open = [];
    } else {
      open.push(token);
    }
  }
  const last = open.at(-1);
  // `cp s3://bucket/key acme-ftp:/in/`: the last word is the destination.
  if (clause === 'what' && !greedy && last && open.length > 1 && !last.quoted && !isAddress(last.text)) {
    const before = open.at(-2);
    if (before && !before.comma && !isAnd(before) && (before.quoted || isAddress(before.text))) {
      readDestination(draft, [last]);
      open.pop();
    }
  }
  readClause(draft, clause, open);
  return {
    sources: sourcesOf(draft),
    ...(draft.bucket === undefined ? {} : { bucket: draft.bucket }),
    ...(draft.destination === undefined ? {} : { destination: draft.destination }),
    ...(draft.as === undefined ? {} : { as: draft.as }),
    priority,
  };
}
