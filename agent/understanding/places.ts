/** Finds the buckets and destinations that a sentence speaks of, in full or in part, by name or by position. */

import { editsBetween } from '../../core/edits-between.ts';
import { type Named, resolveName } from '../../core/names.ts';
import type { World } from './reading.ts';
import { type Entity, entityWord, type Word } from './words.ts';

const MAX_SPAN = 5;

const squash = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
const isPlain = (word: Word | undefined): word is Word =>
  word !== undefined && word.entity === undefined && /[\p{L}\p{N}]/u.test(word.norm);

/** Words around a destination's name that do not tell it from another. */
const SERVER = new Set([
  'ftp',
  'sftp',
  'ftps',
  'server',
  'servers',
  'site',
  'host',
  'endpoint',
  'destination',
  'target',
  'drop',
  'dropbox',
  'box',
  'account',
  'folder',
  'guys',
  'people',
  'team',
  'folks',
  'side',
  'end',
  'one',
]);
const DETERMINER = new Set([
  'the',
  'our',
  'my',
  'your',
  'their',
  'a',
  'an',
  'this',
  'that',
  'those',
  'these',
  'all',
  'over',
  'to',
  'both',
  'either',
  'out',
  'up',
]);
/** Words with which no name begins, so that what follows a preposition is no place. */
const NO_NAME = new Set(
  `it them me us you him her here there someone somebody anyone everyone everything be get go do see know check make have take
  send copy transfer move upload push deliver forward ship put drop help which what where when who how and or but if so please
  as at in on for from of with by is are was were will can could now then also too asap soon today case order time total fact general
  particular progress question advance addition touch general mind file files object objects key keys report reports folder`.split(
    /\s+/,
  ),
);
/** A span of words never runs over these. */
const STOP = new Set(
  `to from in into onto inside within under below at on for with by as and or but so if then because since when while where which that who
  please thanks asap now urgently is are was were will would can could has have be been it its not yet today before after until needs need
  wants want should instead too also via through using over again take took get got tonight tomorrow immediately except excluding without
  exist exists drop put call name named called it's fail work succeed go done`.split(/\s+/),
);

/** The one thing that differs from the text by a slip; digits are no slips. */
function closest(text: string, things: readonly Named[]): string | undefined {
  const typed = squash(text);
  if (typed.length < 4) return undefined;
  const digits = (value: string) => value.replace(/\D/g, '');
  const near = things
    .map(({ name, aliases }) => {
      const spellings = [name, ...aliases].flatMap((one) => {
        const whole = squash(one);
        const head = one
          .toLowerCase()
          .split(/[^\p{L}\p{N}]+/u)
          .filter((part) => !SERVER.has(part));
        return [whole, ...(head.length === 1 ? [head[0] ?? whole] : [head.join('')])];
      });
      const most = typed.length >= 8 ? 2 : 1;
      const fits = spellings.filter((one) => digits(one) === digits(typed));
      return { name, away: Math.min(99, ...fits.map((one) => editsBetween(typed, one, most))), most };
    })
    .filter(({ away, most }) => away <= most)
    .sort((a, b) => a.away - b.away);
  const [first, second] = near;
  return first && (!second || second.away > first.away) ? first.name : undefined;
}

/** What a few words call: one name, several, or none. */
export function namesFor(text: string, things: readonly Named[], exact = false): readonly string[] {
  const told = text
    .toLowerCase()
    .split(/[\s]+/)
    .filter((word) => !DETERMINER.has(word));
  const resolved = resolveName(told.join(' '), things);
  if (resolved.kind === 'found') return [resolved.name];
  if (resolved.kind === 'ambiguous') return resolved.candidates;
  const bare = told.filter((word) => !SERVER.has(word));
  if (bare.length > 0 && bare.length < told.length) {
    const again = resolveName(bare.join(' '), things);
    if (again.kind === 'found') return [again.name];
    if (again.kind === 'ambiguous') return again.candidates;
  }
  if (exact) return [];
  const slip =
    closest(told.join(' '), things) ?? (bare.length > 0 ? closest(bare.join(' '), things) : undefined);
  if (slip) return [slip];
  // "acmee" is near both acme-ftp and acme-ftp-staging by its first word only.
  const heads = things.filter(({ name }) => {
    const [head = ''] = name.split(/[^\p{L}\p{N}]+/u);
    return (
      bare.length === 1 &&
      head.length >= 4 &&
      (bare[0] ?? '').length >= 4 &&
      editsBetween(bare[0] ?? '', head, 1) <= 1
    );
  });
  return heads.map(({ name }) => name);
}

