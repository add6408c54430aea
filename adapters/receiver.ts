/** Listening to a chat platform: turns signed payloads into neutral events. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChatEvent } from './chat-event.ts';

/**
 * Takes over an event: resolves once it is claimed durably (`accepted`) or was claimed before (`duplicate`); the
 * platform is acknowledged then, and the work goes on by itself. Rejects when the event could not be claimed; the
 * platform is not acknowledged, so that it delivers again.
 */
export type EventHandler = (event: ChatEvent) => Promise<'accepted' | 'duplicate'>;

export interface Receiver {
  /** Connects or begins to answer requests. */
  start(handler: EventHandler): Promise<void>;
  /** Stops taking events; resolves once no handler call is under way, or after its own deadline. */
  stop(): Promise<void>;
  /** Whether events can arrive now; for `/readyz`. */
  ready(): boolean;
  /** The HTTP paths that this receiver answers on the bot's server; none for a socket connection. */
  readonly routes: Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => void>>;
}
