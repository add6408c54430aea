/** From what a sentence names to S3 objects: headed keys, or a listing still to be walked; or the question that is left. */
import { staticPrefix } from '../../core/glob.ts';
import { checkKey } from '../../core/object-name.ts';
import type { Person } from '../../core/person.ts';
import type { Asker, ObjectOutcome, S3Browse, Selection } from '../../core/s3-browse.ts';
import type { ObjectFacts } from '../../core/s3-object-facts.ts';
import type { PlannerDeps } from '../ports.ts';
import type { Preference, Source } from './command.ts';
import { resolveBucket, splitBucket } from './places.ts';
import { ask, choice, found, refuse, type Step, said } from './replies.ts';

/** What the objects of a request are, all in one bucket. */
export type Chosen =
  | { readonly kind: 'keys'; readonly bucket: string; readonly keys: readonly string[] }
  | { readonly kind: 'listing'; readonly bucket: string; readonly selection: Selection };

/** Words that stand for something said before, which this planner does not remember. */
const PRONOUNS = new Set(['it', 'this', 'that', 'these', 'those', 'them', 'one', 'file', 'the file']);

type Where = { readonly sources: readonly Source[]; readonly bucket?: string };
type Complete = (request: Where) => string;
type Described = Extract<Source, { kind: 'words' }>;

/** Objects that are offered as buttons. */
const MAX_OFFERED = 5;
/** Objects with fitting names among which the latest or largest is looked for. */
const MAX_COMPARED = 50;
/** Objects of a bucket that are looked at for its latest or largest. */
const MAX_LOOKED_AT = 5_000;

interface Looking {
  readonly deps: Pick<PlannerDeps, 'policy' | 'browse'>;
  readonly asker: Asker;
  readonly signal: AbortSignal;
  /** The asker's sentence with other sources. */
  readonly complete: Complete;
  /** Told which files a question offers, so that "the second one" answers it. */
  readonly offered?: (bucket: string, keys: readonly string[]) => void;
}

const keyText = (source: Source): string =>
  source.kind === 'key'
    ? source.key
    : source.kind === 'prefix'
      ? source.prefix
      : source.kind === 'glob'
        ? source.pattern
        : '';

/** The bucket that all sources are in. */
function bucketOf(looking: Looking, sources: readonly Source[], named: string | undefined): Step<string> {
  const { deps, asker, complete } = looking;
  const addressed = [
    ...new Set(sources.flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket.toLowerCase()]))),
  ];
  if (addressed.length > 1) {
    return refuse('One transfer takes files from one bucket.', 'Please ask for each bucket by itself.');
  }
  const exact = sources.find(({ bucket }) => bucket !== undefined)?.bucket;
  const typed =
    exact !== undefined
      ? { name: exact, exact: true }
      : named !== undefined
        ? { name: named, exact: false }
        : undefined;
  return resolveBucket(deps.policy, asker.person, typed, (bucket) =>
    complete({ bucket, sources: sources.map((source) => withBucket(source, bucket)) }),
  );
}

const withBucket = (source: Source, bucket: string): Source => ({ ...source, bucket });

const PREFERRED: Readonly<Record<Preference, (a: ObjectFacts, b: ObjectFacts) => number>> = {
  latest: (a, b) => b.lastModified - a.lastModified,
  oldest: (a, b) => a.lastModified - b.lastModified,
  largest: (a, b) => b.size - a.size,
  smallest: (a, b) => a.size - b.size,
};

/** The best few of all that a bucket holds, without keeping more than those. */
async function best(looking: Looking, bucket: string, pick: Preference): Promise<readonly ObjectFacts[]> {
  const { deps, asker, signal } = looking;
  const under = deps.browse.objectsUnder(asker, bucket, { kind: 'prefix', prefix: '' }, signal);
  if (under.kind !== 'objects') return [];
  let top: ObjectFacts[] = [];
  let looked = 0;
  for await (const object of under.objects) {
    top = [...top, object].sort(PREFERRED[pick]).slice(0, MAX_OFFERED);
    looked += 1;
    if (looked >= MAX_LOOKED_AT) break;
  }
  return top;
}

/** Objects that a description may mean, as buttons. */
async function candidates(
  looking: Looking,
  bucket: string,
  words: string,
  pick?: Preference,
): Promise<readonly ObjectFacts[]> {
  const { deps, asker, signal } = looking;
  if (pick && words === '') return best(looking, bucket, pick);
  if (pick) {
    const found = await deps.browse.findByName(asker, bucket, words, MAX_COMPARED, signal);
    return found.kind === 'candidates' ? [...found.objects].sort(PREFERRED[pick]).slice(0, MAX_OFFERED) : [];
  }
  const search = await deps.browse.findByName(asker, bucket, words, MAX_OFFERED, signal);
  return search.kind === 'candidates' ? search.objects : [];
}

const keyChoice = (looking: Looking, bucket: string, key: string) =>
  choice(key, looking.complete({ bucket, sources: [{ kind: 'key', bucket, key }] }));

async function describe(looking: Looking, bucket: string, source: Described): Promise<Step<never>> {
  const words = source.words === '' ? `the ${source.pick ?? ''} file` : source.words;
  const objects = await candidates(looking, bucket, source.words, source.pick);
  if (objects.length === 0) {
    return refuse(
      `Nothing in ${bucket} looks like ${said(words)}.`,
      `"ls s3://${bucket}/" shows what is there.`,
    );
  }
  looking.offered?.(
    bucket,
    objects.map(({ key }) => key),
  );
  return ask(
    `Which file in ${bucket} do you mean by ${said(words)}?`,
    objects.map(({ key }) => keyChoice(looking, bucket, key)),
  );
}

