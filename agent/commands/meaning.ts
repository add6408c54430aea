/** From free English to a command: reads the sentence in the asker's own world, and says so where it asks too much. */
import type { Focus } from '../../core/focus.ts';
import { bucketsFor, destinationsFor, resolveName } from '../../core/names.ts';
import type { TransferStatus } from '../../core/transfer.ts';
import type { Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import { periodOf } from '../understanding/period.ts';
import type { ObjectSlots, Reading, Slots } from '../understanding/reading.ts';
import { understand } from '../understanding/understand.ts';
import type { Command, SendCommand, Source } from './command.ts';
import { formatCommand } from './format.ts';
import { contextOf, type Memory, questionOf, withDefaults } from './memory.ts';
import { choice, question, refusal } from './replies.ts';

/** What a sentence comes to: a command to work out, or a reply already; and what it leaves open. */
export type Meaning = (
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'reply'; readonly reply: Reply }
) & { readonly open?: Focus['question'] };

const command = (one: Command): Meaning => ({ kind: 'command', command: one });
const reply = (one: Reply): Meaning => ({ kind: 'reply', reply: one });

const isSettled = (source: Source) => source.kind !== 'words';

/** Whether the fixed grammar has read all of a sentence, so that nothing is gained by reading it as free English. */
export function isPlain(read: Command, deps: Pick<PlannerDeps, 'policy'>, turn: Turn): boolean {
  switch (read.kind) {
    case 'send':
    case 'predict': {
      if (read.kind === 'predict' && read.bytes !== undefined) return true;
      const { sources, bucket, destination } = read;
      const placed = sources.every((source) => source.bucket !== undefined) || bucket !== undefined;
      // What the grammar asks back about, it asks with the person's own words.
      const known = (typed: string, things: ReturnType<typeof bucketsFor>) => {
        const resolved = resolveName(typed, things);
        if (resolved.kind !== 'unknown' || things.length === 0) return true;
        return resolved.nearest.length > 0 && !/\s/.test(typed);
      };
      return (
        sources.length > 0 &&
        sources.every(isSettled) &&
        placed &&
        (bucket === undefined || known(bucket, bucketsFor(deps.policy, turn.person))) &&
        destination !== undefined &&
        known(destination, destinationsFor(deps.policy, turn.person))
      );
    }
    case 'info':
      return (
        read.sources.length > 0 &&
        read.sources.every((source) => isSettled(source) && source.bucket !== undefined)
      );
    case 'list':
      return read.source
        ? isSettled(read.source) && (read.source.bucket ?? read.bucket) !== undefined
        : read.bucket === undefined;
    case 'status':
      return read.name === undefined;
    case 'buckets':
      return read.filter === undefined;
    case 'cancel':
    case 'retry':
      return read.ids.length > 0;
    case 'unknown':
      return false;
    default:
      return true;
  }
}

