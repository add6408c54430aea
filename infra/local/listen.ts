/** How the servers of the local stack listen: a free port of 127.0.0.1, and a stop that waits for nobody. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LocalServer {
  /** Such as `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Listens on a free port and gives back `http://127.0.0.1:PORT`. */
export async function listenLocally(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Closes the server and cuts what is still connected. Closing twice is no error. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
