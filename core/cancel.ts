/** Stopping a transfer at any point of its life: before the decision it is withdrawn, after it cancelled. */
import { endingOf } from './ending.ts';
import { asOf } from './expiry.ts';
import type { Person } from './person.ts';
import { isSamePerson, mayCancel, mayUse } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';
import { shownText } from './shown-text.ts';
import type { ObjectStore } from './stores/object-store.ts';
import type { Change, TransferStore } from './stores/transfer-store.ts';
import type { Transfer } from './transfer.ts';
import { loadScope } from './transfer-scope.ts';
import { isLeased, move, note } from './transfer-state.ts';

/** `text` is the sentence for the person. A refusal carries no record: who may not cancel may not see it either. */
export type CancelOutcome =
  | {
      /**
       * `withdrawn`: nobody had decided. `cancelled`: no worker had it. `requested`: a worker has it and stops
       * within seconds.
       */
      readonly outcome: 'withdrawn' | 'cancelled' | 'requested';
      readonly transfer: Transfer;
      readonly text: string;
    }
  /** It had ended before, or just now by expiring. */
  | { readonly outcome: 'ended'; readonly transfer: Transfer; readonly text: string }
  | { readonly outcome: 'refused' | 'not found'; readonly text: string };

export interface Cancellation {
  cancel(person: Person, transferId: string): Promise<CancelOutcome>;
}

type Step = 'withdrawn' | 'cancelled' | 'requested' | 'ended' | 'not decided' | 'again';

/** One step towards the end, from the record as it stands. */
function stop(current: Transfer, person: Person, now: number): Change<Step> {
  const today = asOf(current, now);
  if (today !== current) return { next: today, result: 'ended' };
  const who = `${shownText(person.name)} (${person.userId})`;
  const entry = (text: string) => ({ at: now, by: person.userId, text });
  const asked = { ...current, cancelRequested: current.cancelRequested ?? { by: person, at: now } };

  switch (current.status) {
    case 'pending_approval':
      if (!isSamePerson(person, current.requester)) return { result: 'not decided' };
      return {
        next: {
          ...move(current, 'rejected', entry(`${who} withdrew the request before anybody decided.`)),
          decision: { outcome: 'withdrawn', by: person, at: now, planHash: current.planHash },
          endedAt: now,
        },
        result: 'withdrawn',
      };
    case 'approved':
      // The diagram knows no way from approved to cancelled: it passes through queued, marked so that whoever
      // finds it there stops it.
      return { next: move(asked, 'queued', entry(`${who} asked to cancel.`)), result: 'again' };
    case 'queued':
      if (!isLeased(current, now)) {
        const text = `Cancelled by ${shownText(asked.cancelRequested.by.name)} before a worker began.`;
        return {
          next: { ...move(asked, 'cancelled', entry(text)), waiting: undefined, endedAt: now },
          result: 'cancelled',
        };
      }
      return current.cancelRequested
        ? { result: 'requested' }
        : { next: note(asked, entry(`${who} asked to cancel.`)), result: 'requested' };
    case 'running':
      return current.cancelRequested
        ? { result: 'requested' }
        : { next: note(asked, entry(`${who} asked to cancel.`)), result: 'requested' };
    case 'rejected':
    case 'expired':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return { result: 'ended' };
  }
}

export function createCancellation(deps: {
  transfers: TransferStore;
  objects: Pick<ObjectStore, 'read'>;
  policy: PolicyConfig;
  now: () => number;
}): Cancellation {
  const { transfers, policy, now } = deps;

  async function verdictOn(person: Person, transfer: Transfer) {
    const use = mayUse(policy, person);
    if (!use.allowed || isSamePerson(person, transfer.requester)) return use;
    return mayCancel(policy, person, transfer, await loadScope(deps.objects, transfer));
  }

  return {
    async cancel(person, transferId) {
      const seen = await transfers.get(transferId);
      if (!seen) return { outcome: 'not found', text: `There is no transfer ${shownText(transferId, 40)}.` };
      const verdict = await verdictOn(person, seen);
      if (!verdict.allowed) return { outcome: 'refused', text: verdict.reason };

      let step: Step = 'again';
      let transfer = seen;
      while (step === 'again') {
        const changed = await transfers.change(transferId, (current) => stop(current, person, now()));
        step = changed.result;
        transfer = changed.transfer;
      }
      switch (step) {
        case 'not decided':
          return {
            outcome: 'refused',
            text: `${transferId} still waits for a decision. As an approver, press Reject on its card instead.`,
          };
        case 'withdrawn':
          return { outcome: step, transfer, text: `${transferId} is withdrawn. Nothing was sent.` };
        case 'cancelled':
          return { outcome: step, transfer, text: `${transferId} is cancelled. No worker had begun.` };
        case 'requested':
          return {
            outcome: step,
            transfer,
            text: `${transferId} is being stopped. Files that already arrived whole stay on the server.`,
          };
        case 'ended':
          return { outcome: step, transfer, text: endingOf(transfer) ?? `${transferId} has ended.` };
      }
    },
  };
}
