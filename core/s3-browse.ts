/** Looking around in S3 with the asker's rights: the policy is asked before every answer, S3's or the cache's. */
import { HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { FerryError } from './errors.ts';
import { compileGlob, staticPrefix } from './glob.ts';
import { bestMatches } from './name-match.ts';
import type { Person } from './person.ts';
import { mayRead, mayUse, readableBuckets, readableSources } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';
import { translateS3Error } from './s3-errors.ts';
import {
  type CachedFacts,
  decodeKey,
  factsOfCache,
  factsOfHead,
  factsOfList,
  isFolderMark,
  type ObjectFacts,
  toCache,
} from './s3-object-facts.ts';

/** Who asks, and in which turn: sessions are opened in the person's name for that turn. */
export interface Asker {
  readonly person: Person;
  readonly turnKey: string;
}

/** Opens a client whose credentials reach what this person may see of one bucket, and nothing else. */
export interface BrowseAccess {
  forBrowse(
    person: Person,
    turnKey: string,
    bucket: string,
  ): Promise<{ readonly client: S3Client; close(): Promise<void> }>;
}

/** What S3 said lately, for browsing only and never trusted for a transfer. It knows no rights. */
export interface BrowseCache {
  get(bucket: string, key: string): Promise<CachedFacts | undefined>;
  put(bucket: string, key: string, facts: CachedFacts): Promise<void>;
  forget(bucket: string, key: string): Promise<void>;
}

type NotAllowed = { readonly kind: 'not_allowed'; readonly reason: string };
type NotFound = { readonly kind: 'not_found' };

export type ObjectOutcome = ({ readonly kind: 'object' } & ObjectFacts) | NotFound | NotAllowed;

interface BucketInfo {
  readonly name: string;
  readonly description?: string;
  /** The prefixes that the person may see; absent when it is the whole bucket. */
  readonly prefixes?: readonly string[];
}

interface Listing {
  readonly kind: 'listing';
  /** Common prefixes up to the next slash, whole; not those of a pattern. */
  readonly folders: readonly string[];
  readonly objects: readonly ObjectFacts[];
  /** There is more than the limit shows. */
  readonly more: boolean;
}

/** Everything that begins with a prefix, or matches a pattern. */
export type Selection =
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'glob'; readonly pattern: string };

export interface S3Browse {
  /** Registered buckets of which the person may see at least a part, whose name or description holds the filter. */
  listBuckets(person: Person, filter?: string): readonly BucketInfo[];
  /** One level below a prefix, or what matches a pattern. @throws FerryError when S3 cannot tell */
  listObjects(
    asker: Asker,
    bucket: string,
    selection: Selection,
    limit: number,
    signal?: AbortSignal,
  ): Promise<Listing | NotAllowed | NotFound | { readonly kind: 'bad_pattern'; readonly reason: string }>;
  /**
   * All objects of a selection, page by page, for a plan. Zero-byte keys that end in a slash (folders of consoles)
   * are left out. The iterable throws FerryErrors, `not_found` and `not_allowed` among them.
   */
  objectsUnder(
    asker: Asker,
    bucket: string,
    selection: Selection,
    signal?: AbortSignal,
  ):
    | { readonly kind: 'objects'; readonly objects: AsyncIterable<ObjectFacts> }
    | NotAllowed
    | { readonly kind: 'bad_pattern'; readonly reason: string };
  /**
   * Objects as they are now, in the order of the keys; with `cached`, possibly as they were within the last day.
   *
   * @throws FerryError when S3 cannot tell
   */
  headObjects(
    asker: Asker,
    bucket: string,
    keys: readonly string[],
    options?: { readonly cached?: boolean; readonly signal?: AbortSignal },
  ): Promise<readonly ObjectOutcome[]>;
  /** The objects whose names are most like the words, best first; looks through a bounded part of the bucket. */
  findByName(
    asker: Asker,
    bucket: string,
    words: string,
    limit: number,
    signal?: AbortSignal,
  ): Promise<
    | { readonly kind: 'candidates'; readonly objects: readonly ObjectFacts[]; readonly complete: boolean }
    | NotAllowed
  >;
}

/** Keys that a search looks at: five pages of S3's. */
const MAX_SEARCHED = 5_000;
/** HEAD requests under way at the same time, for one turn. */
const HEADS_AT_ONCE = 8;
/** Keys that a listing with a pattern looks at before it says that there is more. */
const MAX_LISTED = 20_000;

