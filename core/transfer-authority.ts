/** Asked each time a session is opened for a transfer: whether this very run may still read in the requester's name. */
import { FerryError } from './errors.ts';
import { mayRequest, type RequestScope } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';
import { shownText } from './shown-text.ts';
import type { TransferStore } from './stores/transfer-store.ts';
import type { Tickets } from './tickets.ts';
import type { Transfer } from './transfer.ts';

/**
 * @returns the number of the ServiceNow ticket that the session is bound to
 * @throws FerryError `not_allowed` when the run is over or was replaced, the policy no longer lets the requester send
 * this, or a ticket is missing; `cancelled` when a person cancelled a ticket in ServiceNow; `unavailable` when that
 * cannot be found out
 */
export type AuthorizeTransfer = (transfer: Transfer) => Promise<string>;

const refuse = (userMessage: string) => new FerryError('not_allowed', { userMessage });

/** @param deps.policy as it is now, which may differ from what it was at the start of the process */
export function createTransferAuthority(deps: {
  transfers: Pick<TransferStore, 'get'>;
  tickets: Pick<Tickets, 'readTicketState'>;
  loadScope: (transfer: Transfer) => Promise<RequestScope>;
  policy: () => PolicyConfig;
}): AuthorizeTransfer {
  return async (transfer) => {
    const { transferId, attempt, lease, planHash } = transfer;
    const current = await deps.transfers.get(transferId);
    // A message that comes again, or a worker that lost its lease, is of another run.
    if (
      current?.status !== 'running' ||
      current.attempt !== attempt ||
      current.lease?.token !== lease?.token ||
      current.planHash !== planHash
    ) {
      throw refuse(`This run of ${transferId} is over. Nothing more is read for it.`);
    }
    const verdict = mayRequest(deps.policy(), current.requester, await deps.loadScope(current));
    if (!verdict.allowed) {
      throw refuse(
        `${shownText(current.requester.name)} may no longer request this, as far as the policy says now. The transfer was stopped.`,
      );
    }
    const state = await deps.tickets.readTicketState(current);
    switch (state.outcome) {
      case 'open':
        return current.tickets.user.number ?? '';
      case 'cancelled':
        throw new FerryError('cancelled', {
          userMessage: `Cancelled, as ticket ${state.number} was in ServiceNow.`,
        });
      case 'missing':
        throw refuse(`Nothing is read for ${transferId} without its ServiceNow tickets.`);
      case 'unknown':
        throw new FerryError('unavailable', { retryable: true, userMessage: state.reason });
    }
  };
}
