/** Which accounts are one person's on several platforms: those with the email that both platforms vouch for. */
import { createHash } from 'node:crypto';
import { type Person, trustedEmail } from './person.ts';
import type { NoteStore } from './stores/note-store.ts';

/** Platforms on which an account may be linked. */
const PLATFORMS = ['slack', 'teams'] as const;
const MAX_SEEN = 5_000;

export interface LinkedAccounts {
  /** Remembers the account of somebody who just did something. */
  see(person: Person): Promise<void>;
  /** The person's account and those that they were seen with elsewhere. */
  accountsOf(person: Person): Promise<string[]>;
}

const noteOf = (email: string, platform: string) =>
  `account:${platform}:${createHash('sha256').update(email).digest('hex')}`;

export function createLinkedAccounts(notes: NoteStore): LinkedAccounts {
  const seen = new Set<string>();
  return {
    async see(person) {
      const email = trustedEmail(person);
      if (!email) return;
      const fact = `${person.userId} ${email}`;
      if (seen.has(fact)) return;
      const platform = person.userId.split(':', 1)[0] ?? '';
      await notes.put(noteOf(email, platform), person.userId);
      seen.add(fact);
      if (seen.size > MAX_SEEN) seen.clear();
    },
    async accountsOf(person) {
      const email = trustedEmail(person);
      if (!email) return [person.userId];
      const others = PLATFORMS.filter((platform) => !person.userId.startsWith(`${platform}:`));
      const found = await Promise.all(others.map((platform) => notes.get(noteOf(email, platform))));
      return [person.userId, ...found.filter((userId) => userId !== undefined)];
    },
  };
}
