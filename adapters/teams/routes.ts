/** Where the Bot Connector of a tenant is now: learnt from what arrives, and shared with the other processes. */
import type { Logger } from 'pino';
import type { NoteStore } from '../../core/stores/note-store.ts';
import type { TeamsThreadRef } from '../../core/thread-ref.ts';
import { boundedCache } from '../bounded-cache.ts';

/** How long an address is trusted before the note is read again. */
const KEEP_MS = 60_000;
const MAX_TENANTS = 200;

export interface Routes {
  /** The bot's own id in Teams. */
  readonly botId: string;
  /** Remembers the address that an authenticated activity came with. */
  learn(tenantId: string, serviceUrl: string): Promise<void>;
  /** The latest address of the tenant, or the one for tenants that were never heard of. */
  serviceUrlOf(tenantId: string): Promise<string>;
  /** The reference with the latest address, and with the bot's id where it has none. */
  resolve(thread: TeamsThreadRef): Promise<TeamsThreadRef>;
}

/** @param options.fallback Microsoft's global address, for tenants from which nothing came yet */
export function createRoutes(options: {
  notes: NoteStore;
  appId: string;
  fallback: string;
  now: () => number;
  logger: Logger;
}): Routes {
  const { notes, fallback, logger } = options;
  const known = boundedCache<string>(MAX_TENANTS, options.now);
  const botId = `28:${options.appId}`;
  const noteOf = (tenantId: string) => `teams:service-url:${tenantId}`;

  /** The note, or undefined where there is none or the table is away: the stored address may serve still. */
  async function noted(tenantId: string): Promise<string | undefined> {
    const cached = known.get(tenantId);
    if (cached !== undefined) return cached || undefined;
    try {
      const found = await notes.get(noteOf(tenantId));
      known.set(tenantId, found ?? '', KEEP_MS);
      return found;
    } catch (err) {
      logger.warn({ err, tenantId }, 'could not read the latest service URL');
      return undefined;
    }
  }

  return {
    botId,
    async learn(tenantId, serviceUrl) {
      if (known.get(tenantId) === serviceUrl) return;
      known.set(tenantId, serviceUrl, KEEP_MS);
      try {
        if ((await notes.get(noteOf(tenantId))) !== serviceUrl) await notes.put(noteOf(tenantId), serviceUrl);
      } catch (err) {
        known.delete(tenantId);
        logger.warn({ err, tenantId }, 'could not note the latest service URL');
      }
    },
    serviceUrlOf: async (tenantId) => (await noted(tenantId)) ?? fallback,
    async resolve(thread) {
      const serviceUrl = (await noted(thread.tenantId)) ?? (thread.serviceUrl || fallback);
      return { ...thread, serviceUrl, botId: thread.botId || botId };
    },
  };
}
