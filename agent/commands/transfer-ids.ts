/** Finds transfer ids in a sentence. */
import type { Token } from './tokenize.ts';

/** Crockford's base32 has no I, L and O: read as the digits that they look like. Ids of ten characters only. */
function normalId(body: string): string {
  const upper = body.toUpperCase();
  return `TRF-${upper.length === 10 ? upper.replace(/[IL]/g, '1').replaceAll('O', '0') : upper}`;
}

/** Transfer ids among the tokens, in order, each once. Chat programs turn the dash into longer ones. */
export function idsIn(tokens: readonly Token[]): string[] {
  const ids = new Set<string>();
  for (const token of tokens) {
    if (token.text.length > 400) continue;
    for (const [, body = ''] of token.text.matchAll(
      /(?:^|[^a-z0-9])trf[-_‐‑–—#]([0-9a-z]{4,16})(?![0-9a-z])/gi,
    )) {
      ids.add(normalId(body));
    }
  }
  return [...ids];
}
