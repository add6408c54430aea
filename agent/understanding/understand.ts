/** Reads a sentence as a careful colleague would: an intent and its slots, from the words alone, without a model. */

import { answered } from './answer.ts';
import { isInjection } from './facts.ts';
import { lastObject } from './follow-up.ts';
import { type Wish, wishOf } from './intent.ts';
import * as cue from './lexicon.ts';
import { filled, isNamed, objectSlots, objectsOf } from './meant-objects.ts';
import type { Found } from './objects.ts';
import type { Context, ObjectSlots, Reading, Slots, World } from './reading.ts';
import { entitiesOf, type Sentence, takeApart } from './sentence.ts';
import { lookBack } from './transfers.ts';
import type { Word } from './words.ts';

/** What is asked for when not all of it is known. */
function complete(
  intent: 'request_transfer' | 'predict',
  sentence: Sentence,
  found: Found,
  others: Slots,
): Reading {
  const [destination] = entitiesOf(sentence, 'destination');
  const names = destination?.names ?? [];
  const stranger = entitiesOf(sentence, 'foreign').length > 0 || isStranger(sentence);
  const missing: string[] = [];
  const ambiguous: Record<string, readonly string[]> = {};
  const everything = found.everything && found.buckets.length > 0 && !isNamed(found);
  const bucketOnly =
    found.buckets.length > 0 && !isNamed(found) && !everything && entitiesOf(sentence, 'source').length > 0;
  let reason: string | undefined;
  if (!isNamed(found) && !everything && !bucketOnly && others.size === undefined) missing.push('source');
  if (found.unknownBucket !== undefined) {
    missing.push('bucket');
    reason = 'unknown_bucket';
  } else if (found.buckets.length > 1) ambiguous.bucket = found.buckets;
  else if (found.buckets.length === 0 && others.size === undefined && isNamed(found)) missing.push('bucket');
  if (names.length > 1) ambiguous.destination = names;
  else if (names.length === 0) {
    missing.push('destination');
    if (stranger) reason = 'unregistered_destination';
  }
  const { unknownBucket: _unknown, ...object } = found;
  const slots = filled({
    ...objectSlots({
      ...object,
      bucket: found.unknownBucket === undefined && found.buckets.length === 1 ? found.bucket : undefined,
    } as ObjectSlots),
    ...(everything && found.buckets.length === 1 ? { prefix: '' } : {}),
    destination: names.length === 1 ? names[0] : undefined,
    destinationPath: found.destinationPath,
    ...others,
  });
  if (missing.length === 0 && Object.keys(ambiguous).length === 0) return { intent, slots };
  const { injection, ...known } = slots;
  return {
    intent: 'clarify',
    slots: filled({
      for: intent,
      missing: missing.length > 0 ? missing : undefined,
      ambiguous: Object.keys(ambiguous).length > 0 ? ambiguous : undefined,
      reason,
      known: Object.keys(known).length > 0 ? known : undefined,
      injection,
    }),
  };
}

