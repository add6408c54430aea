/** The tool `create_servicenow_tickets`: brings the two tickets of an existing proposal of the asker's into being. */
import { z } from 'zod';
import { TRANSFER_ID } from '../../core/ids.ts';
import { isSamePerson } from '../../core/policy.ts';
import { isEnded } from '../../core/transfer-state.ts';
import { data, defineTool, refused } from './tool.ts';
import { ticketsView } from './transfer-view.ts';

export const createServicenowTickets = defineTool({
  name: 'create_servicenow_tickets',
  description:
    "Makes sure that a proposal of the person's has its two ServiceNow tickets, for when they are missing. Proposals open them by themselves; it cannot open any others.",
  acts: true,
  input: z.strictObject({ transferId: z.string().regex(TRANSFER_ID) }),
  async run({ transferId }, { deps, turn }) {
    const transfer = await deps.transfers.transferFor(turn.person, transferId);
    if (!transfer || !isSamePerson(turn.person, transfer.requester)) {
      return refused(`There is no proposal ${transferId} of this person.`);
    }
    if (isEnded(transfer.status)) return refused(`${transferId} has ended; it gets no new tickets.`);
    await deps.settle?.(transferId);
    const settled = await deps.transfers.transferFor(turn.person, transferId);
    return data({ transferId, tickets: ticketsView(settled ?? transfer) });
  },
});
