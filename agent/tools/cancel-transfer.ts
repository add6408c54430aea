/** The tool `cancel_transfer`. */
import { actingTool } from './act-on-transfer.ts';

export const cancelTransfer = actingTool({
  name: 'cancel_transfer',
  kind: 'cancel',
  description: 'Stops a transfer or withdraws a request, in the name and with the rights of the person.',
  ask: (id) => `Should I cancel ${id}?`,
});