/** A name spelled out, whatever stands between its parts; the longest first. */
function spelledOut(
  words: Word[],
  things: readonly Named[],
  kind: 'bucket' | 'destination',
  exact: boolean,
): Word[] {
  const full = new Map<string, string>();
  for (const { name, aliases } of things) {
    for (const spelling of [name, ...aliases]) {
      // A single word is too little to be a name wherever it stands.
      if (/[^\p{L}\p{N}]/u.test(spelling)) full.set(squash(spelling), name);
    }
  }
  const marked: Word[] = [];
  for (let at = 0; at < words.length; ) {
    let length = 0;
    let name: string | undefined;
    for (let size = Math.min(MAX_SPAN, words.length - at); size > 0 && !name; size--) {
      const span = words.slice(at, at + size);
      if (!span.every(isPlain)) continue;
      name = full.get(squash(span.map(({ norm }) => norm).join('')));
      length = size;
    }
    const word = words[at];
    if (!word) break;
    if (!name && !exact && isPlain(word) && (/[-_]/.test(word.norm) || word.norm.length >= 9)) {
      name = closest(word.norm, things);
      length = 1;
    }
    if (!name) {
      marked.push(word);
      at++;
      continue;
    }
    const raw = words
      .slice(at, at + length)
      .map((one) => one.raw)
      .join(' ');
    marked.push(
      entityWord(raw, kind === 'bucket' ? { kind, names: [name], text: raw } : { kind, names: [name] }),
    );
    at += length;
  }
  return marked;
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly names: readonly string[];
}

