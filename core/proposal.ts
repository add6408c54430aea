/** From a checked selection of objects to a stored proposal that waits for a decision. */
import { compileGlob } from './glob.ts';
import { transferIdFor } from './ids.ts';
import type { Learning } from './learning.ts';
import { checkKey, checkTargetPath } from './object-name.ts';
import type { Person } from './person.ts';
import { approvalLifetime, destinationOf, mayRequest, usableDestinations } from './policy.ts';
import { type Destination, LARGEST_OBJECT, type PolicyConfig } from './policy-config.ts';
import { shownText } from './shown-text.ts';
import type { ObjectStore } from './stores/object-store.ts';
import type { TransferStore } from './stores/transfer-store.ts';
import type { ThreadRef } from './thread-ref.ts';
import { hashPlan, type PlannedObject, type Step, type Transfer, type TransferPlan } from './transfer.ts';

export interface ProposalRequest {
  /** The claimed event's key: the transfer's id derives from it. */
  readonly turnKey: string;
  /** Which proposal of the turn, from 0. */
  readonly ordinal?: number;
  readonly person: Person;
  readonly thread: ThreadRef;
  readonly bucket: string;
  readonly selection: TransferPlan['selection'];
  /** What the selection found, in order. It is not read further than the first object that may not be sent. */
  readonly objects: AsyncIterable<Omit<PlannedObject, 'index'>> | Iterable<Omit<PlannedObject, 'index'>>;
  /** A registered destination's name. */
  readonly destination: string;
  readonly priority: TransferPlan['priority'];
}

export type ProposalOutcome =
  | { readonly outcome: 'proposed'; readonly transfer: Transfer }
  /** An earlier run of the same turn proposed it; the record is as it stands now. */
  | { readonly outcome: 'exists'; readonly transfer: Transfer }
  | { readonly outcome: 'refused'; readonly reason: string; readonly advice?: string };

export interface Proposals {
  propose(request: ProposalRequest): Promise<ProposalOutcome>;
}

type Refusal = Extract<ProposalOutcome, { outcome: 'refused' }>;

const refused = (reason: string, advice?: string): Refusal => ({
  outcome: 'refused',
  reason,
  ...(advice ? { advice } : {}),
});

/** The last line of defence before an FTP server: whoever built the path, it lies in the destination's folder. */
function pathFault(path: string, folder: string): string | undefined {
  const verdict = checkTargetPath(path);
  if (!verdict.ok) return verdict.reason;
  const base = folder.endsWith('/') ? folder : `${folder}/`;
  return path.startsWith(base) && !path.endsWith('/')
    ? undefined
    : `Files of this destination go below ${folder}.`;
}

/** What the card will say was asked for must be true of every object. */
function selector(selection: TransferPlan['selection']): (key: string) => boolean {
  switch (selection.kind) {
    case 'keys':
      return () => true;
    case 'prefix':
      return (key) => key.startsWith(selection.prefix);
    case 'glob': {
      const glob = compileGlob(selection.pattern);
      return glob.ok ? glob.matches : () => false;
    }
  }
}

/**
 * Why this object may not be part of the plan, as far as it alone can tell. Whoever chose the objects checked
 * them before; here it is certain.
 */
function objectFault(object: PlannedObject, folder: string): Refusal | undefined {
  const name = shownText(object.key);
  if (object.size > LARGEST_OBJECT) {
    return refused(`"${name}" is larger than 5 TB, the most that FileFerry moves as one file.`);
  }
  const key = checkKey(object.key);
  if (!key.ok) return refused(`"${name}" cannot be sent. ${key.reason}`);
  const path = pathFault(object.targetPath, folder);
  if (path) return refused(`"${name}" cannot be stored as "${shownText(object.targetPath)}". ${path}`);
  return undefined;
}

const untouched = (): Step => ({ attempts: 0 });
const noTicket = () => ({ notedThrough: 0, closed: false });

