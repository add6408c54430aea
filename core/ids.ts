/** Identifiers: transfer ids, and the reference ids that tie a person's report to a log line. */
import { createHash, randomBytes } from 'node:crypto';

/** Crockford base32: no I, L, O, U, so that an id survives being read aloud. https://www.crockford.com/base32.html */
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `TRF-` and 10 Crockford base32 characters (50 bits). */
export const TRANSFER_ID = /^TRF-[0-9A-HJKMNP-TV-Z]{10}$/;

function base32(bytes: Uint8Array, length: number): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += CROCKFORD[(buffer >> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return text;
}

/**
 * The id of the transfer that a turn proposes. It derives from the turn, so a redelivered or recovered turn
 * proposes the same transfer again instead of a second one.
 *
 * @param turnKey the claimed event's key
 * @param ordinal which proposal of that turn, counted from 0
 */
export function transferIdFor(turnKey: string, ordinal = 0): string {
  const digest = createHash('sha256').update(`${turnKey}\n${ordinal}`).digest();
  return `TRF-${base32(digest, 10)}`;
}

/** A fresh reference id such as `REF-7K2M9QXD` for an unexpected error. */
export function newReference(): string {
  return `REF-${base32(randomBytes(5), 8)}`;
}
