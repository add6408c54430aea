/** What follows a transfer's end: tickets and thread are told, and the learning table. */
import type { Logger } from 'pino';

export interface FollowUpDeps {
  /** Brings tickets and cards in step with the record; never throws. */
  readonly settle: (transferId: string) => Promise<void>;
  /** Counts an ended transfer for later predictions, once. */
  readonly learn: (transferId: string) => Promise<unknown>;
}

/** Everything here can be done again, and the reconciler does so until it has worked; so nothing is thrown. */
export async function followUp(deps: FollowUpDeps, transferId: string, log: Logger): Promise<void> {
  await Promise.all([
    deps.settle(transferId),
    deps.learn(transferId).catch((error: unknown) => {
      log.warn({ transferId, err: error }, 'the outcome was not learned yet');
    }),
  ]);
}
