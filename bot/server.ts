/** The bot's HTTP server: the receivers' routes, and the health of what the bot stands on. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Route = (req: IncomingMessage, res: ServerResponse) => void;

export interface BotServer {
  /** The port that was bound. */
  readonly port: number;
  /** Takes no new connection; resolves when the open ones are answered. */
  close(): Promise<void>;
}

/** Serves each route by its exact path; anything else is 404. */
export async function startBotServer(options: {
  host: string;
  port: number;
  routes: Readonly<Record<string, Route>>;
}): Promise<BotServer> {
  const routes = new Map(Object.entries(options.routes));
  const server: Server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
    const route = routes.get(path);
    if (route) {
      route(req, res);
      return;
    }
    res.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(options.port, options.host, listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
