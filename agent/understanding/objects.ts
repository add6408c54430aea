/** Which objects a sentence means: exact names, patterns, a folder, or a description that is still to be looked up. */
import type { ObjectSlots } from './reading.ts';
import { entitiesOf, type Sentence } from './sentence.ts';
import type { Word } from './words.ts';

/** What people call a kind of file, and its extension. */
const TYPES = new Map<string, string>(
  Object.entries({
    csv: 'csv',
    tsv: 'tsv',
    pdf: 'pdf',
    xlsx: 'xlsx',
    xls: 'xls',
    excel: 'xlsx',
    docx: 'docx',
    doc: 'doc',
    pptx: 'pptx',
    ppt: 'ppt',
    powerpoint: 'pptx',
    txt: 'txt',
    json: 'json',
    jsonl: 'jsonl',
    xml: 'xml',
    yaml: 'yaml',
    zip: 'zip',
    gz: 'gz',
    gzip: 'gz',
    tar: 'tar',
    'tar.gz': 'tar.gz',
    tgz: 'tgz',
    parquet: 'parquet',
    avro: 'avro',
    orc: 'orc',
    png: 'png',
    jpg: 'jpg',
    jpeg: 'jpeg',
    gif: 'gif',
    svg: 'svg',
    mp4: 'mp4',
    mp3: 'mp3',
    mov: 'mov',
    wav: 'wav',
    log: 'log',
    sql: 'sql',
    bak: 'bak',
    tmp: 'tmp',
    md: 'md',
    html: 'html',
  }),
);

const PICKS: readonly (readonly [RegExp, NonNullable<ObjectSlots['pick']>])[] = [
  [
    /^(?:latest|newest|freshest|last|(?:most )?recent|current|most recently (?:modified|uploaded|changed|added))$/,
    'latest',
  ],
  [/^(?:oldest|earliest)$/, 'oldest'],
  [/^(?:largest|biggest|heaviest)$/, 'largest'],
  [/^(?:smallest|tiniest)$/, 'smallest'],
];

const EDGE = new Set(
  `the a an my our your their his her this that these those some any of for and or to from in on at with by all every each both just also me us it
  them i we you they he she file's please kindly is are was were be been am will would could should can may might must do does did have has had
  need needs want wants like get give send sent sending copy copied copying transfer transferred transferring move moved moving upload uploaded
  uploading push pushed deliver delivered ship shipped forward forwarded put drop dropped fetch grab pull take share pass hand over across out up
  down off along straight directly there here then now so ok okay hey hi hello team folks guys called named hello if when what which where
  how whether there's it's i'd i'll we'd let let's go gonna want wanna asking asks asked ask waiting wait expects require requires wanting
  time again today still right quick quickly really actually kind help find show list search look looking locate see view browse display check tell know about
  yes no not but because since as via into onto under inside within using new? sure thanks thank you cp mv sync mirror dump export relay dispatch
  publish place load beam shoot throw stick bring resend re-send sftp ftp ls dir head inside's predict estimate forecast eta long take takes taking
  big large size modified changed last's object's got goes going come urgently fyi btw one ones thing things stuff someone somebody possible
  able ready sorry need's wondering wonder think believe guess please's to's request requesting requested request's another same everything
  anything contents content whole entire complete full only except without excluding info information details describe metadata next asap
  user people person having due order bot fileferry i'm i've we're we've he's she's that's what's where's how's who's ferry transmit route
  migrate replicate hand deliverables? retry cancel stop status update news word progress any's bit minute moment sec while getting makes make
  regarding re concerning done finished arrived made through yet fail failed stuck happened happening why work working doing looking
  should've fire chuck tonight's both's few couple several these's chance chances odds likely success succeed risk probability want's says said
  say already before first second third instead pls too immediately`.split(/\s+/),
);
/** Words that carry meaning at the end of a description though they say nothing at its beginning. */
const KEPT_LAST = new Set([
  'info',
  'details',
  'status',
  'update',
  'content',
  'contents',
  'estimate',
  'forecast',
  'export',
  'dump',
  'request',
  'news',
  'metadata',
  'order',
  'load',
  'new',
]);
/** …and those that do at its beginning. */
const KEPT_FIRST = new Set([
  'export',
  'dump',
  'order',
  'forecast',
  'status',
  'request',
  'content',
  'risk',
  'success',
  'full',
]);

