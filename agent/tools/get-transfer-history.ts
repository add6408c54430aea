/** The tool `get_transfer_history`: the asker's own transfers; it takes no other person. */
import { z } from 'zod';
import { data, defineTool, ends } from './tool.ts';
import { transferView } from './transfer-view.ts';

export const getTransferHistory = defineTool({
  name: 'get_transfer_history',
  description:
    "The person's own transfers of the last 90 days, newest first; nobody else's. With `show`, ends the turn by showing them as cards, which is right when the person wants to see them.",
  input: z.strictObject({ limit: z.int().min(1).max(25).default(10), show: z.boolean().default(false) }),
  async run({ limit, show }, { deps, turn, evidence }) {
    const own = await deps.transfers.transfersOf(turn.person, limit);
    for (const transfer of own) evidence.sawTransfer(transfer);
    if (!show) return data({ transfers: own.map(transferView) });
    return ends({
      kind: 'transfers',
      title: 'Your transfers',
      transferIds: own.map(({ transferId }) => transferId),
      empty: 'You have not asked for a transfer in the last 90 days.',
    });
  },
});