const asFolder = (prefix: string) => (prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`);

function sourcesOf({ bucket, keys, prefix, glob, query, pick }: ObjectSlots): Source[] {
  const where = bucket === undefined ? {} : { bucket };
  if (keys) return keys.map((key) => ({ ...where, kind: 'key', key }));
  if (glob !== undefined) {
    const pattern = glob.includes('/') ? glob : `**/${glob}`;
    return [{ ...where, kind: 'glob', pattern: prefix === undefined ? pattern : asFolder(prefix) + pattern }];
  }
  if (query !== undefined || pick !== undefined) {
    return [{ ...where, kind: 'words', words: query ?? '', ...(pick === undefined ? {} : { pick }) }];
  }
  return prefix === undefined ? [] : [{ ...where, kind: 'prefix', prefix: asFolder(prefix) }];
}

function sendOf(slots: Slots): SendCommand {
  const { bucket, destination, destinationPath: path, priority } = slots;
  const named = sourcesOf(slots);
  const sources = named.length === 0 && bucket !== undefined && slots.prefix === undefined ? [] : named;
  return {
    kind: 'send',
    sources,
    ...(bucket === undefined ? {} : { bucket }),
    ...(destination === undefined ? {} : { destination }),
    ...(path === undefined
      ? {}
      : { as: { path, folder: path.endsWith('/') || !/\.[a-z0-9]{1,8}$/i.test(path) } }),
    priority: priority === 'high' ? 'high' : 'normal',
  };
}

/** What a transfer cannot do must not be left out in silence. */
function beyond(slots: Slots, send: SendCommand): Reply | undefined {
  if (slots.exclude) {
    return refusal(
      `I cannot leave files out of a transfer (${slots.exclude.join(', ')}); nothing was done.`,
      'Name the wanted files, or a pattern that only they match.',
    );
  }
  if (slots.period && !slots.query && !slots.pick) {
    return refusal(
      `I cannot choose files by their date ("${slots.period.text}"); nothing was done.`,
      'Name the files, or a folder or pattern with the date in it.',
    );
  }
  if (slots.schedule) {
    return question(
      `I cannot wait for a time ("${slots.schedule.text}"): a transfer starts once it is approved.`,
      [choice('Ask for approval now', formatCommand(send))],
    );
  }
  return undefined;
}

function requested(slots: Slots): Meaning {
  const send = sendOf(slots);
  const refused = beyond(slots, send);
  return refused ? reply(refused) : command(send);
}

function clarified(slots: Slots, deps: Pick<PlannerDeps, 'policy'>, turn: Turn): Meaning | undefined {
  const known = slots.known ?? {};
  if (slots.for === 'cancel' || slots.for === 'retry') return command({ kind: slots.for, ids: [] });
  // A bucket that they do not know of: what they may read is the whole answer.
  if (slots.for === 'check_access') return command({ kind: 'access' });
  if (slots.for === 'list_objects' || slots.for === 'object_info') {
    const sources = sourcesOf(known);
    const complete = (bucket: string) =>
      slots.for === 'list_objects' && sources.every(isSettled)
        ? formatCommand({
            kind: 'list',
            ...(sources[0] ? { source: { ...sources[0], bucket } } : { bucket }),
          })
        : formatCommand({ kind: 'info', sources: sources.map((source) => ({ ...source, bucket })) });
    const buckets = slots.ambiguous?.bucket ?? bucketsFor(deps.policy, turn.person).map(({ name }) => name);
    return reply(
      question(
        'Which bucket do you mean?',
        buckets.map((bucket) => choice(bucket, complete(bucket))),
      ),
    );
  }
  if (slots.for !== 'request_transfer' && slots.for !== 'predict') return undefined;
  const send = sendOf(known);
  const refused = beyond(known, send);
  if (refused) return reply(refused);
  const draft = slots.for === 'predict' ? ({ ...send, kind: 'predict' } as const) : send;
  const { bucket, destination } = slots.ambiguous ?? {};
  if (destination) {
    return reply(
      question(
        'Which destination do you mean?',
        destination.map((name) => choice(name, formatCommand({ ...draft, destination: name }))),
      ),
    );
  }
  if (slots.reason === 'unregistered_destination') {
    const names = destinationsFor(deps.policy, turn.person).map(({ name }) => name);
    return reply(
      question(
        'That is not a registered destination that you may use, and FileFerry sends to those only. These are yours:',
        names.map((name) => choice(name, formatCommand({ ...draft, destination: name }))),
      ),
    );
  }
  if (bucket) {
    const within = (name: string) => ({
      ...draft,
      bucket: name,
      sources: draft.sources.map((source) => ({ ...source, bucket: name })),
    });
    return reply(
      question(
        'Which bucket do you mean?',
        bucket.map((name) => choice(name, formatCommand(within(name)))),
      ),
    );
  }
  return command(draft);
}

const STATUSES: Readonly<Record<string, readonly TransferStatus[]>> = {
  failed: ['failed'],
  pending: ['pending_approval'],
  running: ['approved', 'queued', 'running'],
  queued: ['approved', 'queued'],
  completed: ['completed'],
  cancelled: ['cancelled'],
  rejected: ['rejected'],
};

function pastOf(slots: Slots, turn: Turn, zone: string | undefined): Meaning {
  const { who, destination, status, period: said, limit } = slots;
  if (who !== undefined && who !== 'me') {
    return reply(
      refusal("I show people their own transfers, and nobody else's.", '"my transfers" shows yours.'),
    );
  }
  const period = said && periodOf(said.text, turn.at, zone);
  if (said && !period)
    return reply(
      refusal(`I did not understand the time "${said.text}".`, 'Try "this week" or "since Monday".'),
    );
  const statuses = status === undefined ? undefined : STATUSES[status];
  return command({
    kind: 'history',
    ...(destination === undefined ? {} : { destination }),
    ...(statuses === undefined ? {} : { statuses }),
    ...(period ? { period } : {}),
    ...(limit === undefined ? {} : { limit }),
  });
}

const FORBIDDEN: Readonly<Record<string, readonly [string, string]>> = {
  credentials: [
    'I never show passwords, keys or tokens; I do not hold them either.',
    'Please ask the team that owns the server.',
  ],
  system_prompt: ['I do not show how I am set up.', 'Say "help" to see what I can do.'],
  deletion: [
    'I only read from buckets: I cannot delete or change anything there.',
    'Please ask the owner of the bucket.',
  ],
  permissions: ['Nobody can change rights, destinations or rules here.', 'Please ask your FileFerry team.'],
};

function outside({ kind, topic }: Slots, turn: Turn): Meaning {
  if (kind === 'smalltalk') return command({ kind: 'greeting' });
  const [reason, advice] = FORBIDDEN[topic ?? ''] ?? [];
  if (kind === 'policy_violation' && reason !== undefined) return reply(refusal(reason, advice));
  return command({ kind: 'unknown', text: turn.text });
}

const idsOf = ({ transferId, transferIds }: Slots) =>
  transferIds ?? (transferId === undefined ? [] : [transferId]);

function meaningOf(
  { intent, slots }: Reading,
  deps: Pick<PlannerDeps, 'policy'>,
  turn: Turn,
  zone: string | undefined,
): Meaning | undefined {
  const where = slots.bucket === undefined ? {} : { bucket: slots.bucket };
  switch (intent) {
    case 'request_transfer':
      return requested(slots);
    case 'predict':
      return slots.size === undefined ? command({ ...sendOf(slots), kind: 'predict' }) : undefined;
    case 'clarify':
      return clarified(slots, deps, turn);
    case 'list_buckets':
      return command({ kind: 'buckets', ...(slots.filter === undefined ? {} : { filter: slots.filter }) });
    case 'list_destinations':
      return command({ kind: 'destinations' });
    case 'list_objects': {
      const [source] = sourcesOf(slots);
      if (source?.kind === 'words') return command({ kind: 'info', sources: [source], ...where });
      return command({ kind: 'list', ...(source ? { source } : {}), ...where });
    }
    case 'object_info':
      return command({ kind: 'info', sources: sourcesOf(slots), ...where });
    case 'check_access':
      return command({
        kind: 'access',
        ...where,
        ...(slots.keys ? { keys: slots.keys } : {}),
        ...(slots.destination === undefined ? {} : { destination: slots.destination }),
      });
    case 'status':
      return command({
        kind: 'status',
        ids: idsOf(slots),
        ...(slots.query === undefined ? {} : { name: slots.query }),
      });
    case 'history':
      return pastOf(slots, turn, zone);
    case 'cancel':
    case 'retry':
      return command({
        kind: intent,
        ids: idsOf(slots),
        ...(slots.query === undefined ? {} : { name: slots.query }),
      });
    case 'approve_attempt':
      return command({ kind: 'decision', wanted: slots.decision ?? 'approve', ids: idsOf(slots) });
    case 'help':
      return command({ kind: 'help' });
    case 'out_of_scope':
      return outside(slots, turn);
  }
}

/** Reads the sentence as free English; undefined when it says nothing that FileFerry knows. */
export function readFreely(
  deps: Pick<PlannerDeps, 'policy'>,
  turn: Turn,
  memory: Memory,
): Meaning | undefined {
  const { policy } = deps;
  const { focus, preferences } = memory;
  const world = {
    now: turn.at,
    timezone: preferences.timeZone ?? 'UTC',
    buckets: bucketsFor(policy, turn.person),
    destinations: destinationsFor(policy, turn.person),
    transfers: focus.transferId === undefined ? [] : [focus.transferId],
    exactNames: true,
  };
  const reading = withDefaults(understand(turn.text, world, contextOf(memory)), preferences, world);
  const meaning = meaningOf(reading, deps, turn, preferences.timeZone);
  const open = questionOf(reading, turn.at);
  return meaning && open ? { ...meaning, open } : meaning;
}