/** Where a description ends. */
const BREAK = new Set(
  `to from in into onto inside within under at via please by because so since but if when while as asap then before after over using through
  sent delivered uploaded copied transferred pushed shipped moved which that who instead needs need wants is are was except without excluding
  minus skipping also again take took be with`.split(/\s+/),
);

interface Run {
  readonly from: number;
  readonly to: number;
  readonly words: readonly Word[];
}

/** Stretches of plain words between entities, punctuation and breaks. */
function runs(words: readonly Word[]): Run[] {
  const found: Run[] = [];
  let open: Word[] = [];
  let from = 0;
  const close = (at: number) => {
    if (open.length > 0) found.push({ from, to: at, words: open });
    open = [];
  };
  for (const [at, word] of words.entries()) {
    const isQuote = word.entity?.kind === 'quote';
    if ((word.entity && !isQuote) || /^[,.!?:]$/.test(word.norm) || BREAK.has(word.norm)) {
      close(at);
    } else {
      if (open.length === 0) from = at;
      open.push(word);
    }
  }
  close(words.length);
  return found;
}

/** The words of a run that describe something, without what only leads up to it. */
function telling(run: Run, isOwned: boolean): Word[] {
  const { words } = run;
  let from = 0;
  let to = words.length;
  // What is asked for stands behind the verb that asks.
  for (let at = 0; at < words.length; at++) {
    const norm = words[at]?.norm ?? '';
    const before = words[at - 1]?.norm ?? '';
    const isNoun = at > 0 && (ARTICLE.test(before) || (NOUNISH.test(norm) && !EDGE.has(before)));
    if (VERB.test(norm) && !isNoun) from = at + 1;
  }
  while (from < to) {
    const norm = words[from]?.norm ?? '';
    const isNoun = KEPT_FIRST.has(norm) && (from > 0 ? ARTICLE.test(words[from - 1]?.norm ?? '') : isOwned);
    if (isNoun || !(EDGE.has(norm) || /^\W+$/u.test(norm))) break;
    from++;
  }
  while (to > from) {
    const norm = words[to - 1]?.norm ?? '';
    if (!(EDGE.has(norm) || /^\W+$/u.test(norm)) || (KEPT_LAST.has(norm) && to - from > 1)) break;
    to--;
  }
  return words.slice(from, to);
}

const NOUNISH = /^(?:transfer|upload|copy|list|share|estimate|forecast|push)$/;
const ARTICLE = /^(?:the|a|an|my|our|your|their|this|that|these|those|all|latest|newest|recent|last)$/;
const VERB =
  /^(?:send|sending|copy|transfer|transferring|move|upload|push|deliver|ship|forward|put|drop|get|fetch|grab|pull|share|find|search|locate|browse|display|resend|need|needs|want|wants|give|bring|take|list|show|cp|mv|predict|estimate|sync|publish|pass|beam|relay|dispatch|about|ftp|sftp)$/;

interface Description {
  query?: string;
  pick?: ObjectSlots['pick'];
  types: string[];
  /** Whether the type was said in the plural or with "files". */
  plural: boolean;
}

