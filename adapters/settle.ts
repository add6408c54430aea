/** Brings tickets, cards and audit in step with a transfer's record: whoever changed it calls, one at a time does it. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { cardsBehind, ticketsBehind } from '../core/due-work.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { PostedMessage, Transfer } from '../core/transfer.ts';

/** Rounds in a row before the rest is left to the reconciler. */
const MAX_ROUNDS = 5;

/** Opens, notes and closes the two tickets; answers with what is true now, also after an outage. */
export type SyncTickets = (transfer: Transfer) => Promise<Pick<Transfer, 'tickets' | 'ticketsDelayed'>>;

/**
 * Posts and edits the cards; answers with the messages that exist now and the thread that replies belong to (a
 * card posted to a channel begins a thread). `unsure`: something failed on the way, so that a message may exist
 * that is not among `messages`.
 *
 * @param mayHaveBeenPosted whether an earlier round may have posted without our knowing
 */
export type SyncCards = (
  transfer: Transfer,
  mayHaveBeenPosted: boolean,
) => Promise<{ messages: PostedMessage[]; thread: Transfer['thread']; unsure: boolean }>;

export interface Settler {
  /** Never throws: what could not be done now is found by the reconciler, because the record stays due. */
  settle(transferId: string): Promise<void>;
  /** Resolves once no call is under way. */
  idle(): Promise<void>;
}

/** What the cards say about tickets: while an outage lasts that they are delayed, and after it their numbers. */
const saidOfTickets = ({ tickets, ticketsDelayed }: Pick<Transfer, 'tickets' | 'ticketsDelayed'>) =>
  [tickets.user.number, tickets.audit.number, ticketsDelayed !== undefined].join(' ');

/** Messages that show something else than the record are behind, although its history has not gone on. */
const outdated = (messages: readonly PostedMessage[]): PostedMessage[] =>
  messages.map((message) => ({ ...message, shownThrough: 0 }));

const isBehind = (transfer: Transfer) => ticketsBehind(transfer) || cardsBehind(transfer);

export function createSettler(deps: {
  store: TransferStore;
  syncTickets: SyncTickets;
  syncCards: SyncCards;
  /** Brings audit events in, whether or not the others succeed; never throws. */
  syncAudit?: (transferId: string) => Promise<void>;
  /** After which another process may step in, in milliseconds; renewed while a round is under way. */
  lockMs: number;
  now: () => number;
  log: Logger;
}): Settler {
  const { store, lockMs, now } = deps;
  const underWay = new Map<string, Promise<void>>();

  /** Takes the lock if something is behind. A lapsed lock tells that an earlier round ended unseen. */
  function lock(transferId: string, owner: string) {
    return store.change(transferId, (current) => {
      if (!isBehind(current)) return { result: 'settled' as const };
      if (current.settling && current.settling.until > now()) return { result: 'held' as const };
      return {
        next: { ...current, settling: { owner, until: now() + lockMs } },
        result: current.settling ? ('taken over' as const) : ('ours' as const),
      };
    });
  }

  /** Holds the lock until the returned function is called: a round waits long for a platform that is slow. */
  function hold(transferId: string, owner: string): () => void {
    let renewing = false;
    async function renew(): Promise<void> {
      if (renewing) return;
      renewing = true;
      try {
        await store.change(transferId, (current) =>
          current.settling?.owner === owner
            ? { next: { ...current, settling: { owner, until: now() + lockMs } }, result: undefined }
            : { result: undefined },
        );
      } catch (err) {
        deps.log.warn({ transferId, err }, 'could not renew the lock on a follow-up');
      } finally {
        renewing = false;
      }
    }
    const timer = setInterval(() => void renew(), lockMs / 3);
    return () => clearInterval(timer);
  }

  /** Brings both in step with the record as it was seen; tells whether it went on meanwhile. */
  async function round(seen: Transfer, owner: string, takenOver: boolean) {
    const tickets = await deps.syncTickets(seen);
    const said = { tickets: tickets.tickets, ticketsDelayed: tickets.ticketsDelayed };
    const messages = saidOfTickets(said) === saidOfTickets(seen) ? seen.messages : outdated(seen.messages);
    const withTickets = { ...seen, ...said, messages };
    const cards = await deps.syncCards(withTickets, takenOver);
    return store.change(seen.transferId, (current) => {
      if (current.settling?.owner !== owner) return { result: 'done' as const };
      const next = {
        ...current,
        tickets: tickets.tickets,
        ticketsDelayed: tickets.ticketsDelayed,
        messages: cards.messages,
        thread: cards.thread,
      };
      // A lapsed lock of nobody stays behind, so that the next round looks before it posts.
      if (cards.unsure)
        return { next: { ...next, settling: { owner: '', until: now() } }, result: 'done' as const };
      return isBehind(next) && next.history.length > seen.history.length
        ? { next: { ...next, settling: { owner, until: now() + lockMs } }, result: 'again' as const }
        : { next: { ...next, settling: undefined }, result: 'done' as const };
    });
  }

  /** Lets the next round in at once; what this one did is unknown, so the lapsed lock stays. */
  async function giveUp(transferId: string, owner: string): Promise<void> {
    await store.change(transferId, (current) =>
      current.settling?.owner === owner
        ? { next: { ...current, settling: { owner: '', until: now() } }, result: undefined }
        : { result: undefined },
    );
  }

  async function settle(transferId: string): Promise<void> {
    const owner = randomUUID();
    let letGo = () => {};
    try {
      const locked = await lock(transferId, owner);
      if (locked.result === 'settled' || locked.result === 'held') return;
      letGo = hold(transferId, owner);
      let seen = locked.transfer;
      for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
        const { transfer, result } = await round(seen, owner, locked.result === 'taken over');
        if (result === 'done') return;
        seen = transfer;
      }
    } catch (error) {
      deps.log.warn(
        { transferId, err: error },
        'tickets or cards are behind; the reconciler will bring them in step',
      );
      await giveUp(transferId, owner).catch(() => {
        deps.log.warn({ transferId }, `the lock on its follow-up lapses in ${lockMs / 1000} s`);
      });
    } finally {
      letGo();
    }
  }

  return {
    settle(transferId) {
      const next = (underWay.get(transferId) ?? Promise.resolve())
        .then(() => settle(transferId))
        .then(() => deps.syncAudit?.(transferId))
        .finally(() => {
          if (underWay.get(transferId) === next) underWay.delete(transferId);
        });
      underWay.set(transferId, next);
      return next;
    },
    async idle() {
      await Promise.all(underWay.values());
    },
  };
}
