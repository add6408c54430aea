/** Keep-alive connections to the servers that ranges come from, used again from object to object. */
import { RangeConnection, type RangeOrder, RangeRefused, type RangeServer } from './range-connection.ts';

export interface RangePool {
  /**
   * Reads one range over a free connection or a new one. Once it has settled, nothing writes to `order.into` any
   * more.
   *
   * @throws RangeRefused, the signal's reason, or what the socket suffered
   */
  get(server: RangeServer, order: RangeOrder, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** @param stallMs longest silence while an answer is awaited */
export function createRangePool(stallMs: number): RangePool {
  const connections = new Map<string, Set<RangeConnection>>();

  function open(server: RangeServer): RangeConnection {
    const name = `${server.secure}/${server.host}:${server.port}`;
    const ours = connections.get(name) ?? new Set();
    connections.set(name, ours);
    for (const connection of ours) if (connection.free) return connection;
    const made: RangeConnection = new RangeConnection(server, stallMs, () => ours.delete(made));
    ours.add(made);
    return made;
  }

  return {
    async get(server, order, signal) {
      for (;;) {
        signal.throwIfAborted();
        const connection = open(server);
        const reused = connection.used;
        let arrived = false;
        const stop = () => connection.destroy();
        signal.addEventListener('abort', stop, { once: true });
        try {
          const onBytes = (filled: number) => {
            arrived = true;
            order.onBytes(filled);
          };
          await connection.get({ ...order, onBytes });
          return;
        } catch (error) {
          signal.throwIfAborted();
          // The server may have closed it while it was idle, and only now we hear of it.
          if (!reused || arrived || error instanceof RangeRefused) throw error;
        } finally {
          signal.removeEventListener('abort', stop);
        }
      }
    },
    close() {
      for (const ours of connections.values()) for (const connection of [...ours]) connection.destroy();
    },
  };
}
