/** Stopping and retrying: done at once where this very message names the transfer, asked about otherwise. */
import { z } from 'zod';
import { TRANSFER_ID } from '../../core/ids.ts';
import { act } from '../commands/follow.ts';
import { formatCommand } from '../commands/format.ts';
import { choice, question } from '../commands/replies.ts';
import { defineTool, ends, refused, type Tool } from './tool.ts';

export function actingTool(tool: {
  name: string;
  kind: 'cancel' | 'retry';
  description: string;
  ask: (transferId: string) => string;
}): Tool {
  const { name, kind, description, ask } = tool;
  return defineTool({
    name,
    description: `${description} If the person's message does not hold the id itself, they are asked with a button first. Ends the turn.`,
    acts: true,
    input: z.strictObject({ transferId: z.string().regex(TRANSFER_ID) }),
    async run({ transferId }, { deps, turn, evidence }) {
      if (!(await deps.transfers.transferFor(turn.person, transferId))) {
        return refused(`There is no transfer ${transferId} that this person may see.`);
      }
      if (evidence.namesTransfer(transferId)) return ends(await act(deps, turn, { kind, ids: [transferId] }));
      const sentence = formatCommand({ kind, ids: [transferId] });
      return ends(question(ask(transferId), [choice(sentence, sentence)]));
    },
  });
}
