/** The tool `execute_transfer`: requests a transfer. It stores a proposal and ends the turn; people decide. */
import { z } from 'zod';
import { planSend } from '../commands/send.ts';
import { destinationName, filesFields, groundedRequest, oneSelection } from './selection.ts';
import { defineTool, fromReply } from './tool.ts';

export const executeTransfer = defineTool({
  name: 'execute_transfer',
  description:
    'Requests a transfer from S3 to a destination when the person asks for one. It only proposes: an approval card appears, and somebody else decides with its buttons. It ends the turn. Once per turn.',
  acts: true,
  input: z
    .strictObject({
      ...filesFields,
      destination: destinationName.optional().describe('Leave it out if the person did not say where to'),
      targetPath: z
        .string()
        .min(1)
        .max(1_000)
        .optional()
        .describe('Only if the person asked for another name or folder; a folder ends in /'),
      priority: z.enum(['normal', 'high']).default('normal'),
    })
    .superRefine(oneSelection),
  async run({ destination, targetPath, priority, ...files }, context) {
    const grounded = groundedRequest(context, files, {
      priority,
      ...(destination === undefined ? {} : { destination }),
      ...(targetPath === undefined ? {} : { as: { path: targetPath, folder: targetPath.endsWith('/') } }),
    });
    if ('outcome' in grounded) return grounded.outcome;
    return fromReply(
      await planSend(context.deps, context.turn, { kind: 'send', ...grounded.request }, context.signal),
    );
  },
});
