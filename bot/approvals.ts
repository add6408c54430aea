/** Deciding on a proposal: one conditional write, by somebody who may and who did not ask. */

import type { Person } from '../core/person.ts';
import type { RequestScope } from '../core/policy.ts';
import { mayDecide, mayUse } from '../core/policy.ts';
import type { PolicyConfig } from '../core/policy-config.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import { hashPlan, type Transfer } from '../core/transfer.ts';
import { move } from '../core/transfer-state.ts';

export type DecisionOutcome =
  | { readonly outcome: 'decided'; readonly transfer: Transfer }
  /** Somebody decided before, or it was withdrawn or expired. */
  | { readonly outcome: 'closed'; readonly transfer: Transfer }
  | { readonly outcome: 'refused'; readonly reason: string; readonly transfer: Transfer }
  /** The plan is not the one whose card was clicked. */
  | { readonly outcome: 'plan changed'; readonly transfer: Transfer }
  /** The click came too late; the record now says so. */
  | { readonly outcome: 'expired'; readonly transfer: Transfer }
  | { readonly outcome: 'unknown' };

export interface Approvals {
  /**
   * @param planHash hash of the plan that the clicked card showed
   */
  decide(
    person: Person,
    verdict: 'approved' | 'rejected',
    transferId: string,
    planHash: string,
  ): Promise<DecisionOutcome>;
}

type Answer = 'decided' | 'closed' | 'plan changed' | 'expired' | { reason: string };

export function createApprovals(deps: {
  store: TransferStore;
  policy: PolicyConfig;
  loadScope: (transfer: Transfer) => Promise<RequestScope>;
  /** What the directory of an account is called in a sentence about the requester; see `ChatClient.directory`. */
  directoryName: (userId: string) => string | undefined;
  /** Takes the lock under which thread and tickets are told, with the same write. */
  ahead?: (next: Transfer) => Transfer;
  now: () => number;
}): Approvals {
  const { store, policy, ahead = (next) => next, now } = deps;

  return {
    async decide(person, verdict, transferId, planHash) {
      const shown = await store.get(transferId);
      if (!shown) return { outcome: 'unknown' };
      const scope = await deps.loadScope(shown);

      const { transfer, result } = await store.change<Answer>(transferId, (current) => {
        const use = mayUse(policy, person);
        if (!use.allowed) return { result: { reason: use.reason } };
        if (current.status !== 'pending_approval') return { result: 'closed' };
        const may = mayDecide(policy, person, current, scope, deps.directoryName);
        if (!may.allowed) return { result: { reason: may.reason } };
        if (current.approvalExpiresAt <= now()) {
          return {
            next: {
              ...move(current, 'expired', { at: now(), by: 'bot', text: 'Nobody decided in time.' }),
              endedAt: now(),
            },
            result: 'expired',
          };
        }
        if (current.planHash !== planHash || hashPlan(current.plan) !== planHash)
          return { result: 'plan changed' };
        const ended = verdict === 'rejected' ? { endedAt: now() } : {};
        return {
          next: ahead({
            ...move(current, verdict, {
              at: now(),
              by: person.userId,
              text: `${verdict === 'approved' ? 'Approved' : 'Rejected'} by ${person.name} (${person.userId}), plan ${planHash}.`,
            }),
            decision: { outcome: verdict, by: person, at: now(), planHash },
            ...ended,
          }),
          result: 'decided',
        };
      });
      return typeof result === 'string'
        ? { outcome: result, transfer }
        : { outcome: 'refused', reason: result.reason, transfer };
    },
  };
}
