/** What a stretch of plain words says about a file: a description, a preference, a kind. */
import type { ObjectSlots } from './reading.ts';
import type { Word } from './words.ts';

/** What people call a kind of file, and its extension. */
export const TYPES = new Map<string, string>(
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

export const EDGE = new Set(
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
  say already before first second third instead pls too immediately well
  else below beneath underneath encrypted encryption
  use used using much less more oh ah uh um hmm er oops whoops actually wait hold nope three four five six can't couldn't cannot won't wouldn't doesn't isn't aren't haven't hasn't don't didn't
  checksum etag md5 sha256 timestamp storage class attributes properties stats many missing abort kill withdraw revoke halt scrap undo restart rerun re-run redo resubmit track read open browse start run`.split(
    /\s+/,
  ),
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
  'list',
  'share',
  'run',
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
export const BREAK = new Set(
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
  let isNoun = false;
  for (; from < to && !isNoun; from++) {
    const norm = words[from]?.norm ?? '';
    isNoun = KEPT_FIRST.has(norm) && (from > 0 ? ARTICLE.test(words[from - 1]?.norm ?? '') : isOwned);
    if (isNoun || !(EDGE.has(norm) || /^\W+$/u.test(norm))) break;
  }
  while (to > from + (isNoun ? 1 : 0)) {
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

export function describe(words: readonly Word[]): Description {
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
    // "The 5 newest files": how many is no part of the description.
    if (/^\d{1,3}$/.test(norm) && (PICKS.some(([pattern]) => pattern.test(next)) || /^files?$/.test(next)))
      continue;
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
      type !== undefined &&
      (bare !== single ||
        /^(?:files|ones|documents|exports?s)$/.test(next) ||
        /^(?:any|every|each)$/.test(words[at - 1]?.norm ?? ''));
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
    !/^(?:files?|objects?|keys?|items?|folders?|documents?|docs|data|bucket|s3|transfers?|version|copy|one|ones|(?:new|old|recent|other|more) (?:files?|ones?|objects?|stuff)|new|old|recent|available|rest|arrive|something|anything|some file)$/i.test(
      text,
    )
  )
    described.query = text;
  return described;
}

/** The description: the stretch nearest to where a request has its object. */
export function describeRuns(
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
