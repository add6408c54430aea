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
  /** Ends it now. Closing twice is no error. */
  closeSession(token: string): Promise<void>;
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

/**
 * @param options.now epoch milliseconds
 * @param options.lapsed told when a right was used that had lapsed
 */
export function createSessions(options: {
  store: SessionStore;
  now: () => number;
  lapsed?: () => void;
}): Sessions {
  const { store, now } = options;
  return {
    async openSession(holder) {
      const token = randomBytes(32).toString('base64url');
      const expiresAt = now() + LIFETIME.session * 1000;
      await store.put(hashOf(token), { ...holder, expiresAt });
      return { token, expiresAt };
    },

    async checkSession(token) {
      const session = await store.get(hashOf(token));
      // DynamoDB deletes late, so the clock decides.
      if (session && now() < session.expiresAt) return session;
      options.lapsed?.();
      throw new FerryError('not_allowed', {
        userMessage: 'The right to read from S3 has lapsed. Nothing was changed; please ask again.',
      });
    },

    closeSession: (token) => store.delete(hashOf(token)),
  };
}