/** The longest stretch from `at` on that calls something. */
function spanAt(
  words: readonly Word[],
  at: number,
  things: readonly Named[],
  exact: boolean,
): Span | undefined {
  let from = at;
  while (DETERMINER.has(words[from]?.norm ?? '')) from++;
  let end = from;
  while (
    end < words.length &&
    end - from < MAX_SPAN &&
    isPlain(words[end]) &&
    !STOP.has(words[end]?.norm ?? '')
  )
    end++;
  if (end === from || NO_NAME.has(words[from]?.norm ?? '')) return undefined;
  for (let to = end; to > from; to--) {
    const text = words
      .slice(from, to)
      .map(({ norm }) => norm.replace(/'s$/, ''))
      .join(' ');
    if (squash(text).length < 2 || text === 'data' || text.split(' ').every((one) => SERVER.has(one)))
      continue;
    const names = namesFor(text, things, exact);
    if (names.length > 0) return { from: at, to, names };
  }
  return undefined;
}

function mark(words: readonly Word[], { from, to }: Span, entity: Entity): Word[] {
  let end = to;
  if (entity.kind === 'destination') while (SERVER.has(words[end]?.norm ?? '')) end++;
  if (entity.kind === 'bucket') while (/^(s3|bucket|buckets)$/.test(words[end]?.norm ?? '')) end++;
  const raw = words
    .slice(from, to)
    .map((one) => one.raw)
    .join(' ');
  return [...words.slice(0, from), entityWord(raw, entity), ...words.slice(end)];
}

/** "the finance bucket": the words in front of it say which. */
function bucketsByNoun(words: Word[], world: World): Word[] {
  const at = words.findIndex(
    ({ norm }, index) => /^(bucket|s3)$/.test(norm) && index > 0 && words[index - 1]?.norm !== 'in',
  );
  if (at < 1) return words;
  let from = at;
  while (
    from > 0 &&
    at - from < 4 &&
    isPlain(words[from - 1]) &&
    !STOP.has(words[from - 1]?.norm ?? '') &&
    !DETERMINER.has(words[from - 1]?.norm ?? '')
  )
    from--;
  for (let start = from; start < at; start++) {
    const text = words
      .slice(start, at)
      .map(({ norm }) => norm)
      .join(' ');
    const names = namesFor(text, world.buckets, world.exactNames);
    if (names.length > 0) {
      let begin = start;
      while (begin > 0 && DETERMINER.has(words[begin - 1]?.norm ?? '') && words[begin - 1]?.norm !== 'to')
        begin--;
      return mark(words, { from: begin, to: at, names }, { kind: 'bucket', names, text });
    }
  }
  return words;
}

const TO = new Set(['to', 'onto', 'towards', 'into', '2', 'via']);
/** What one does with a bucket, for sentences in which nothing else tells where it is named. */
const READ = new Set(['read', 'see', 'access', 'open', 'use', 'browse', 'view']);
const AT = new Set(['for', 'at', 'on', 'with', 'over']);
const FROM = new Set(['from', 'in', 'inside', 'within', 'under', 'of', 'out']);

const has = (words: readonly Word[], kind: Entity['kind']) =>
  words.some(({ entity }) => entity?.kind === kind);

function byPreposition(
  words: Word[],
  prepositions: ReadonlySet<string>,
  kind: 'bucket' | 'destination',
  things: readonly Named[],
  exact: boolean,
): Word[] {
  // From behind: "to" of a destination stands after those of infinitives.
  for (let at = words.length - 2; at >= 0; at--) {
    if (!prepositions.has(words[at]?.norm ?? '') || words[at]?.entity) continue;
    const span = spanAt(words, at + 1, things, exact);
    if (!span) continue;
    const text = words
      .slice(at + 1, span.to)
      .map(({ norm }) => norm)
      .join(' ');
    return mark(
      words,
      span,
      kind === 'bucket' ? { kind, names: span.names, text } : { kind, names: span.names },
    );
  }
  return words;
}

const NEEDS = /^(needs|need|wants|want|requires|expects|is|are|should|must|asked|asks|has|have|would)$/;
const GIVE = /^(send|give|get|ship|push|forward|deliver|upload|transfer|copy|mail|pass)$/;

/** "globex needs the …", "send globex the …": the destination as the one who receives. */
function receivers(words: Word[], world: World): Word[] {
  for (let at = 0; at < words.length; at++) {
    const first =
      at === 0 ||
      /^[,.!?:]$/.test(words[at - 1]?.norm ?? '') ||
      /^(hi|hey|hello|and|so|team|all|because|that|please|think|guys|says|said)$/.test(
        words[at - 1]?.norm ?? '',
      );
    const after = GIVE.test(words[at]?.norm ?? '') ? at + 1 : first ? at : -1;
    if (after < 0) continue;
    const span = spanAt(words, after, world.destinations, world.exactNames ?? false);
    if (!span) continue;
    const next = words[span.to]?.norm ?? '';
    const gives =
      after > at &&
      (/^(the|a|an|this|that|these|those|it|them|my|our|all|everything|latest|newest)$/.test(next) ||
        words[span.to]?.entity !== undefined);
    if (gives || (after === at && NEEDS.test(next)))
      return mark(words, span, { kind: 'destination', names: span.names });
  }
  return words;
}

/** "We owe globex the events, please send … to them": the destination as the one who was spoken of before. */
function spokenOf(words: Word[], world: World): Word[] {
  const to = words.findIndex(
    ({ norm }, at) => norm === 'to' && /^(?:them|him|her|there|those)$/.test(words[at + 1]?.norm ?? ''),
  );
  for (let at = 0; at < to; at++) {
    const word = words[at];
    if (!isPlain(word) || word.norm.length < 3 || STOP.has(word.norm) || NO_NAME.has(word.norm)) continue;
    const names = namesFor(word.norm, world.destinations, true);
    if (names.length > 0) return mark(words, { from: at, to: at + 1, names }, { kind: 'destination', names });
  }
  return words;
}

/** Marks whatever names a bucket or a destination. */
export function withPlaces(words: readonly Word[], world: World): Word[] {
  const exact = world.exactNames ?? false;
  let marked = spelledOut([...words], world.destinations, 'destination', exact);
  marked = spelledOut(marked, world.buckets, 'bucket', exact);
  marked = marked.flatMap((word, at) => {
    const before = marked[at - 1]?.entity?.kind;
    if (before === 'destination' && SERVER.has(word.norm) && word.norm !== 'folder') return [];
    return before === 'bucket' && /^(s3|bucket)$/.test(word.norm) ? [] : [word];
  });
  marked = marked.map((word, at) =>
    word.norm === 'form' && marked[at + 1]?.entity?.kind === 'bucket' ? { ...word, norm: 'from' } : word,
  );
  if (!has(marked, 'bucket') && !has(marked, 'source')) marked = bucketsByNoun(marked, world);
  if (!has(marked, 'destination'))
    marked = byPreposition(marked, TO, 'destination', world.destinations, exact);
  if (!has(marked, 'destination')) marked = receivers(marked, world);
  if (!has(marked, 'bucket') && !has(marked, 'source'))
    marked = byPreposition(marked, FROM, 'bucket', world.buckets, exact);
  if (!has(marked, 'destination'))
    marked = byPreposition(marked, AT, 'destination', world.destinations, exact);
  if (!has(marked, 'destination')) marked = spokenOf(marked, world);
  if (!has(marked, 'bucket') && !has(marked, 'source') && !has(marked, 'destination'))
    marked = byPreposition(marked, READ, 'bucket', world.buckets, exact);
  return marked;
}