/** A key that is not there: perhaps a folder, perhaps misspelt. */
async function missing(
  looking: Looking,
  bucket: string,
  key: string,
  others: readonly Source[],
): Promise<Step<never>> {
  const { deps, asker, signal, complete } = looking;
  const prefix = `${key}/`;
  const below = await deps.browse.listObjects(asker, bucket, { kind: 'prefix', prefix }, 1, signal);
  const isFolder = below.kind === 'listing' && below.folders.length + below.objects.length > 0;
  const objects = await candidates(looking, bucket, key);
  const folder = isFolder
    ? [choice(`Everything in ${key}/`, complete({ bucket, sources: [{ kind: 'prefix', bucket, prefix }] }))]
    : [];
  const near = objects.map((object) =>
    choice(object.key, complete({ bucket, sources: [...others, { kind: 'key', bucket, key: object.key }] })),
  );
  const reason = `There is no file ${said(key)} in ${bucket}.`;
  // A folder can only be sent by itself.
  const choices = others.length === 0 ? [...folder, ...near] : near;
  return choices.length > 0
    ? ask(`${reason} Did you mean this?`, choices)
    : refuse(reason, `"ls s3://${bucket}/" shows what is there.`);
}

/** Brackets and braces are ordinary characters of many keys: such a key, if it exists, is what was meant. */
async function literalKey(
  browse: S3Browse,
  looking: Looking,
  bucket: string,
  pattern: string,
): Promise<boolean> {
  if (/[*?]/.test(pattern)) return false;
  const [outcome] = await browse.headObjects(looking.asker, bucket, [pattern], { signal: looking.signal });
  return outcome?.kind === 'object';
}

/** What the sentence's sources are, in a bucket that the person may read at least in part. */
export async function choose(looking: Looking, request: Where): Promise<Step<Chosen>> {
  const { deps, asker } = looking;
  const sources = request.sources.map((source) =>
    request.bucket === undefined ? splitBucket(deps.policy, asker.person, source) : source,
  );
  const [first, ...more] = sources;
  if (!first || (first.kind === 'words' && PRONOUNS.has(first.words.toLowerCase()))) {
    return ask('Which file? Say it like s3://bucket/folder/file.csv, or "report.csv in bucket".');
  }
  for (const source of sources) {
    const verdict = checkKey(keyText(source));
    if (!verdict.ok) return refuse(verdict.reason);
    if (source.kind === 'key' && source.versionId !== undefined) {
      return refuse(
        'FileFerry takes the current version of a file, not an older one.',
        'Leave the version out of the address.',
      );
    }
  }
  const bucket = bucketOf(looking, sources, request.bucket);
  if (!bucket.ok) return bucket;
  const name = bucket.value;
  if (sources.every((source) => source.kind === 'key')) {
    const keys = [...new Set(sources.flatMap((source) => (source.kind === 'key' ? [source.key] : [])))];
    return found({ kind: 'keys', bucket: name, keys });
  }
  if (more.length > 0) {
    return refuse(
      'One transfer takes files that are named exactly, or one folder, or one pattern.',
      'Please ask for each of them by itself.',
    );
  }
  switch (first.kind) {
    case 'words':
      return describe(looking, name, first);
    case 'glob':
      if (await literalKey(deps.browse, looking, name, first.pattern)) {
        return found({ kind: 'keys', bucket: name, keys: [first.pattern] });
      }
      return found({ kind: 'listing', bucket: name, selection: { kind: 'glob', pattern: first.pattern } });
    case 'prefix':
      return found({ kind: 'listing', bucket: name, selection: { kind: 'prefix', prefix: first.prefix } });
    case 'key':
      return found({ kind: 'keys', bucket: name, keys: [first.key] });
  }
}

/** What every key of the choice begins with, for asking the policy before S3. */
export function startsOf(chosen: Chosen): readonly string[] {
  if (chosen.kind === 'keys') return chosen.keys;
  return [
    chosen.selection.kind === 'prefix' ? chosen.selection.prefix : staticPrefix(chosen.selection.pattern),
  ];
}

/** The named keys as they are now. */
export async function headAll(
  looking: Looking,
  chosen: Extract<Chosen, { kind: 'keys' }>,
  options: { readonly cached?: boolean } = {},
): Promise<Step<readonly ObjectFacts[]>> {
  const { bucket, keys } = chosen;
  const outcomes: readonly ObjectOutcome[] = await looking.deps.browse.headObjects(
    looking.asker,
    bucket,
    keys,
    {
      ...options,
      signal: looking.signal,
    },
  );
  const objects: ObjectFacts[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const key = keys[index] ?? '';
    if (outcome.kind === 'not_allowed') return refuse(outcome.reason);
    if (outcome.kind === 'not_found') {
      const others = keys
        .filter((other) => other !== key)
        .map((other): Source => ({ kind: 'key', bucket, key: other }));
      return missing(looking, bucket, key, others);
    }
    objects.push(outcome);
  }
  return found(objects);
}

/** Who looks, for the browsing port. */
export const askerOf = (turn: { readonly person: Person; readonly key: string }): Asker => ({
  person: turn.person,
  turnKey: turn.key,
});