/** Somebody or something behind "to" that is no destination that anybody registered. */
function isStranger(sentence: Sentence): boolean {
  const said = [
    ...sentence.line.matchAll(
      /(?:^| )(?:to|onto|into) (?:the |our |my |a |an |their |his |her )?([^\s{]\S*)/g,
    ),
  ].map(([, word = '']) => word);
  return (
    entitiesOf(sentence, 'person').length > 0 ||
    said.some(
      (word) =>
        /[\p{L}\p{N}]/u.test(word) && !NOT_A_PLACE.has(word) && !/^(?:an? )?(?:s?ftp|servers?)$/.test(word),
    )
  );
}

const NOT_A_PLACE = new Set(
  `send transfer copy move upload push deliver ship forward put drop get see do have be go know make take let ask it them there here me us him
  someone somebody ftp sftp server destination target somewhere folder directory use request start predict share know where which what that
  pass give bring sync fetch export publish load find look check run resend who`.split(/\s+/),
);

function request(sentence: Sentence): Reading {
  const found = objectsOf(sentence, true);
  const priority = entitiesOf(sentence, 'priority')[0]?.priority;
  const schedule = entitiesOf(sentence, 'time').find(({ ahead }) => ahead);
  return complete(
    'request_transfer',
    sentence,
    found,
    filled({
      priority: priority === 'normal' ? undefined : priority,
      schedule: schedule && { text: schedule.text },
      injection: isInjection(sentence) ? true : undefined,
    }),
  );
}

const SIZE =
  /(?:^| )(\d+(?:[.,]\d+)? ?(?:[kmgt]i?b|bytes|kilobytes|megabytes|gigabytes|terabytes|gigs?|megs?))(?= |$)/i;

function predict(sentence: Sentence): Reading {
  const found = objectsOf(sentence, true);
  const { line } = sentence;
  const said = SIZE.exec(line)?.[1];
  const metric = cue.METRIC_SUCCESS.test(line)
    ? 'success_rate'
    : cue.METRIC_DURATION.test(line)
      ? 'duration'
      : undefined;
  const { query: _query, ...rest } = found;
  return complete(
    'predict',
    sentence,
    said !== undefined && !found.keys ? rest : found,
    filled({ metric, ...(said !== undefined && !found.keys ? { size: said } : {}) }),
  );
}

/** A name that is looked for among others is a description. */
function asQuery({ keys, ...slots }: Slots): Slots {
  const [only, ...more] = keys ?? [];
  // A path without an ending is a folder when somebody wants to look into it.
  if (only?.includes('/') && more.length === 0 && !/\.[a-z0-9]{1,8}$/i.test(only))
    return { ...slots, prefix: only };
  return { ...slots, ...(keys ? { query: keys.join(' ') } : {}) };
}

/** What is said about access describes no object. */
function withoutWords({ query, pick: _pick, ...slots }: Slots): Slots {
  const isTold =
    query !== undefined &&
    slots.bucket === undefined &&
    !cue.ACCESS.test(query.toLowerCase()) &&
    !/^(?:can|files?|you|i)\b/i.test(query);
  return isTold ? { ...slots, query } : slots;
}

/** An object that is asked about, or the question which one. */
function look(intent: 'list_objects' | 'object_info' | 'check_access', sentence: Sentence): Reading {
  const found = objectsOf(sentence, false);
  const destination = entitiesOf(sentence, 'destination')[0]?.names ?? [];
  const looked = objectSlots(found);
  const named = intent === 'list_objects' && looked.keys ? asQuery(looked) : looked;
  const slots = intent === 'check_access' ? withoutWords(named) : named;
  const withPlace =
    intent === 'check_access' && destination.length === 1
      ? { ...slots, destination: destination[0] as string }
      : slots;
  if (intent === 'object_info' && !isNamed(found)) {
    const pointed = lastObject(sentence.context);
    if (pointed && found.buckets.length === 0) return { intent, slots: { ...pointed } };
    if (found.buckets.length === 1) return { intent: 'list_objects', slots: withPlace };
  }
  if (found.buckets.length > 1) {
    const { bucket: _bucket, ...known } = withPlace;
    return {
      intent: 'clarify',
      slots: filled({
        for: intent,
        ambiguous: { bucket: found.buckets },
        known: Object.keys(known).length > 0 ? known : undefined,
      }),
    };
  }
  if (found.unknownBucket !== undefined && intent !== 'check_access') {
    const { bucket: _bucket, ...known } = withPlace;
    return {
      intent: 'clarify',
      slots: filled({
        for: intent,
        missing: ['bucket'],
        reason: 'unknown_bucket',
        known: Object.keys(known).length > 0 ? known : undefined,
      }),
    };
  }
  const there = sentence.context.lastListing?.bucket;
  if (intent === 'list_objects' && there !== undefined && found.buckets.length === 0)
    return { intent, slots: { ...withPlace, bucket: there } };
  const needs = intent === 'object_info' ? (isNamed(found) ? [] : ['source']) : [];
  if (
    found.buckets.length === 0 &&
    (intent !== 'check_access' || isNamed(found)) &&
    withPlace.destination === undefined
  ) {
    return {
      intent: 'clarify',
      slots: filled({
        for: intent,
        missing: [...needs, 'bucket'],
        known: Object.keys(withPlace).length > 0 ? withPlace : undefined,
      }),
    };
  }
  return { intent, slots: withPlace };
}

function listBuckets({ line, words }: Sentence): Reading {
  const quote = words.find(
    ({ entity }) => entity?.kind === 'quote' || entity?.kind === 'bucket' || entity?.kind === 'destination',
  );
  if (quote) return { intent: 'list_buckets', slots: { filter: quote.raw.replace(/ buckets?$/i, '') } };
  const filter =
    /(?:with|named|like|matching|containing|contain|contains|called|for|starting with|start with|beginning with|about|related to|has|have|including|include|mentioning|ending in|ending with|of) (?:the (?:word |name )?|in the name )?(?!for |with |in |about |called |named )([\p{L}\p{N}][\p{L}\p{N}._*-]*)(?: team| department| in (?:the |their |its )?names?)?/u.exec(
      line.slice(Math.max(0, line.search(/bucket/))),
    )?.[1] ?? /(?:^| )([\p{L}\p{N}][\p{L}\p{N}._-]*) buckets?(?= |$)/u.exec(line)?.[1];
  const idle =
    /^(?:s3|the|all|my|our|which|what|available|these|those|any|list|show|me|access|us|you|i|your|many|to|of|aws|other|every|some|do|can|is|are|read|use|bucket|buckets|accessible|a|see|different|have|ls|name|each|please|exist|get|more)$/;
  return { intent: 'list_buckets', slots: filter === undefined || idle.test(filter) ? {} : { filter } };
}

function outside(wish: Extract<Wish, { intent: 'out_of_scope' }>, sentence: Sentence): Reading {
  return {
    intent: 'out_of_scope',
    slots: filled({
      kind: wish.kind,
      topic: wish.topic,
      injection: isInjection(sentence) && wish.kind !== 'smalltalk' ? true : undefined,
    }),
  };
}

function slotsFor(wish: Wish, sentence: Sentence): Reading {
  switch (wish.intent) {
    case 'out_of_scope':
      return outside(wish, sentence);
    case 'request_transfer':
      return request(sentence);
    case 'predict':
      return predict(sentence);
    case 'list_objects':
    case 'object_info':
    case 'check_access':
      return look(wish.intent, sentence);
    case 'list_buckets':
      return listBuckets(sentence);
    case 'list_destinations':
    case 'help':
      return { intent: wish.intent, slots: {} };
    case 'status':
    case 'history':
    case 'cancel':
    case 'retry':
    case 'approve_attempt':
      return lookBack(wish.intent, sentence);
  }
}

const isBoundary = ({ norm }: Word) => /^(?:[,.!]|but|instead|rather|just)$/.test(norm);

/** "Don't send the summary, send raw.csv": what is wanted stands behind what is not. */
function meant(sentence: Sentence): Sentence {
  const { words, line } = sentence;
  const refused = cue.DO_NOT.exec(line);
  if (!refused) return sentence;
  const from = line.slice(0, refused.index).split(' ').length - 1;
  const boundary = words.findIndex((word, at) => at > from && isBoundary(word));
  if (boundary < 0) return sentence;
  const rest = words.slice(boundary + 1);
  const wanted = rest.map(({ norm }) => norm).join(' ');
  return cue.SEND_STRONG.test(wanted) && !cue.DO_NOT.test(wanted)
    ? { ...sentence, words: rest, line: wanted }
    : sentence;
}

/**
 * Reads one sentence; it never fails, and takes time linear in the text.
 *
 * @param context what was talked about last with the same person
 */
export function understand(text: string, world: World, context: Context = {}): Reading {
  const sentence = meant(takeApart(text, world, context));
  const wish = wishOf(sentence);
  return answered(sentence, wish) ?? slotsFor(wish, sentence);
}
