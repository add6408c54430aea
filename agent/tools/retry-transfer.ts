/** The tool `retry_transfer`. */
import { actingTool } from './act-on-transfer.ts';

export const retryTransfer = actingTool({
  name: 'retry_transfer',
  kind: 'retry',
  description: 'Tries a failed transfer again, in the name and with the rights of the person.',
  ask: (id) => `Should I try ${id} again?`,
});
