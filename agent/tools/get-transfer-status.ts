/** The tool `get_transfer_status`: how one transfer stands, if the asker may see it. */
import { z } from 'zod';
import { TRANSFER_ID } from '../../core/ids.ts';
import { data, defineTool, ends, refused } from './tool.ts';
import { transferView } from './transfer-view.ts';

export const getTransferStatus = defineTool({
  name: 'get_transfer_status',
  description:
    'How one transfer stands, by its id. With `show`, ends the turn by showing its live card, which is right when the person asks where it is.',
  input: z.strictObject({ transferId: z.string().regex(TRANSFER_ID), show: z.boolean().default(false) }),
  async run({ transferId, show }, { deps, turn, evidence }) {
    const transfer = await deps.transfers.transferFor(turn.person, transferId);
    // Not there and not theirs are one answer, so that nobody can find out which ids exist.
    if (!transfer) return refused(`There is no transfer ${transferId} that this person may see.`);
    evidence.sawTransfer(transfer);
    return show
      ? ends({ kind: 'transfers', title: 'Your transfer', transferIds: [transferId], empty: '' })
      : data(transferView(transfer));
  },
});