/** A fault that is an answer here. */
function asOutcome(thrown: unknown): NotAllowed | NotFound {
  if (thrown instanceof FerryError && thrown.code === 'not_found') return { kind: 'not_found' };
  if (thrown instanceof FerryError && thrown.code === 'not_allowed') {
    return { kind: 'not_allowed', reason: thrown.userMessage };
  }
  throw thrown;
}

export function createS3Browse(deps: {
  policy: PolicyConfig;
  access: BrowseAccess;
  cache?: BrowseCache;
  /** Told of each look into the cache, for the hit rate. */
  onCacheLook?: (hit: boolean) => void;
}): S3Browse {
  const { policy, access, cache } = deps;

  /** The prefixes of one bucket that the person may see; empty for a bucket that they may not see at all. */
  function visiblePrefixes(person: Person, bucket: string): string[] {
    return readableSources(policy, person)
      .filter((source) => source === bucket || source.startsWith(`${bucket}/`))
      .map((source) => source.slice(bucket.length + 1));
  }

  async function* pages(
    asker: Asker,
    bucket: string,
    prefix: string,
    delimiter?: string,
    signal?: AbortSignal,
  ) {
    const session = await access.forBrowse(asker.person, asker.turnKey, bucket);
    try {
      let token: string | undefined;
      do {
        const page = await session.client
          .send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              Delimiter: delimiter,
              ContinuationToken: token,
              EncodingType: 'url',
              OptionalObjectAttributes: ['RestoreStatus'],
            }),
            { abortSignal: signal },
          )
          .catch((error: unknown) => {
            throw translateS3Error(error, { bucket }, signal);
          });
        yield page;
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    } finally {
      await session.close();
    }
  }

  async function* walk(
    asker: Asker,
    bucket: string,
    prefix: string,
    matches: (key: string) => boolean,
    signal?: AbortSignal,
  ): AsyncGenerator<ObjectFacts> {
    for await (const page of pages(asker, bucket, prefix, undefined, signal)) {
      for (const object of factsOfList(page)) {
        if (matches(object.key) && !isFolderMark(object)) yield object;
      }
    }
  }

  async function head(
    client: S3Client,
    bucket: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<ObjectOutcome> {
    let facts: ObjectFacts;
    try {
      const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), {
        abortSignal: signal,
      });
      facts = factsOfHead(key, answer);
    } catch (error) {
      const outcome = asOutcome(translateS3Error(error, { bucket, key }, signal));
      if (outcome.kind === 'not_found') await cache?.forget(bucket, key);
      return outcome;
    }
    const kept = toCache(facts);
    // Whatever stood there is replaced: a fresh answer of S3's is always right.
    if (kept) await cache?.put(bucket, key, kept);
    else await cache?.forget(bucket, key);
    return { kind: 'object', ...facts };
  }

  /** Where a selection begins and what belongs to it. */
  function scopeOf(selection: Selection) {
    if (selection.kind === 'prefix') {
      return { ok: true, prefix: selection.prefix, matches: () => true } as const;
    }
    const glob = compileGlob(selection.pattern);
    return glob.ok
      ? ({ ok: true, prefix: staticPrefix(selection.pattern), matches: glob.matches } as const)
      : glob;
  }

  const objectsUnder: S3Browse['objectsUnder'] = (asker, bucket, selection, signal) => {
    const scope = scopeOf(selection);
    if (!scope.ok) return { kind: 'bad_pattern', reason: scope.reason };
    const verdict = mayRead(policy, asker.person, bucket, scope.prefix);
    if (!verdict.allowed) return { kind: 'not_allowed', reason: verdict.reason };
    return { kind: 'objects', objects: walk(asker, bucket, scope.prefix, scope.matches, signal) };
  };

  async function listFolder(
    asker: Asker,
    bucket: string,
    prefix: string,
    limit: number,
    signal?: AbortSignal,
  ) {
    const folders: string[] = [];
    const objects: ObjectFacts[] = [];
    for await (const page of pages(asker, bucket, prefix, '/', signal)) {
      folders.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => decodeKey(Prefix ?? '')));
      objects.push(...factsOfList(page).filter((object) => !isFolderMark(object)));
      if (folders.length + objects.length > limit) break;
    }
    return cut(folders, objects, limit);
  }

  function cut(folders: string[], objects: ObjectFacts[], limit: number): Listing {
    const shown = folders.slice(0, limit);
    return {
      kind: 'listing',
      folders: shown,
      objects: objects.slice(0, limit - shown.length),
      more: folders.length + objects.length > limit,
    };
  }

  async function listMatches(found: AsyncIterable<ObjectFacts>, limit: number): Promise<Listing> {
    const objects: ObjectFacts[] = [];
    for await (const object of found) {
      objects.push(object);
      if (objects.length > limit) break;
    }
    return cut([], objects, limit);
  }

  return {
    listBuckets(person, filter = '') {
      const wanted = filter.toLowerCase();
      return readableBuckets(policy, person)
        .map((name): BucketInfo => {
          const prefixes = visiblePrefixes(person, name);
          const description = policy.buckets[name]?.description;
          return {
            name,
            ...(description === undefined ? {} : { description }),
            ...(prefixes.includes('') ? {} : { prefixes }),
          };
        })
        .filter(({ name, description }) => `${name} ${description ?? ''}`.toLowerCase().includes(wanted));
    },

    async listObjects(asker, bucket, selection, limit, signal) {
      if (selection.kind === 'prefix') {
        const { prefix } = selection;
        const verdict = mayRead(policy, asker.person, bucket, prefix);
        if (verdict.allowed) return listFolder(asker, bucket, prefix, limit, signal).catch(asOutcome);
        // Above what they may see, only the way down is shown, from the policy alone.
        const below = visiblePrefixes(asker.person, bucket).filter((visible) => visible.startsWith(prefix));
        return below.length > 0 ? cut(below, [], limit) : { kind: 'not_allowed', reason: verdict.reason };
      }
      const found = objectsUnder(asker, bucket, selection, signal);
      if (found.kind !== 'objects') return found;
      return listMatches(bounded(found.objects, MAX_LISTED), limit).catch(asOutcome);
    },

    objectsUnder,

    async headObjects(asker, bucket, keys, options = {}) {
      const outcomes = new Map<number, ObjectOutcome>();
      const unknown: number[] = [];
      for (const [index, key] of keys.entries()) {
        const verdict = mayRead(policy, asker.person, bucket, key);
        const hit = verdict.allowed && options.cached ? await cache?.get(bucket, key) : undefined;
        if (verdict.allowed && options.cached && cache) deps.onCacheLook?.(hit !== undefined);
        if (!verdict.allowed) outcomes.set(index, { kind: 'not_allowed', reason: verdict.reason });
        else if (hit) outcomes.set(index, { kind: 'object', ...factsOfCache(key, hit) });
        else unknown.push(index);
      }
      if (unknown.length > 0) {
        const session = await access.forBrowse(asker.person, asker.turnKey, bucket);
        const queue = unknown[Symbol.iterator]();
        const work = async () => {
          for (const index of queue) {
            outcomes.set(index, await head(session.client, bucket, keys[index] ?? '', options.signal));
          }
        };
        try {
          await Promise.all(Array.from({ length: HEADS_AT_ONCE }, work));
        } finally {
          await session.close();
        }
      }
      return keys.map((_key, index) => outcomes.get(index) ?? { kind: 'not_found' });
    },

    async findByName(asker, bucket, words, limit, signal) {
      const use = mayUse(policy, asker.person);
      const prefixes = visiblePrefixes(asker.person, bucket);
      if (!use.allowed || prefixes.length === 0) {
        return { kind: 'not_allowed', reason: use.allowed ? `You may not read ${bucket}.` : use.reason };
      }
      const seen: ObjectFacts[] = [];
      // A prefix that another one covers would be searched twice.
      for (const prefix of prefixes.filter(
        (one) => !prefixes.some((other) => other !== one && one.startsWith(other)),
      )) {
        const room = MAX_SEARCHED - seen.length;
        if (room <= 0) break;
        for await (const object of bounded(
          walk(asker, bucket, prefix, () => true, signal),
          room,
        ))
          seen.push(object);
      }
      const objects = bestMatches(words, seen, (object) => object.key, limit);
      return { kind: 'candidates', objects, complete: seen.length < MAX_SEARCHED };
    },
  };
}

async function* bounded<T>(items: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  let taken = 0;
  for await (const item of items) {
    if (taken++ >= most) return;
    yield item;
  }
}
