/**
 * What a turn may act upon: a file, a folder or a destination counts only when the person named it, or when
 * a listing of this turn showed it. A model that was talked into something cannot make names up.
 */
import { focusIn } from '../../core/focus.ts';
import type { UserContext } from '../../core/stores/user-context-store.ts';
import type { Transfer } from '../../core/transfer.ts';
import type { Turn } from '../planner.ts';

/** Words that name a kind of place rather than a place. */
const GENERIC = new Set(['ftp', 'sftp', 'ftps', 'server', 'the', 'and', 'for']);

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

export interface Evidence {
  /** Remembers what a listing showed. */
  saw(bucket: string, names: readonly string[]): void;
  /** Remembers the files of a transfer that the person may see. */
  sawTransfer(transfer: Transfer): void;
  /** A key, prefix or pattern, exactly as the person typed it or a listing showed it. */
  knows(bucket: string, name: string): boolean;
  /** Whether the person spoke of this destination, by name, by an alias, or by a preference they set. */
  meansDestination(name: string, aliases: readonly string[]): boolean;
  /** Whether this very message names the transfer. */
  namesTransfer(transferId: string): boolean;
}

export function createEvidence(
  { text, thread }: Pick<Turn, 'text' | 'thread'>,
  memory: UserContext,
): Evidence {
  const said = [text, ...memory.exchanges.map((exchange) => exchange.text)];
  const spoken = new Set(said.flatMap(wordsOf));
  const seen = new Set<string>();
  const saw = (bucket: string, names: readonly string[]) => {
    for (const name of names) seen.add(`${bucket}#${name}`);
  };
  const { listing, object } = focusIn(memory.foci, thread);
  if (listing) saw(listing.bucket, listing.keys);
  if (object) saw(object.bucket, [object.key]);
  /** As typed, and not as a part of a longer name. */
  const typed = (name: string) =>
    said.some((one) => {
      for (let at = one.indexOf(name); at >= 0; at = one.indexOf(name, at + 1)) {
        const before = one[at - 1] ?? ' ';
        const after = one.slice(at + name.length).match(/^[.,;:!?)]*(?=\s|$)|^["'`”’>)]/);
        if (/[\s"'`“‘/:<(]/.test(before) && after) return true;
      }
      return false;
    });
  return {
    saw,
    sawTransfer: ({ plan }) =>
      saw(
        plan.bucket,
        plan.preview.map(({ key }) => key),
      ),
    knows: (bucket, name) => name !== '' && (seen.has(`${bucket}#${name}`) || typed(name)),
    meansDestination: (name, aliases) =>
      memory.preferences.destination === name ||
      [name, ...aliases].some((spelling) =>
        wordsOf(spelling).some((word) => word.length > 2 && !GENERIC.has(word) && spoken.has(word)),
      ),
    namesTransfer: (transferId) =>
      wordsOf(text.replaceAll('-', '')).includes(transferId.replaceAll('-', '').toLowerCase()),
  };
}
