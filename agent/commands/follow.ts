/** Answers what is asked about transfers that exist: status, history, cancel, retry. */
import { TRANSFER_ID } from '../../core/ids.ts';
import { bestMatches } from '../../core/name-match.ts';
import type { Transfer, TransferStatus } from '../../core/transfer.ts';
import { isEnded } from '../../core/transfer-state.ts';
import type { Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import type { Command } from './command.ts';
import { formatCommand } from './format.ts';
import { choice, question, refusal, said } from './replies.ts';
import { filesInWords } from './wording.ts';

/** Transfers that are looked through for a file's name. */
const MAX_SEARCHED = 50;
const MAX_SHOWN = 10;
const MAX_HISTORY = 25;
/** Ids that one sentence may act on. */
const MAX_IDS = 10;

const CANCELLABLE: readonly TransferStatus[] = ['pending_approval', 'approved', 'queued', 'running'];

const shown = (transfers: readonly Transfer[], title: string, empty: string): Reply => ({
  kind: 'transfers',
  title,
  transferIds: transfers.map(({ transferId }) => transferId),
  empty,
});

/** What a transfer is, on a button. */
function nameOf(transfer: Transfer): string {
  const { preview, objectCount, destination } = transfer.plan;
  const key = preview[0]?.key ?? '';
  const what = objectCount === 1 ? key.slice(key.lastIndexOf('/') + 1) : filesInWords(objectCount);
  return `${transfer.transferId}: ${what} to ${destination}`;
}

const NONE = 'You have not asked for a transfer in the last 90 days.';

/** Transfers of files with such a name. */
function withFile(transfers: readonly Transfer[], name: string): readonly Transfer[] {
  const wanted = name.toLowerCase();
  const keysOf = ({ plan }: Transfer) => plan.preview.map(({ key }) => key).join('\n');
  const exact = transfers.filter((transfer) => keysOf(transfer).toLowerCase().includes(wanted));
  return exact.length > 0 ? exact : bestMatches(name, transfers, keysOf, MAX_SHOWN);
}

async function byName(deps: PlannerDeps, turn: Turn, name: string): Promise<Reply> {
  const own = await deps.transfers.transfersOf(turn.person, MAX_SEARCHED);
  const like = withFile(own, name);
  return shown(
    like.slice(0, MAX_SHOWN),
    'Your transfers with such a file',
    `None of your latest transfers has a file like ${said(name)}.`,
  );
}

export async function answerStatus(
  deps: PlannerDeps,
  turn: Turn,
  command: Extract<Command, { kind: 'status' }>,
): Promise<Reply> {
  if (command.ids.length > 0) {
    const seen: Transfer[] = [];
    for (const id of command.ids.slice(0, MAX_IDS)) {
      const transfer = TRANSFER_ID.test(id) ? await deps.transfers.transferFor(turn.person, id) : undefined;
      if (transfer) seen.push(transfer);
    }
    // Not there and not yours are one answer, so that nobody can find out which ids exist.
    if (seen.length === 0) {
      return refusal(
        `There is no transfer ${command.ids.slice(0, MAX_IDS).join(', ')} that you may see.`,
        '"my transfers" shows yours.',
      );
    }
    return shown(seen, seen.length === 1 ? 'Your transfer' : 'Transfers', '');
  }
  if (command.name !== undefined) return byName(deps, turn, command.name);
  const own = await deps.transfers.transfersOf(turn.person, MAX_SEARCHED);
  const open = own.filter(({ status }) => !isEnded(status));
  return open.length > 0
    ? shown(open.slice(0, MAX_SHOWN), 'Your transfers under way', NONE)
    : shown(own.slice(0, 1), 'Your latest transfer', NONE);
}

export async function answerTransfers(deps: PlannerDeps, turn: Turn): Promise<Reply> {
  return shown(await deps.transfers.transfersOf(turn.person, MAX_SHOWN), 'Your transfers', NONE);
}

export async function answerHistory(
  deps: PlannerDeps,
  turn: Turn,
  command: Extract<Command, { kind: 'history' }>,
): Promise<Reply> {
  const { destination, statuses, period, limit } = command;
  const isFiltered = destination !== undefined || statuses !== undefined || period !== undefined;
  const own = await deps.transfers.transfersOf(turn.person, isFiltered ? MAX_SEARCHED : MAX_HISTORY);
  const fitting = own.filter(
    (transfer) =>
      (destination === undefined || transfer.plan.destination === destination) &&
      (statuses === undefined || statuses.includes(transfer.status)) &&
      (period === undefined || (transfer.createdAt >= period.from && transfer.createdAt < period.to)),
  );
  return shown(
    fitting.slice(0, Math.min(limit ?? MAX_HISTORY, MAX_HISTORY)),
    'Your history',
    isFiltered ? `None of your latest ${MAX_SEARCHED} transfers fits that.` : NONE,
  );
}

/** Cancels or retries what was named, and asks when nothing was. */
export async function act(
  deps: PlannerDeps,
  turn: Turn,
  command: Extract<Command, { kind: 'cancel' | 'retry' }>,
): Promise<Reply> {
  if (command.ids.length > 0) {
    const texts: string[] = [];
    for (const id of command.ids.slice(0, MAX_IDS)) {
      if (!TRANSFER_ID.test(id)) texts.push(`There is no transfer ${id}.`);
      else if (command.kind === 'cancel') texts.push((await deps.cancellation.cancel(turn.person, id)).text);
      else texts.push((await deps.retries.retry(turn.person, id)).text);
    }
    if (command.ids.length > MAX_IDS) texts.push(`I took the first ${MAX_IDS} only.`);
    return { kind: 'answer', text: texts.join('\n') };
  }
  const own = await deps.transfers.transfersOf(turn.person, MAX_SEARCHED);
  const able = own.filter(({ status }) =>
    command.kind === 'cancel' ? CANCELLABLE.includes(status) : status === 'failed',
  );
  const named = command.name === undefined ? [] : withFile(able, command.name);
  const fitting = named.length > 0 ? named : able;
  if (fitting.length === 0) {
    return {
      kind: 'answer',
      text:
        command.kind === 'cancel'
          ? 'None of your transfers can be cancelled now.'
          : 'None of your transfers has failed.',
    };
  }
  return question(
    command.kind === 'cancel' ? 'Which transfer should I cancel?' : 'Which transfer should I try again?',
    fitting.map((transfer) =>
      choice(nameOf(transfer), formatCommand({ kind: command.kind, ids: [transfer.transferId] })),
    ),
  );
}