export function createProposals(deps: {
  transfers: TransferStore;
  objects: ObjectStore;
  learning: Pick<Learning, 'forecast'>;
  policy: PolicyConfig;
  /** Takes the lock under which thread and tickets are told, with the same write. */
  ahead?: (next: Transfer) => Transfer;
  now: () => number;
}): Proposals {
  const { transfers, policy, ahead = (next) => next, now } = deps;

  /** Reads the selection as far as it is allowed. Nothing is stored yet, so a refusal leaves nothing behind. */
  async function collect(
    request: ProposalRequest,
    destination: Destination,
  ): Promise<{ objects: PlannedObject[] } | Refusal> {
    const { bucket, person } = request;
    const objects: PlannedObject[] = [];
    const sources = new Map<string, string>();
    const isSelected = selector(request.selection);
    let totalBytes = 0;
    for await (const found of request.objects) {
      const object = { ...found, index: objects.length };
      if (!isSelected(object.key))
        return refused(`"${shownText(object.key)}" is not part of what you asked for.`);
      const fault = objectFault(object, destination.folder);
      if (fault) return fault;
      const other = sources.get(object.targetPath);
      if (other !== undefined) {
        return refused(
          `"${shownText(other)}" and "${shownText(object.key)}" would both become "${shownText(object.targetPath)}".`,
        );
      }
      sources.set(object.targetPath, object.key);
      objects.push(object);
      totalBytes += object.size;
      const soFar = { bucket, keys: [object.key], destination: request.destination, totalBytes };
      const verdict = mayRequest(policy, person, { ...soFar, objectCount: objects.length });
      if (!verdict.allowed) return refused(verdict.reason);
    }
    if (objects.length === 0) return refused('There is no file to send: nothing matched.');
    const verdict = mayRequest(policy, person, {
      bucket,
      keys: objects.map((object) => object.key),
      destination: request.destination,
      totalBytes,
      objectCount: objects.length,
    });
    return verdict.allowed ? { objects } : refused(verdict.reason);
  }

  function record(
    transferId: string,
    request: ProposalRequest,
    plan: TransferPlan,
    forecast: Transfer['forecast'],
  ): Transfer {
    const { person } = request;
    const at = now();
    const files = plan.objectCount === 1 ? '1 file' : `${plan.objectCount} files`;
    return {
      transferId,
      version: 1,
      status: 'pending_approval',
      requester: person,
      createdAt: at,
      thread: request.thread,
      plan,
      planHash: hashPlan(plan),
      ...(forecast ? { forecast } : {}),
      approvalExpiresAt: at + approvalLifetime(policy),
      tickets: { user: noTicket(), audit: noTicket() },
      steps: {
        validate: untouched(),
        tickets: untouched(),
        authorize: untouched(),
        stream: untouched(),
        'update tickets': untouched(),
        notify: untouched(),
      },
      attempt: 1,
      history: [
        {
          seq: 1,
          at,
          status: 'pending_approval',
          by: person.userId,
          text: `${shownText(person.name)} (${person.userId}) asked to send ${files}, ${plan.totalBytes} bytes, from ${plan.bucket} to ${plan.destination}.`,
        },
      ],
      messages: [],
      learned: false,
    };
  }

  return {
    async propose(request) {
      const { bucket, person, priority, selection } = request;
      const transferId = transferIdFor(request.turnKey, request.ordinal);
      const earlier = await transfers.get(transferId);
      if (earlier) return { outcome: 'exists', transfer: earlier };

      const destination = destinationOf(policy, request.destination);
      if (!destination) {
        const usable = usableDestinations(policy, person);
        return refused(
          `There is no destination "${shownText(request.destination)}".`,
          usable.length > 0 ? `You can send to ${usable.join(', ')}.` : undefined,
        );
      }
      const collected = await collect(request, destination);
      if ('outcome' in collected) return collected;

      const summary = await deps.objects.write(transferId, collected.objects);
      const plan: TransferPlan = {
        bucket,
        selection,
        destination: request.destination,
        existing: destination.existing,
        priority,
        ...summary,
      };
      const forecast = await deps.learning.forecast(request.destination, plan.totalBytes);
      const transfer = record(transferId, request, plan, forecast);
      if ((await transfers.create(ahead(transfer))) === 'created') return { outcome: 'proposed', transfer };
      const winner = await transfers.get(transferId);
      if (!winner) throw new Error(`${transferId} exists, yet it cannot be read`);
      return { outcome: 'exists', transfer: winner };
    },
  };
}
