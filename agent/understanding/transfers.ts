/** Reads what is said about transfers that exist: which, whose, since when, and what about them. */
import { isInjection } from './facts.ts';
import * as cue from './lexicon.ts';
import { findObjects } from './objects.ts';
import type { Reading, Slots } from './reading.ts';
import { entitiesOf, type Sentence } from './sentence.ts';

type About = 'status' | 'history' | 'cancel' | 'retry' | 'approve_attempt';

function which(sentence: Sentence): Pick<Slots, 'transferId' | 'transferIds'> {
  const ids = [...new Set(entitiesOf(sentence, 'id').map(({ id }) => id))];
  const [only] = ids;
  if (ids.length > 1) return { transferIds: ids };
  if (only !== undefined) return { transferId: only };
  return {};
}

const POINTS =
  /(?:^| )(?:it|that|this|that one|this one|the transfer|my transfer|the last (?:one|transfer)|last transfer|my last (?:one|transfer)|the (?:latest|current|recent|same) (?:one|transfer)|the request|my request|again|the job)(?= |$)/;
const ALL = /(?:^| )(?:all|every|everything|any|each|them all|both)(?= |$)/;

/** The file that a transfer is recognised by. */
function fileOf(sentence: Sentence): string | undefined {
  const found = findObjects(sentence, false);
  const [key] = found.keys ?? [];
  if (key !== undefined) return found.keys?.length === 1 ? key : found.keys?.join(', ');
  const named = found.glob ?? found.prefix ?? found.query;
  if (named === undefined) return undefined;
  const query = named
    .replace(
      /\b(?:transfers?|requests?|uploads?|deliver(?:y|ies)|(?:the )?(?:reasons?|cause|error(?: message)?|failure|problem|issue)(?: (?:for|of|with|behind))?(?: the)?|one|jobs?|xfer|failed|pending|running|queued|stuck|went wrong|much longer)\b/gi,
      ' ',
    )
    .replace(/\s+/g, ' ')
    .trim();
  return query === '' || IDLE_QUERY.test(query) ? undefined : query;
}

const IDLE_QUERY =
  /^(?:my|the|last|failed|pending|current|running|latest|file|files|it|that|mine|ours|s|stuck|yet|now|going|left|again|because|typo|by mistake|mistake|wrong|wrong file|accident|sorry|please|mind|issue|problem|error|reason|anything|something|old|new|open|active|queued|recent|previous|other|same|hr|boss|approved|eta|longer|hours?|ages|failing|slow|try|shot|go|time|stop|queue|arrive|arrived|land|idea|status|update|progress|history|through|kill|slow|new)(?: (?:one|ones|file|files|wrong|it|mind|long|slow|ages|failed))?$/i;

function decision(sentence: Sentence): Reading {
  const { line, context } = sentence;
  const ids = which(sentence);
  const named = ids.transferId !== undefined || ids.transferIds !== undefined;
  const everything = !named && ALL.test(line) && !/(?:^| )(?:all good|at all)(?= |$)/.test(line);
  const last = !named && !everything ? context.lastTransfer?.id : undefined;
  return {
    intent: 'approve_attempt',
    slots: {
      ...ids,
      ...(last === undefined ? {} : { transferId: last }),
      ...(everything ? { scope: 'all_pending' as const } : {}),
      ...(cue.REJECT.test(line) && !/(?:^| )approv/.test(line) ? { decision: 'reject' as const } : {}),
      ...(isInjection(sentence) ? { injection: true as const } : {}),
    },
  };
}

