/** Another try of a failed transfer, under the approval it has, as long as nothing it rests on has changed. */
import type { Dispatch, DispatchOutcome } from './dispatch.ts';
import { endingOf } from './ending.ts';
import type { Person } from './person.ts';
import { approvalHolds, mayCancel, mayRequest, mayUse } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';
import { shownText } from './shown-text.ts';
import type { ObjectStore } from './stores/object-store.ts';
import type { Change, TransferStore } from './stores/transfer-store.ts';
import { hashPlan, STEP_NAMES, type Step, type StepName, type Transfer } from './transfer.ts';
import { loadScope } from './transfer-scope.ts';
import { move } from './transfer-state.ts';

/** Runs that one approval can carry; after so many failures something has to change. */
export const MAX_ATTEMPTS = 10;

/** `text` is the sentence for the person. */
export type RetryOutcome =
  /** On its way again. `delayed`: as soon as the queue can be reached. */
  | { readonly outcome: 'queued' | 'delayed'; readonly transfer: Transfer; readonly text: string }
  /** Only failed transfers can be tried again. */
  | { readonly outcome: 'not failed'; readonly transfer: Transfer; readonly text: string }
  /** The plan, the policy or the approval no longer carries it: it has to be asked for anew. */
  | { readonly outcome: 'ask again'; readonly transfer: Transfer; readonly text: string }
  | { readonly outcome: 'refused' | 'not found'; readonly text: string };

export interface Retries {
  retry(person: Person, transferId: string): Promise<RetryOutcome>;
}

/** Whether the objects that are not done yet are still what the plan pinned. @throws FerryError when S3 cannot tell */
export type Recheck = (transfer: Transfer) => Promise<'same' | 'changed'>;

/** The checklist begins anew; how often each step was begun stays. */
function freshSteps(steps: Transfer['steps']): Transfer['steps'] {
  const fresh = (name: StepName): Step => ({ attempts: steps[name].attempts });
  return Object.fromEntries(STEP_NAMES.map((name) => [name, fresh(name)])) as Transfer['steps'];
}

export function createRetries(deps: {
  transfers: TransferStore;
  objects: Pick<ObjectStore, 'read'>;
  dispatch: Pick<Dispatch, 'resend'>;
  recheck: Recheck;
  policy: PolicyConfig;
  now: () => number;
}): Retries {
  const { transfers, policy, now } = deps;

  /** Why the approval it has cannot carry another run; undefined when it can. */
  function obstacle(transfer: Transfer): string | undefined {
    if (transfer.attempt >= MAX_ATTEMPTS) return `it was tried ${transfer.attempt} times`;
    if (hashPlan(transfer.plan) !== transfer.planHash) return 'its plan is not the one that was approved';
    if (!approvalHolds(policy, transfer.decision, transfer.planHash, now()))
      return 'its approval has run out';
    return undefined;
  }

  function requeue(current: Transfer, person: Person): Change<'queued' | 'not failed' | { why: string }> {
    if (current.status !== 'failed') return { result: 'not failed' };
    const why = obstacle(current);
    if (why) return { result: { why } };
    const attempt = current.attempt + 1;
    const text = `${shownText(person.name)} (${person.userId}) asked for another try: attempt ${attempt}.`;
    return {
      next: {
        ...move(current, 'queued', { at: now(), by: person.userId, text }),
        attempt,
        steps: freshSteps(current.steps),
        failure: undefined,
        cancelRequested: undefined,
        waiting: undefined,
        verified: undefined,
        queuedAt: undefined,
        startedAt: undefined,
        endedAt: undefined,
      },
      result: 'queued',
    };
  }

  const askAgain = (transfer: Transfer, why: string): RetryOutcome => ({
    outcome: 'ask again',
    transfer,
    text: `${transfer.transferId} cannot be tried again: ${why}. Please ask for it anew.`,
  });
  const notFailed = (transfer: Transfer): RetryOutcome => ({
    outcome: 'not failed',
    transfer,
    text: `${endingOf(transfer) ?? `${transfer.transferId} is under way.`} Only a failed transfer can be tried again.`,
  });
  const onItsWay = ({ outcome, transfer }: DispatchOutcome): RetryOutcome =>
    outcome === 'delayed'
      ? {
          outcome,
          transfer,
          text: `${transfer.transferId} will be tried again as soon as the queue can be reached.`,
        }
      : {
          outcome: 'queued',
          transfer,
          text: `${transfer.transferId} is on the queue again, attempt ${transfer.attempt}. Files that arrived are not sent twice.`,
        };

  return {
    async retry(person, transferId) {
      const seen = await transfers.get(transferId);
      if (!seen) return { outcome: 'not found', text: `There is no transfer ${shownText(transferId, 40)}.` };
      const use = mayUse(policy, person);
      if (!use.allowed) return { outcome: 'refused', text: use.reason };
      const scope = await loadScope(deps.objects, seen);
      if (!mayCancel(policy, person, seen, scope).allowed) {
        return { outcome: 'refused', text: 'Only the requester or an approver may try this transfer again.' };
      }
      if (seen.status !== 'failed') return notFailed(seen);
      const why = obstacle(seen);
      if (why) return askAgain(seen, why);
      // The requester as the platform knows them today, where it is they who ask.
      const requester = person.userId === seen.requester.userId ? person : seen.requester;
      const allowed = mayRequest(policy, requester, scope);
      if (!allowed.allowed) return askAgain(seen, 'the policy no longer allows it');
      if ((await deps.recheck(seen)) === 'changed') return askAgain(seen, 'a file in S3 has changed since');

      const { transfer, result } = await transfers.change(transferId, (current) => requeue(current, person));
      if (result === 'not failed') return notFailed(transfer);
      if (result !== 'queued') return askAgain(transfer, result.why);
      return onItsWay(await deps.dispatch.resend(transferId));
    },
  };
}
