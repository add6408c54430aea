/** Reads what stands behind the verbs that look around or ask about transfers. */
import type { Command } from './command.ts';
import { readRequest } from './request.ts';
import { dropLeading, phrase, type Token, word } from './tokenize.ts';
import { idsIn } from './transfer-ids.ts';

export function readStatus(tokens: readonly Token[]): Command {
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

export function readBuckets(tokens: readonly Token[]): Command {
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

export function readList(tokens: readonly Token[], text: string): Command {
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

export function readInfo(tokens: readonly Token[], text: string): Command {
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

export function readPredict(tokens: readonly Token[], text: string): Command {
  const request = readRequest(tokens, text);
  const [only, ...others] = request.sources;
  const said =
    only?.kind === 'words' ? only.words : only?.kind === 'key' && only.bucket === undefined ? only.key : '';
  const size = others.length > 0 ? null : /^(\d{1,15}(?:\.\d{1,6})?) ?([kmgt]i?|)b(?:ytes?)?$/i.exec(said);
  const bytes = size ? Math.round(Number(size[1]) * (UNITS[(size[2] ?? '').toLowerCase()] ?? 1)) : 0;
  return bytes > 0 ? { kind: 'predict', ...request, sources: [], bytes } : { kind: 'predict', ...request };
}
