/** Which objects a sentence means: exact names, patterns, a folder, or a description that is still to be looked up. */

import { BREAK, describe, describeRuns, EDGE, TYPES } from './description.ts';
import * as cue from './lexicon.ts';
import type { ObjectSlots } from './reading.ts';
import { entitiesOf, type Sentence } from './sentence.ts';
import type { Word } from './words.ts';

export interface Found extends ObjectSlots {
  /** The bucket's candidates; one is in `bucket`. */
  readonly buckets: readonly string[];
  readonly unknownBucket?: string;
  readonly destinationPath?: string;
  /** Everything there is was asked for. */
  readonly everything: boolean;
}

const EVERYTHING = /(?:^| )(?:everything|all|whole|entire|contents?|every|full (?:bucket|folder))(?= |$)/;
const EXCEPT =
  /(?:^| )(?:except(?: for)?|excluding|exclude|but not|without|minus|skip|skipping|leave out|leaving out|not including|apart from|other than)(?= )/;
const WITHIN = /^(?:under|in|inside|within|below|from|of|folder|directory|prefix|path|at|beneath)$/;
const INTO =
  /^(?:under|in|into|inside|at|on|within|folder|directory|path|as|to|named|called|below|dir|subfolder)$/;

/** What is left out, and the sentence without it. */
function exceptions(sentence: Sentence): { exclude: string[]; rest: readonly Word[] } {
  const { words, line } = sentence;
  const found = EXCEPT.exec(line);
  if (!found) return { exclude: [], rest: words };
  const from =
    line.slice(0, found.index + 1).trim() === '' ? 0 : line.slice(0, found.index).split(' ').length;
  let at = from + found[0].trim().split(' ').length;
  const exclude: string[] = [];
  let open: Word[] = [];
  const flush = () => {
    const { query, types } = describe(
      open.filter(({ norm }) => !/^(?:the|any|all|files?|ones?)$/.test(norm) || open.length > 3),
    );
    for (const type of types) exclude.push(`*.${type}`);
    if (types.length === 0 && query) {
      const type = TYPES.get(query.toLowerCase().replace(/^\./, ''));
      exclude.push(type ? `*.${type}` : query);
    }
    open = [];
  };
  for (; at < words.length; at++) {
    const word = words[at];
    if (!word) break;
    const kind = word.entity?.kind;
    if (kind === 'key' || kind === 'glob' || kind === 'prefix' || kind === 'quote') exclude.push(word.raw);
    else if (word.norm === 'and' || word.norm === 'or' || word.norm === ',') flush();
    else if (kind || BREAK.has(word.norm) || /^[.!?]$/.test(word.norm)) break;
    else open.push(word);
  }
  flush();
  // "Without approval" is said of the transfer, not of its files.
  if (
    exclude.length === 0 ||
    exclude.some((one) => /approv|asking|waiting|delay|checking|rules|permission/i.test(one))
  ) {
    return { exclude: [], rest: words };
  }
  return { exclude, rest: [...words.slice(0, from), ...words.slice(at)] };
}

