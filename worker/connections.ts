/** Holds this process to the number of connections that each destination allows, over all its transfers. */
import PQueue from 'p-queue';

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
}

export function createConnections(): Connections {
  const queues = new Map<string, PQueue>();
  return {
    async use(destination, limit, { priority, signal }, task) {
      let queue = queues.get(destination);
      if (!queue) {
        queue = new PQueue({ concurrency: limit });
        queues.set(destination, queue);
      }
      return queue.add(task, { priority, signal });
    },
    isWanted: (destination) => (queues.get(destination)?.size ?? 0) > 0,
  };
}
