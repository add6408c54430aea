/** Tells whether a name came before, in a few bytes each, so that a hundred thousand long paths need little memory. */
import { createHash } from 'node:crypto';

/** Of SHA-256: two of a hundred thousand different names agree in so many once in 10^19 requests. */
const HASH_BYTES = 12;

/** Answers true when the name is new. */
export function createSeenNames(): (name: string) => boolean {
  const seen = new Set<string>();
  return (name) => {
    const short = createHash('sha256').update(name).digest().toString('latin1', 0, HASH_BYTES);
    if (seen.has(short)) return false;
    seen.add(short);
    return true;
  };
}