/** What the objects are that the sentence names; what was said before is not looked at. */
export function findObjects(sentence: Sentence, forTransfer: boolean): Found {
  const { exclude, rest } = exceptions(sentence);
  const words = [...rest];
  const part = { words };
  const line = words.map(({ norm }) => norm).join(' ');
  const destinationAt =
    entitiesOf(part, 'destination')[0]?.at ?? entitiesOf(part, 'foreign')[0]?.at ?? Infinity;
  const sources = entitiesOf(part, 'source').map(({ source, at }) =>
    source.kind === 'key' &&
    !/\.[a-z0-9]{1,8}$/i.test(source.key) &&
    /^(?:in|under|inside|within|below|from)$/.test(words[at - 1]?.norm ?? '')
      ? ({
          kind: 'prefix',
          prefix: source.key,
          ...(source.bucket === undefined ? {} : { bucket: source.bucket }),
        } as const)
      : source,
  );
  const bucketEntity = entitiesOf(part, 'bucket')[0];
  const everything = EVERYTHING.test(line);
  const keys: string[] = [];
  const globs: string[] = [];
  const prefixes: string[] = [];
  let destinationPath: string | undefined = entitiesOf(part, 'destination')[0]?.path;

  const sourceBucket = sources.find(({ bucket }) => bucket !== undefined)?.bucket;
  for (const source of sources) {
    if (source.kind === 'key') keys.push(source.key);
    else if (source.kind === 'glob') globs.push(source.pattern);
    else if (source.kind === 'prefix' && source.prefix !== '') prefixes.push(source.prefix);
  }
  const addressed = keys.length + globs.length + prefixes.length > 0;
  for (const [at, word] of words.entries()) {
    const { entity } = word;
    if (!entity) continue;
    const before = words[at - 1]?.norm === 'the' ? (words[at - 2]?.norm ?? '') : (words[at - 1]?.norm ?? '');
    const next = words[at + 1]?.norm ?? '';
    const isFolder =
      /^(?:folder|directory|dir|prefix|subfolder|path)$/.test(next) ||
      /^(?:folder|directory|dir|prefix)$/.test(before);
    const isTarget =
      forTransfer &&
      ((at > destinationAt && INTO.test(before)) ||
        /^(?:as|named|into|rename|renamed)$/.test(before) ||
        (/^(?:it|them|this|that)$/.test(before) &&
          /^(?:name|call|rename|naming|calling|renaming)$/.test(words[at - 2]?.norm ?? '')));
    switch (entity.kind) {
      case 'path': {
        const isKey = !Number.isFinite(destinationAt)
          ? !/^(?:to|into)$/.test(before)
          : at < destinationAt && !INTO.test(before);
        if (!forTransfer || (isKey && !addressed)) {
          const text = entity.text.replace(/^\/+/, '');
          if (text.endsWith('/')) prefixes.push(text);
          else if (/\.[a-z0-9]{1,8}$/i.test(text)) keys.push(text);
          else prefixes.push(text);
        } else destinationPath ??= entity.text;
        break;
      }
      case 'key': {
        const { text } = entity;
        const hasExtension = /\.[a-z0-9]{1,8}$/i.test(text);
        if (isTarget) destinationPath ??= text;
        else if (hasExtension && !isFolder) keys.push(text);
        else if (
          isFolder ||
          WITHIN.test(before) ||
          everything ||
          !forTransfer ||
          /(?:^| )(?:files|csvs|pdfs|folder|objects)(?= |$)/.test(line)
        )
          prefixes.push(text);
        else keys.push(text);
        break;
      }
      case 'prefix':
        if (isTarget) destinationPath ??= entity.text;
        else prefixes.push(entity.text);
        break;
      case 'glob':
        globs.push(entity.text);
        break;
      case 'quote':
        if (isTarget) destinationPath ??= entity.text;
        break;
    }
  }
  // A folder named by a single word.
  const plain = words.map(({ norm }) => norm).join(' ');
  const folder = [
    /(?:^| )(?:folder|directory|dir|prefix|subfolder) (?:called |named )?([\p{L}\p{N}_-]+)(?= |$)/u.exec(
      plain,
    ),
    /(?:^| )(?:the |my |our |their |your )?([\p{L}\p{N}_-]+) (?:folder|directory|dir|subfolder|prefix)(?= |$)/u.exec(
      plain,
    ),
    /(?:^| )(?:under|beneath|below) (?:the )?([\p{L}\p{N}_-]+)(?= |$)/u.exec(plain),
  ].find((one) => one && !EDGE.has(one[1] ?? '') && !BREAK.has(one[1] ?? ''));
  const folderWords = new Set<number>();
  if (
    folder &&
    !EDGE.has(folder[1] ?? '') &&
    !BREAK.has(folder[1] ?? '') &&
    !/^(?:bucket|root|which|whole|entire)$/.test(folder[1] ?? '')
  ) {
    const at = plain.slice(0, folder.index + folder[0].lastIndexOf(folder[1] ?? '')).split(' ').length - 1;
    const word = words[at];
    if (word && !word.entity) {
      for (let index = at - 1; index <= at + 1; index++) {
        if (
          index === at ||
          /^(?:folder|directory|dir|subfolder|prefix|the|under)$/.test(words[index]?.norm ?? '')
        )
          folderWords.add(index);
      }
      if (forTransfer && at > destinationAt && Number.isFinite(destinationAt)) destinationPath ??= word.raw;
      else prefixes.push(word.raw);
    }
  }
  const described = describeRuns(words, folderWords, destinationAt, forTransfer);
  const base = prefixes[0];
  const exactKeys = [
    ...new Set(
      keys.map((key) =>
        addressed && sources.some((s) => s.kind === 'key')
          ? key
          : base !== undefined && prefixes.length === 1 && !key.includes('/')
            ? join(base, key)
            : key,
      ),
    ),
  ];
  const names = bucketEntity?.names ?? [];
  const knownBucket = sourceBucket?.toLowerCase();
  const isKnown =
    knownBucket === undefined || sentence.world.buckets.some(({ name }) => name === knownBucket);
  const hasExact = exactKeys.length + globs.length + prefixes.length > 0;
  const glob = globs.length === 1 ? globs[0] : globs.length > 1 ? `{${globs.join(',')}}` : undefined;
  const typeGlob =
    described.types.length === 1
      ? `*.${described.types[0]}`
      : described.types.length > 1
        ? `*.{${described.types.join(',')}}`
        : undefined;
  const useQuery =
    exactKeys.length === 0 &&
    glob === undefined &&
    (!hasExact ||
      described.pick !== undefined ||
      (prefixes.length > 0 &&
        described.query !== undefined &&
        hasNoun(described.query) &&
        (sources.length === 0 || cue.FILE_NOUN.test(described.query.toLowerCase()))));
  const time = entitiesOf(part, 'time').find(({ ahead }) => !ahead);
  return {
    buckets: knownBucket !== undefined ? [knownBucket] : names,
    ...(knownBucket !== undefined
      ? { bucket: knownBucket }
      : names.length === 1
        ? { bucket: names[0] as string }
        : {}),
    ...(isKnown ? {} : { unknownBucket: knownBucket as string }),
    ...(exactKeys.length > 0 ? { keys: exactKeys } : {}),
    ...(exactKeys.length === 0 && base !== undefined ? { prefix: base } : {}),
    ...(exactKeys.length === 0 && (glob ?? typeGlob) !== undefined
      ? { glob: (glob ?? typeGlob) as string }
      : {}),
    ...(useQuery && described.query !== undefined ? { query: described.query } : {}),
    ...(exactKeys.length === 0 && described.pick !== undefined ? { pick: described.pick } : {}),
    ...(exclude.length > 0 ? { exclude } : {}),
    ...(time && exactKeys.length === 0 ? { period: { text: time.text } } : {}),
    ...(destinationPath === undefined ? {} : { destinationPath }),
    everything,
  };
}

const hasNoun = (query: string) => /[\p{L}]{3}/u.test(query);

const join = (folder: string, name: string) => `${folder.replace(/\/$/, '')}/${name}`;
