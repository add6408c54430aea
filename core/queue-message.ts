/** What travels over SQS from the decision to the worker: only which transfer, never what to do with it. */
import { z } from 'zod';
import { TRANSFER_ID } from './ids.ts';

export const queueMessageSchema = z.strictObject({
  v: z.literal(1),
  transferId: z.string().regex(TRANSFER_ID),
  /** The attempt that was enqueued; a message of an earlier attempt is stale. */
  attempt: z.number().int().positive(),
  /** Epoch milliseconds. */
  enqueuedAt: z.number().int().nonnegative(),
});
export type QueueMessage = z.infer<typeof queueMessageSchema>;
