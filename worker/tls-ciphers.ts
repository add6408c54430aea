/** Which ciphers are offered, to S3 and to FTP servers. */
import { DEFAULT_CIPHERS } from 'node:tls';

const FIRST = 'TLS_AES_128_GCM_SHA256';

/**
 * Node's own list with AES-128 in front, as servers and other clients prefer it: as strong here, and a third less work
 * at both ends than AES-256, which Node asks for first. A list without it, set by the operator, stays as it is.
 */
export const CIPHERS = DEFAULT_CIPHERS.split(':').includes(FIRST)
  ? `${FIRST}:${DEFAULT_CIPHERS}`
  : DEFAULT_CIPHERS;
