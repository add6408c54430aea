/** Holds this process to the number of connections that each destination allows, over all its transfers. */
import PQueue from 'p-queue';

/** After the server refused a connection, so long with one less, in milliseconds. */
const SHRUNK_MS = 300_000;

export interface Connections {
  /** Runs `task` once a connection is free for it; rejects with the signal's reason if that aborts before. */
  use<T>(
    destination: string,
    limit: number,
    options: { priority: number; signal: AbortSignal },
    task: () => Promise<T>,
  ): Promise<T>;
  /** Whether somebody waits for a connection, so that whoever has one for long should hand it on. */
  isWanted(destination: string): boolean;
  /** The server refused one more: fewer are opened for some minutes. */
  shrink(destination: string): void;
}

/** @param now epoch milliseconds */
export function createConnections(now: () => number = Date.now): Connections {
  const queues = new Map<string, PQueue>();
  const shrunkUntil = new Map<string, number>();
  return {
    async use(destination, limit, { priority, signal }, task) {
      let queue = queues.get(destination);
      if (!queue) {
        queue = new PQueue({ concurrency: limit });
        queues.set(destination, queue);
      }
      if (now() >= (shrunkUntil.get(destination) ?? 0)) queue.concurrency = limit;
      return queue.add(task, { priority, signal });
    },
    isWanted: (destination) => (queues.get(destination)?.size ?? 0) > 0,
    shrink(destination) {
      const queue = queues.get(destination);
      if (!queue) return;
      // Those that are open now, less the one that was refused.
      queue.concurrency = Math.max(1, Math.min(queue.concurrency, queue.pending) - 1);
      shrunkUntil.set(destination, now() + SHRUNK_MS);
    },
  };
}
