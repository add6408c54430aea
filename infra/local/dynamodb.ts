/** DynamoDB for the local stack and for tests: dynalite, in memory, on a free port of 127.0.0.1. */
import dynalite from 'dynalite';
import { closeServer, type LocalServer, listenLocally } from './listen.ts';

/** Starts an empty DynamoDB. It knows no transactions, no TTL API and no `Item` on a failed condition. */
export async function startDynamoDb(): Promise<LocalServer> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const endpoint = await listenLocally(server);
  return { endpoint, stop: () => closeServer(server) };
}
