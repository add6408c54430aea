/** Plans `send` and `predict`: everything is checked that can be before a proposal is stored. */

import { FerryError } from '../../core/errors.ts';
import type { Focus } from '../../core/focus.ts';
import { transferIdFor } from '../../core/ids.ts';
import { checkTargetPath, targetNamer } from '../../core/object-name.ts';
import { destinationOf, mayRequest } from '../../core/policy.ts';
import type { ObjectFacts } from '../../core/s3-object-facts.ts';
import { shownText } from '../../core/shown-text.ts';
import { sizeInWords } from '../../core/size-in-words.ts';
import type { PlannedObject } from '../../core/transfer.ts';
import type { Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import type { PredictCommand, SendCommand } from './command.ts';
import { formatCommand } from './format.ts';
import { resolveDestination } from './places.ts';
import { found, refusal, type Step } from './replies.ts';
import { askerOf, type Chosen, choose, headAll, startsOf } from './selection.ts';
import { durationInWords, filesInWords } from './wording.ts';

/** A sentence makes one proposal. */
const ORDINAL = 0;

/** Ends the walk over a listing from inside; the sentence is for the person. */
class CannotPlan extends Error {
  readonly advice: string | undefined;

  constructor(reason: string, advice?: string) {
    super(reason);
    this.name = 'CannotPlan';
    this.advice = advice;
  }
}

interface Route {
  readonly chosen: Chosen;
  readonly destination: string;
  readonly objects: Iterable<ObjectFacts> | AsyncIterable<ObjectFacts>;
}

/** Where from and where to, as far as it can be known without reading a listing. */
async function route(
  deps: PlannerDeps,
  turn: Turn,
  command: SendCommand | PredictCommand,
  signal: AbortSignal,
  note: (news: Focus) => void,
): Promise<Step<Route>> {
  const { person } = turn;
  const destination = resolveDestination(deps.policy, person, command.destination, (name) =>
    formatCommand({ ...command, destination: name }),
  );
  if (!destination.ok) return destination;
  const to = destination.value;
  const looking = {
    deps,
    asker: askerOf(turn),
    signal,
    complete: (other: Pick<SendCommand, 'sources' | 'bucket'>) =>
      formatCommand({ ...command, ...other, destination: to }),
    offered: (bucket: string, keys: readonly string[]) =>
      note({
        listing: { bucket, keys: [...keys] },
        question: {
          at: turn.at,
          for: command.kind === 'send' ? 'request_transfer' : 'predict',
          known: {
            destination: to,
            ...(command.as ? { destinationPath: command.as.path } : {}),
            ...(command.priority === 'high' ? { priority: 'high' } : {}),
          },
          missing: ['source'],
        },
      }),
  };
  const chosen = await choose(looking, command);
  if (!chosen.ok) return chosen;
  const { bucket } = chosen.value;
  const path = command.as ? checkTargetPath(command.as.path) : { ok: true as const };
  if (!path.ok) return { ok: false, reply: refusal(path.reason) };
  const keys = startsOf(chosen.value);
  const verdict = mayRequest(deps.policy, person, {
    bucket,
    keys,
    destination: to,
    totalBytes: 0,
    objectCount: keys.length,
  });
  if (!verdict.allowed) return { ok: false, reply: refusal(verdict.reason) };
  if (chosen.value.kind === 'keys') {
    const heads = await headAll(looking, chosen.value);
    return heads.ok ? found({ chosen: chosen.value, destination: to, objects: heads.value }) : heads;
  }
  const under = deps.browse.objectsUnder(looking.asker, bucket, chosen.value.selection, signal);
  if (under.kind !== 'objects') return { ok: false, reply: refusal(under.reason) };
  return found({ chosen: chosen.value, destination: to, objects: under.objects });
}

/** Gives each object its place on the server. Throws CannotPlan, so that half a listing can never become a plan. */
async function* placed(
  deps: PlannerDeps,
  { chosen, destination, objects }: Route,
  as: SendCommand['as'],
): AsyncGenerator<Omit<PlannedObject, 'index'>> {
  const folder = destinationOf(deps.policy, destination)?.folder ?? '/';
  const [listedUnder = ''] = startsOf(chosen);
  const namer = targetNamer({
    folder,
    ...(as ? { as } : {}),
    ...(chosen.kind === 'listing' ? { listedUnder } : {}),
    several: chosen.kind === 'listing' || chosen.keys.length > 1,
  });
  for await (const { key, size, etag, versionId, archived, storageClass } of objects) {
    if (archived) {
      throw new CannotPlan(
        `${shownText(key)} is archived (${storageClass}) and cannot be read now.`,
        'Have it restored in S3 first, then ask again.',
      );
    }
    const target = namer.next(key);
    if (!target.ok)
      throw new CannotPlan(
        target.reason,
        chosen.kind === 'listing'
          ? 'A narrower pattern can leave this file out.'
          : 'You can give another name with "as".',
      );
    yield { key, size, etag, ...(versionId ? { versionId } : {}), targetPath: target.targetPath };
  }
}

/** What the walk over the objects ended with, where it is an answer to the person. */
function endOfWalk(thrown: unknown): Reply {
  if (thrown instanceof CannotPlan) return refusal(thrown.message, thrown.advice);
  if (thrown instanceof FerryError && (thrown.code === 'not_found' || thrown.code === 'not_allowed')) {
    return refusal(thrown.userMessage);
  }
  throw thrown;
}

export async function planSend(
  deps: PlannerDeps,
  turn: Turn,
  command: SendCommand,
  signal: AbortSignal,
  note: (news: Focus) => void = () => {},
): Promise<Reply> {
  // A turn that runs again answers as it did, even if the file has gone since.
  const earlier = await deps.transfers.transferFor(turn.person, transferIdFor(turn.key, ORDINAL));
  if (earlier) return { kind: 'proposed', transferId: earlier.transferId };
  const step = await route(deps, turn, command, signal, note);
  if (!step.ok) return step.reply;
  const { chosen, destination } = step.value;
  const { proposalThread, noApproval } = turn;
  if (!proposalThread) {
    return refusal(
      noApproval?.reason ?? 'Nobody could approve this here.',
      noApproval?.advice ?? 'Please ask in a channel by mentioning me.',
    );
  }
  try {
    const proposal = await deps.proposals.propose({
      turnKey: turn.key,
      ordinal: ORDINAL,
      person: turn.person,
      thread: proposalThread,
      bucket: chosen.bucket,
      selection: chosen.kind === 'keys' ? { kind: 'keys' } : chosen.selection,
      objects: placed(deps, step.value, command.as),
      destination,
      priority: command.priority,
    });
    if (proposal.outcome === 'refused') return refusal(proposal.reason, proposal.advice);
    const [key, ...more] = chosen.kind === 'keys' ? chosen.keys : [];
    if (key !== undefined && more.length === 0) note({ object: { bucket: chosen.bucket, key } });
    return { kind: 'proposed', transferId: proposal.transfer.transferId };
  } catch (error) {
    return endOfWalk(error);
  }
}

/** How much the objects are together, as far as a transfer may have them. */
async function measure(
  deps: PlannerDeps,
  objects: Route['objects'],
): Promise<{ count: number; bytes: number }> {
  let count = 0;
  let bytes = 0;
  for await (const object of objects) {
    count++;
    bytes += object.size;
    if (count > deps.policy.limits.maxObjects) {
      throw new CannotPlan(
        `That is more than ${deps.policy.limits.maxObjects} files, the most that one transfer may have.`,
      );
    }
  }
  return { count, bytes };
}

async function foretell(deps: PlannerDeps, destination: string, bytes: number, what: string): Promise<Reply> {
  const forecast = await deps.learning.forecast(destination, bytes);
  if (!forecast) {
    return {
      kind: 'answer',
      text: `${what} to ${destination}: nothing of that size has been sent yet, so I cannot say how long it takes.`,
    };
  }
  const { seconds, lowSeconds, highSeconds, successRate, samples } = forecast;
  return {
    kind: 'answer',
    text: `${what} to ${destination}: about ${durationInWords(seconds)}, most likely between ${durationInWords(lowSeconds)} and ${durationInWords(highSeconds)}. ${Math.round(successRate * 100)} % of such transfers succeed (${samples} so far).`,
  };
}

export async function planPredict(
  deps: PlannerDeps,
  turn: Turn,
  command: PredictCommand,
  signal: AbortSignal,
  note: (news: Focus) => void = () => {},
): Promise<Reply> {
  if (command.bytes !== undefined) {
    const destination = resolveDestination(deps.policy, turn.person, command.destination, (name) =>
      formatCommand({ ...command, destination: name }),
    );
    if (!destination.ok) return destination.reply;
    return foretell(deps, destination.value, command.bytes, sizeInWords(command.bytes));
  }
  const step = await route(deps, turn, command, signal, note);
  if (!step.ok) return step.reply;
  try {
    const { count, bytes } = await measure(deps, step.value.objects);
    if (count === 0) return refusal('There is no file to send: nothing matched.');
    return await foretell(
      deps,
      step.value.destination,
      bytes,
      `${filesInWords(count)} (${sizeInWords(bytes)})`,
    );
  } catch (error) {
    return endOfWalk(error);
  }
}
