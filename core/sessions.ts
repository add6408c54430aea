/** Sessions: the 10-second right to obtain S3 credentials, for one user and one purpose. */
import { createHash, randomBytes } from 'node:crypto';
import { FerryError } from './errors.ts';
import { LIFETIME } from './stores/items.ts';
import type { SessionRecord, SessionStore } from './stores/session-store.ts';

interface OpenSession {
  /** 256 random bits; only its hash is stored. */
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface Sessions {
  openSession(holder: Omit<SessionRecord, 'expiresAt'>): Promise<OpenSession>;
  /**
   * The session as it is at this moment; to be asked at every use.
   *
   * @throws FerryError `not_allowed` when it lapsed, was closed or never existed; `unavailable`
   */
  checkSession(token: string): Promise<SessionRecord>;
  /**
   * Uses the session up: it is good for one thing, once.
   *
   * @throws FerryError as for `checkSession`, and when it was used before
   */
  useSession(token: string): Promise<SessionRecord>;
  /**
   * Removes sessions of this process that lapsed and could not be closed; those of a process that died are left to
   * DynamoDB, because the table is never scanned. Tells how many.
   */
  sweep(): Promise<number>;
  /** Ends it now, if it was opened here and not used yet. Closing twice is no error. */
  closeSession(token: string): Promise<void>;
}

const lapsed = () =>
  new FerryError('not_allowed', {
    userMessage: 'The right to read from S3 has lapsed. Nothing was changed; please ask again.',
  });

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

/**
 * @param options.now epoch milliseconds
 * @param options.onLapsed told when a right was used that had lapsed
 */
export function createSessions(options: {
  store: SessionStore;
  now: () => number;
  onLapsed?: () => void;
}): Sessions {
  const { store, now } = options;
  /** When those that nobody closed yet lapse, by hash. */
  const open = new Map<string, number>();
  return {
    async openSession(holder) {
      const token = randomBytes(32).toString('base64url');
      const expiresAt = now() + LIFETIME.session * 1000;
      await store.put(hashOf(token), { ...holder, expiresAt });
      open.set(hashOf(token), expiresAt);
      return { token, expiresAt };
    },

    async checkSession(token) {
      const session = await store.get(hashOf(token));
      // DynamoDB deletes late, so the clock decides.
      if (session && now() < session.expiresAt) return session;
      options.onLapsed?.();
      throw lapsed();
    },

    async useSession(token) {
      const session = await store.use(hashOf(token), now());
      if (session) {
        open.delete(hashOf(token));
        return session;
      }
      options.onLapsed?.();
      throw lapsed();
    },

    async sweep() {
      const over = [...open].filter(([, expiresAt]) => expiresAt <= now());
      for (const [hash] of over) {
        await store.delete(hash);
        open.delete(hash);
      }
      return over.length;
    },

    async closeSession(token) {
      if (!open.has(hashOf(token))) return;
      await store.delete(hashOf(token));
      open.delete(hashOf(token));
    },
  };
}
