/** Reads "these objects, from there, to that destination, under this name": what send, predict, ls and info share. */
import { escapeGlob, isGlob } from '../../core/glob.ts';
import { isAddress, readAddress, sourceFrom } from './address.ts';
import { ALL, type Clause, clauseOf, FILLERS, isAnd } from './clauses.ts';
import type { Request, Source } from './command.ts';
import { joinAddresses } from './join-addresses.ts';
import { takePriority } from './priority.ts';
import { phrase, type Token, word } from './tokenize.ts';

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

const looksLikeKey = (token: Token) =>
  token.quoted || isAddress(token.text) || /[/]|\.[a-z0-9]{1,8}$/i.test(token.text) || isGlob(token.text);

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

function withoutArticles(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => !ARTICLES.has(word(token)));
}

/** What stands where the objects are named: addresses, keys, patterns, descriptions. */
function readSources(draft: Draft, tokens: readonly Token[]): void {
  let words: Token[] = [];
  const flush = () => {
    const isFolder = words.some((token) => word(token) === 'folder');
    const kept = withoutArticles(words).filter(
      (token) => word(token) !== 'folder' && !FILLERS.has(word(token)),
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
    } else if (ALL.has(word(token))) {
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
  const text = phrase(tokens.filter((token) => !['over', 'folder'].includes(word(token)))).trim();
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
  const kept = withoutArticles(rest).filter((token) => !ALL.has(word(token)));
  const text = phrase(kept);
  const isFolder = kept.some((token) => word(token) === 'folder');
  const name = phrase(kept.filter((token) => word(token) !== 'folder'));
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
  const name = phrase(others.filter((token) => word(token) !== 'folder' || others.length === 1));
  const saysFolder = others.some((token) => word(token) === 'folder');
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
