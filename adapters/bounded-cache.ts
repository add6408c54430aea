/** A map that forgets: entries expire, and the oldest goes when it is full. */

export interface BoundedCache<T> {
  get(key: string): T | undefined;
  set(key: string, value: T, ttlMs: number): void;
  delete(key: string): void;
}

/** @param now epoch milliseconds */
export function boundedCache<T>(maxEntries: number, now: () => number): BoundedCache<T> {
  const entries = new Map<string, { readonly value: T; readonly expiresAt: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry && entry.expiresAt > now()) return entry.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, ttlMs) {
      entries.delete(key);
      entries.set(key, { value, expiresAt: now() + ttlMs });
      if (entries.size > maxEntries) entries.delete(entries.keys().next().value ?? key);
    },
    delete(key) {
      entries.delete(key);
    },
  };
}
