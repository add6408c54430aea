/** Answers `ls`, `info`, `list buckets` and `destinations`. */
import type { Focus } from '../../core/focus.ts';
import { checkKey } from '../../core/object-name.ts';
import { usableDestinations } from '../../core/policy.ts';
import type { ObjectFacts } from '../../core/s3-object-facts.ts';
import { sizeInWords } from '../../core/size-in-words.ts';
import type { ListItem, Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import type { Command, Source } from './command.ts';
import { formatCommand } from './format.ts';
import { resolveBucket, splitBucket } from './places.ts';
import { refusal } from './replies.ts';
import { askerOf, choose, headAll } from './selection.ts';
import { instantInWords } from './wording.ts';

/** Told what the answer is about, for the person's next turn. */
type Note = (news: Focus) => void;

/** Of the asker: where what is spoken of is noted, and the time zone in which they read times. */
export interface Listener {
  readonly note: Note;
  readonly timeZone?: string | undefined;
}
const NOBODY: Listener = { note: () => {} };

/** Entries that one listing shows. */
const MAX_SHOWN = 25;

export function answerBuckets(deps: PlannerDeps, turn: Turn, filter: string | undefined): Reply {
  const buckets = deps.browse.listBuckets(turn.person, filter);
  if (buckets.length === 0) {
    return filter === undefined
      ? refusal('You may not read any bucket.', 'Please ask your FileFerry team for access.')
      : refusal('None of your buckets is called like that.', '"list buckets" shows all of them.');
  }
  return {
    kind: 'list',
    title: 'Your buckets',
    items: buckets.map(({ name, description, prefixes }) => {
      const parts = [description, prefixes && `only ${prefixes.join(', ')}`].filter(
        (part) => part !== undefined,
      );
      return { name, ...(parts.length > 0 ? { detail: parts.join(' · ') } : {}) };
    }),
  };
}

export function answerDestinations(deps: PlannerDeps, turn: Turn): Reply {
  const names = usableDestinations(deps.policy, turn.person);
  if (names.length === 0) {
    return refusal(
      'You may not send files to any destination.',
      'Please ask your FileFerry team for access.',
    );
  }
  return {
    kind: 'list',
    title: 'Your destinations',
    items: names.map((name): ListItem => {
      const { description, aliases = [] } = deps.policy.destinations[name] ?? {};
      const parts = [description, aliases.length > 0 ? `also called ${aliases.join(', ')}` : undefined];
      const detail = parts.filter((part) => part !== undefined).join(' · ');
      return { name, ...(detail ? { detail } : {}) };
    }),
  };
}

const detailOf = (object: ObjectFacts, zone: string | undefined): string =>
  [
    sizeInWords(object.size),
    instantInWords(object.lastModified, zone),
    ...(object.archived ? ['archived'] : []),
  ].join(' · ');

/** A pattern without wildcards or a key is listed as the prefix that it is. */
const selectionOf = (source: Source) =>
  source.kind === 'glob'
    ? ({ kind: 'glob', pattern: source.pattern } as const)
    : ({
        kind: 'prefix',
        prefix: source.kind === 'prefix' ? source.prefix : source.kind === 'key' ? source.key : '',
      } as const);

export async function answerList(
  deps: PlannerDeps,
  turn: Turn,
  command: Extract<Command, { kind: 'list' }>,
  signal: AbortSignal,
  listener: Listener = NOBODY,
): Promise<Reply> {
  if (!command.source && command.bucket === undefined) return answerBuckets(deps, turn, undefined);
  const source: Source = command.source
    ? splitBucket(deps.policy, turn.person, command.source)
    : { kind: 'prefix', prefix: '' };
  const selection = selectionOf(source);
  const asked = selection.kind === 'glob' ? selection.pattern : selection.prefix;
  const verdict = checkKey(asked);
  if (!verdict.ok) return refusal(verdict.reason);
  const typed =
    source.bucket !== undefined
      ? { name: source.bucket, exact: true }
      : command.bucket !== undefined
        ? { name: command.bucket, exact: false }
        : undefined;
  const resolved = resolveBucket(deps.policy, turn.person, typed, (name) =>
    formatCommand({ kind: 'list', source: { ...source, bucket: name } }),
  );
  if (!resolved.ok) return resolved.reply;
  const bucket = resolved.value;
  const listing = await deps.browse.listObjects(askerOf(turn), bucket, selection, MAX_SHOWN, signal);
  if (listing.kind === 'not_found')
    return refusal(`S3 knows no bucket ${bucket}.`, 'Please tell your FileFerry team.');
  if (listing.kind !== 'listing') return refusal(listing.reason);
  const items = [
    ...listing.folders.map((name): ListItem => ({ name })),
    ...listing.objects.map(
      (object): ListItem => ({ name: object.key, detail: detailOf(object, listener.timeZone) }),
    ),
  ];
  if (listing.objects.length > 0)
    listener.note({ listing: { bucket, keys: listing.objects.map(({ key }) => key) } });
  if (items.length === 0) return { kind: 'answer', text: `There is nothing under s3://${bucket}/${asked}` };
  return {
    kind: 'list',
    title: `s3://${bucket}/${asked}`,
    items,
    ...(listing.more
      ? { more: `The first ${MAX_SHOWN} of more: name a longer prefix or a pattern to see others.` }
      : {}),
  };
}

export async function answerInfo(
  deps: PlannerDeps,
  turn: Turn,
  command: Extract<Command, { kind: 'info' }>,
  signal: AbortSignal,
  listener: Listener = NOBODY,
): Promise<Reply> {
  const looking = {
    deps,
    asker: askerOf(turn),
    signal,
    complete: (other: { sources: readonly Source[]; bucket?: string }) =>
      formatCommand({ kind: 'info', ...other }),
  };
  const chosen = await choose(looking, command);
  if (!chosen.ok) return chosen.reply;
  const { bucket } = chosen.value;
  if (chosen.value.kind === 'listing') {
    const { selection } = chosen.value;
    const source: Source = { ...selection, bucket };
    return answerList(deps, turn, { kind: 'list', source }, signal, listener);
  }
  const heads = await headAll(looking, chosen.value, { cached: true });
  if (!heads.ok) return heads.reply;
  const [only, ...more] = heads.value;
  if (only) {
    listener.note(
      more.length === 0
        ? { object: { bucket, key: only.key } }
        : { listing: { bucket, keys: heads.value.map(({ key }) => key) } },
    );
  }
  if (only && more.length === 0) {
    return {
      kind: 'list',
      title: `s3://${bucket}/${only.key}`,
      items: [
        { name: 'Size', detail: `${sizeInWords(only.size)} (${only.size} bytes)` },
        { name: 'Last changed', detail: instantInWords(only.lastModified, listener.timeZone) },
        {
          name: 'Storage class',
          detail: only.archived
            ? `${only.storageClass}, archived: restore it before sending`
            : only.storageClass,
        },
        { name: 'ETag', detail: only.etag },
        ...(only.versionId ? [{ name: 'Version', detail: only.versionId }] : []),
      ],
    };
  }
  return {
    kind: 'list',
    title: `Files in ${bucket}`,
    items: heads.value.map(
      (object): ListItem => ({ name: object.key, detail: detailOf(object, listener.timeZone) }),
    ),
  };
}