function detailOf(line: string): Slots['detail'] {
  if (/(?:^| )who(?:'s| )/.test(line) && /approv|decid|sign|reject|waiting/.test(line)) return 'approver';
  // Why something still waits is no failure.
  const waits =
    /(?:^| )(?:pending|waiting|queued)(?= |$)/.test(line) && !/(?:^| )(?:fail|error)\S*/.test(line);
  if (
    (!waits && /(?:^| )why(?= |$)/.test(line)) ||
    /(?:^| )(?:what went wrong|reason|cause|error message|root cause)(?= |$)/.test(line) ||
    /what(?:'s| is| was) (?:the )?(?:wrong|error|problem|issue|reason|failure)/.test(line)
  )
    return 'failure_reason';
  if (cue.ETA.test(line) && !/when (?:was|did)/.test(line)) return 'eta';
  return undefined;
}

const STATUS_WORDS: readonly (readonly [RegExp, string])[] = [
  [/(?:^| )(?:failed|failing|failures?|fail|errored)(?= |$)/, 'failed'],
  [
    /(?:^| )(?:pending|waiting(?: for approval)?|awaiting(?: approval)?|unapproved|outstanding|open)(?= |$)/,
    'pending',
  ],
  [/(?:^| )(?:running|in progress|active|ongoing|under way|underway|in flight|current)(?= |$)/, 'running'],
  [/(?:^| )(?:queued|in the queue)(?= |$)/, 'queued'],
  [/(?:^| )(?:completed|successful|succeeded|finished|done|complete)(?= |$)/, 'completed'],
  [/(?:^| )(?:cancelled|canceled)(?= |$)/, 'cancelled'],
  [/(?:^| )(?:rejected|declined)(?= |$)/, 'rejected'],
];
const statusOf = (line: string) => STATUS_WORDS.find(([pattern]) => pattern.test(line))?.[1];

/** Whose transfers: their name as it was typed, `me`, or `everyone`. */
function whoOf(sentence: Sentence): string | undefined {
  const { line, words } = sentence;
  const [mentioned] = entitiesOf(sentence, 'person');
  if (mentioned) return mentioned.text;
  if (
    /(?:^| )(?:everyone|everybody|everyone's|everybody's|anyone|anybody|all users|other people(?:'s)?|people|other users(?:')?|others|colleagues|company)(?= |$)/.test(
      line,
    )
  )
    return 'everyone';
  const owner = words.find(
    ({ raw, norm }) =>
      /^[\p{L}][\p{L}-]+['’]s$/u.test(raw) &&
      !/^(?:what|that|who|where|how|when|it|there|let|here|today|yesterday|week|month|year|q[1-4]|everyone)'s$/.test(
        norm,
      ) &&
      !/day's$/.test(norm),
  );
  const raw = owner?.raw.replace(/['’]s$/, '');
  if (raw !== undefined && !/^team$/i.test(raw)) return raw.toLowerCase();
  const subject =
    /(?:did|has|have|by|from|user|files|what) (?:the )?([a-z]{2,20}) (?:sent|send|transfer|transferred|copy|move|upload|uploaded|push|deliver|ever|already|request|requested|been|copied|moved|ship|shipped)(?= |$)/.exec(
      line,
    )?.[1];
  if (
    subject &&
    !/^(?:i|we|you|they|it|been|have|has|had|was|were|ever|already|files?|all|that|he|she|not|get|got|stuff|things|reports?)$/.test(
      subject,
    )
  )
    return subject;
  const by = /(?:^| )by ([a-z]{2,20})(?= |$)/.exec(line)?.[1];
  if (by && !/^(?:me|us|the|a|my|date|time|now|myself|default|approval)$/.test(by)) return by;
  if (/(?:^| )(?:our|team's|team)(?= |$)/.test(line)) return 'team';
  if (
    /(?:^| )(?:i|my|me|mine|i've|myself)(?= |$)/.test(
      line.replace(/(?:show|tell|give|let|get|list|send) me/g, ' '),
    )
  )
    return 'me';
  return /(?:show|tell|give|list|get) me (?:all )?(?:my|mine)/.test(line) ? 'me' : undefined;
}

function history(sentence: Sentence): Reading {
  const { line } = sentence;
  const time = entitiesOf(sentence, 'time')[0];
  const destination = entitiesOf(sentence, 'destination')[0]?.names;
  const bucket = entitiesOf(sentence, 'bucket')[0]?.names;
  const limit =
    /(?:last|latest|recent|previous|past|top) (\d{1,3}|two|three|four|five|six|seven|eight|ten)(?= |$)/.exec(
      line,
    )?.[1] ?? /(?:^| )(\d{1,3}) (?:latest|last|most recent|recent|newest)(?= |$)/.exec(line)?.[1];
  const counted: Record<string, number> = {
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    ten: 10,
  };
  const status = statusOf(line);
  const who = whoOf(sentence);
  return {
    intent: 'history',
    slots: {
      ...(who === undefined ? {} : { who }),
      ...(time ? { period: { text: time.text } } : {}),
      ...(destination?.length === 1 ? { destination: destination[0] as string } : {}),
      ...(destination && destination.length > 1 ? { destination: destination[0] as string } : {}),
      ...(bucket?.length === 1 ? { bucket: bucket[0] as string } : {}),
      ...(status === undefined ? {} : { status }),
      ...(limit === undefined ? {} : { limit: counted[limit] ?? Number(limit) }),
    },
  };
}

/** Reads a sentence about transfers once it is known to be one. */
export function lookBack(intent: About, sentence: Sentence): Reading {
  if (intent === 'approve_attempt') return decision(sentence);
  if (intent === 'history') return history(sentence);
  const { line, context } = sentence;
  const ids = which(sentence);
  const named = ids.transferId !== undefined || ids.transferIds !== undefined;
  const detail = intent === 'status' ? detailOf(line) : undefined;
  const about = detail === undefined ? {} : { detail };
  if (named) return { intent, slots: { ...ids, ...about } };
  const all = intent !== 'status' && ALL.test(line) && !/(?:^| )(?:at all|after all)(?= |$)/.test(line);
  if (all) {
    const status = statusOf(line);
    return {
      intent,
      slots: {
        scope: status === 'pending' ? 'all_pending' : 'all',
        ...(status === undefined || status === 'pending' ? {} : { status }),
      },
    };
  }
  const query = fileOf(sentence);
  const { lastTransfer } = context;
  if (lastTransfer && (query === undefined || (POINTS.test(line) && !hasNoun(query))))
    return { intent, slots: { transferId: lastTransfer.id, ...about } };
  const destination = entitiesOf(sentence, 'destination')[0]?.names;
  const place = destination?.length === 1 ? { destination: destination[0] as string } : {};
  if (query !== undefined || place.destination !== undefined)
    return { intent, slots: { ...(query === undefined ? {} : { query }), ...place, ...about } };
  if (intent === 'status') return { intent, slots: about };
  return { intent: 'clarify', slots: { for: intent, missing: ['transferId'] } };
}

const hasNoun = (query: string) => cue.FILE_NOUN.test(query.toLowerCase()) || /\./.test(query);
