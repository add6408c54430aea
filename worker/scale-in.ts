/** Keeps ECS from scaling this task in while it has transfers under way; elsewhere it does nothing. */
import type { Logger } from 'pino';

/** How long ECS honours a protection that nobody renews, in minutes: a task that hangs is not kept for ever. */
const PROTECTED_MINUTES = 60;
/** The agent answers from the same machine. */
const CALL_MS = 5_000;

export interface ScaleInProtection {
  /** Runs the work, protected from before its start until no other work is under way. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Gives the protection up at once, so that a task that is to stop does not hold up a deployment. */
  release(): Promise<void>;
}

/**
 * @param agentUri what ECS puts into `ECS_AGENT_URI`; undefined outside of ECS
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 */
export function createScaleInProtection(deps: {
  agentUri: string | undefined;
  log: Logger;
  /** Milliseconds between two renewals; half of the time that a protection lasts unless told. */
  renewMs?: number;
}): ScaleInProtection {
  const { agentUri, log, renewMs = (PROTECTED_MINUTES / 2) * 60_000 } = deps;
  if (agentUri === undefined) return { during: (work) => work(), release: async () => {} };

  let underWay = 0;
  let renewing: NodeJS.Timeout | undefined;
  /** Calls go out one after the other, or an older one might win. */
  let last: Promise<void> = Promise.resolve();

  async function put(isProtected: boolean): Promise<void> {
    try {
      const response = await fetch(`${agentUri}/task-protection/v1/state`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ProtectionEnabled: isProtected,
          ...(isProtected && { ExpiresInMinutes: PROTECTED_MINUTES }),
        }),
        signal: AbortSignal.timeout(CALL_MS),
      });
      if (!response.ok) throw new Error(`the ECS agent answered ${response.status}`);
      await response.body?.cancel();
    } catch (err) {
      // A transfer that is cut off is taken over by another worker: slower, but right.
      log.warn({ err, protected: isProtected }, 'scale-in protection could not be set');
    }
  }
  const set = (isProtected: boolean): Promise<void> => {
    last = last.then(() => put(isProtected));
    return last;
  };
  const release = () => {
    clearInterval(renewing);
    renewing = undefined;
    return set(false);
  };

  return {
    async during(work) {
      underWay += 1;
      if (underWay === 1) {
        renewing = setInterval(() => void set(true), renewMs).unref();
        void set(true);
      }
      await last;
      try {
        return await work();
      } finally {
        underWay -= 1;
        if (underWay === 0) await release();
      }
    },
    release,
  };
}
