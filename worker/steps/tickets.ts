/** The second step: both tickets exist, and nobody stopped the transfer in ServiceNow. */
import { unlessAborted } from '../../core/deadline.ts';
import type { TransferStore } from '../../core/stores/transfer-store.ts';
import type { Tickets } from '../../core/tickets.ts';
import { TICKET_KINDS } from '../../core/transfer.ts';

export type TicketsReady =
  | { readonly outcome: 'ready' }
  /** ServiceNow cannot be asked: the transfer waits, and is taken up again later. */
  | { readonly outcome: 'wait'; readonly reason: string }
  /** A person cancelled the ticket in ServiceNow, which stops the transfer. */
  | { readonly outcome: 'cancelled'; readonly number: string };

const WAIT = 'ServiceNow cannot be reached, and nothing is sent without its tickets.';

/**
 * Opens what is missing and asks how both stand.
 *
 * @param pauses milliseconds to wait before each further try
 */
export async function checkTickets(deps: {
  transferId: string;
  store: Pick<TransferStore, 'get'>;
  settle: (transferId: string) => Promise<void>;
  readTicketState: Tickets['readTicketState'];
  pauses: readonly number[];
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  signal: AbortSignal;
}): Promise<TicketsReady> {
  for (const ms of [0, ...deps.pauses]) {
    if (ms > 0) await deps.pause(ms, deps.signal);
    deps.signal.throwIfAborted();
    let transfer = await deps.store.get(deps.transferId);
    if (transfer && TICKET_KINDS.some((kind) => transfer?.tickets[kind].sysId === undefined)) {
      await unlessAborted(deps.settle(deps.transferId), deps.signal);
      transfer = await deps.store.get(deps.transferId);
    }
    if (!transfer || TICKET_KINDS.some((kind) => transfer?.tickets[kind].sysId === undefined)) continue;
    const state = await deps.readTicketState(transfer, deps.signal);
    if (state.outcome === 'open') return { outcome: 'ready' };
    if (state.outcome === 'cancelled') return { outcome: 'cancelled', number: state.number };
  }
  deps.signal.throwIfAborted();
  return { outcome: 'wait', reason: WAIT };
}