function describe(words: readonly Word[]): Description {
  const rest: Word[] = [];
  const described: Description = { types: [], plural: false };
  let skip = 0;
  for (const [at, word] of words.entries()) {
    if (skip > 0) {
      skip--;
      continue;
    }
    const { norm } = word;
    const next = words[at + 1]?.norm ?? '';
    const pick = PICKS.find(([pattern]) => pattern.test(norm) || pattern.test(`${norm} ${next}`));
    if (pick && described.pick === undefined && !(norm === 'current' && rest.length > 0)) {
      described.pick = pick[1];
      if (!pick[0].test(norm)) skip = 1;
      continue;
    }
    const bare = norm.replace(/^[*.]+/, '');
    const single = TYPES.has(bare) ? bare : bare.replace(/s$/, '');
    const type = TYPES.get(single);
    const isPlural =
      type !== undefined && (bare !== single || /^(?:files|ones|documents|exports?s)$/.test(next));
    if (type !== undefined && (isPlural || /^(?:file|format)$/.test(next) || norm.startsWith('.'))) {
      described.types.push(type);
      described.plural ||= isPlural || norm.startsWith('.');
      if (/^(?:files?|ones|documents|format)$/.test(next)) skip = 1;
      continue;
    }
    rest.push(word);
  }
  let from = 0;
  let to = rest.length;
  const isIdle = (word: Word | undefined) =>
    EDGE.has(word?.norm ?? '') && !KEPT_LAST.has(word?.norm ?? '') && !KEPT_FIRST.has(word?.norm ?? '');
  while (from < to && (isIdle(rest[from]) || /^\W+$/u.test(rest[from]?.norm ?? ''))) from++;
  while (to > from && isIdle(rest[to - 1])) to--;
  const text = rest
    .slice(from, to)
    .map(({ raw }) => raw)
    .join(' ')
    .replace(/['’]s$/, '')
    .trim();
  if (
    text !== '' &&
    !/^(?:files?|objects?|keys?|items?|folders?|documents?|docs|data|bucket|s3|transfers?|version|copy|one|ones)$/i.test(
      text,
    )
  )
    described.query = text;
  return described;
}

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
  /(?:^| )(?:except(?: for)?|excluding|exclude|but not|without|minus|skip|skipping|leave out|leaving out|not including|ignore|ignoring|apart from|other than)(?= )/;
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
  if (exclude.length === 0) return { exclude, rest: words };
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
  const sources = entitiesOf(part, 'source').map(({ source }) => source);
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
      ((at > destinationAt && INTO.test(before)) || /^(?:as|named|into|rename|renamed)$/.test(before));
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
        sources.length === 0 &&
        hasNoun(described.query)));
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

/** The description: the stretch nearest to where a request has its object. */
function describeRuns(
  words: readonly Word[],
  folderWords: ReadonlySet<number>,
  destinationAt: number,
  forTransfer: boolean,
): Description {
  const kept = words.map((word, at) => (folderWords.has(at) ? { ...word, norm: ',', raw: ',' } : word));
  const scored = runs(kept)
    .map((run) => {
      const hasVerb = run.words.some(({ norm }) => VERB.test(norm));
      const after = kept[run.to];
      const before = kept[run.from - 1];
      const description = describe(telling(run, before?.entity?.kind === 'time'));
      const isWorth =
        description.query !== undefined || description.types.length > 0 || description.pick !== undefined;
      let score = isWorth ? 1 : -10;
      if (hasVerb) score += 3;
      if (after && /^(?:from|in|to|over|into|under|inside|within|sent|delivered)$/.test(after.norm))
        score += 2;
      if (
        after?.entity?.kind === 'bucket' ||
        after?.entity?.kind === 'destination' ||
        after?.entity?.kind === 'time'
      )
        score += 1;
      if (before && /^(?:as|because|so|since|if|by|with)$/.test(before.norm)) score -= 4;
      if (before && before.norm === 'to' && forTransfer && !hasVerb) score -= 3;
      if (forTransfer && run.from > destinationAt && !hasVerb) score -= 1;
      return { description, score };
    })
    .filter(({ score }) => score > -5)
    .sort((a, b) => b.score - a.score);
  const best = scored[0]?.description ?? { types: [], plural: false };
  const typed = scored.find(({ description }) => description.types.length > 0)?.description;
  const picked = scored.find(({ description }) => description.pick !== undefined)?.description;
  return {
    ...best,
    types: best.types.length > 0 ? best.types : (typed?.types ?? []),
    ...(best.pick ? {} : picked?.pick ? { pick: picked.pick } : {}),
  };
}
