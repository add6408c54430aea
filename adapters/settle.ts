/** Brings tickets, cards and audit in step with a transfer's record: whoever changed it calls, one at a time does it. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { filesUnlisted } from '../core/audit.ts';
import type { Audit } from '../core/audit-event.ts';
import { withDeadline } from '../core/deadline.ts';
import { cardsBehind, ticketsBehind } from '../core/due-work.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { PostedMessage, Transfer } from '../core/transfer.ts';

/** Rounds in a row before the rest is left to the reconciler. */
const MAX_ROUNDS = 5;
/** A round that takes longer is given up, because a call that never settles would hold its lock for ever; milliseconds. */
const ROUND_MS = 120_000;

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

/** The list of files of the attempt that ended, once it stands in the audit bucket; undefined when it is not to be, or not yet. */
export type ListFiles = (transfer: Transfer) => Promise<Audit['files']>;

export interface Settler {
  /**
   * Never throws: what could not be done now is found by the reconciler, because the record stays due. Audit events
   * are brought in after it has resolved.
   */
  settle(transferId: string): Promise<void>;
  /**
   * The record with the lock that this process's next `settle` of it needs, so that taking it costs no write of its
   * own; as it is while somebody holds the lock. For writes that `settle` follows at once.
   */
  ahead(next: Transfer): Transfer;
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

/** Ends the last two steps of a completed transfer as far as what they stand for has happened. */
function withEndedSteps(transfer: Transfer, at: number): Transfer {
  const { 'update tickets': tickets, notify } = transfer.steps;
  if (transfer.status !== 'completed') return transfer;
  const steps = { ...transfer.steps };
  if (tickets.endedAt === undefined && !ticketsBehind(transfer)) {
    steps['update tickets'] = { ...tickets, endedAt: at };
  }
  if (notify.endedAt === undefined && !cardsBehind(transfer)) steps.notify = { ...notify, endedAt: at };
  return { ...transfer, steps };
}

export function createSettler(deps: {
  store: TransferStore;
  syncTickets: SyncTickets;
  syncCards: SyncCards;
  /** Never throws. */
  listFiles?: ListFiles;
  /** Brings audit events in, whether or not the others succeed; never throws. */
  syncAudit?: (transferId: string) => Promise<void>;
  /** After which another process may step in, in milliseconds; renewed while a round is under way. */
  lockMs: number;
  /** After which a round, or bringing in audit events, is given up, in milliseconds; 120,000 unless given. */
  roundMs?: number;
  now: () => number;
  log: Logger;
}): Settler {
  const { store, lockMs, roundMs = ROUND_MS, now } = deps;
  const underWay = new Map<string, Promise<void>>();
  const auditing = new Map<string, Promise<void>>();
  /** Transfers whose audit events will be brought in after those that are being brought in now. */
  const auditWaits = new Set<string>();
  /** Owners of locks that were taken ahead and that no round has begun under, by transfer. */
  const aheadOf = new Map<string, string>();

  const isHeld = ({ settling }: Transfer) => settling !== undefined && settling.until > now();

  /**
   * Takes the lock if something is behind. A lapsed lock tells that an earlier round ended unseen.
   *
   * @param ahead owner of a lock that was taken ahead: it becomes this round's
   */
  function lock(transferId: string, owner: string, ahead: string | undefined) {
    return store.change(transferId, (current) => {
      const { settling } = current;
      const isOurs = settling !== undefined && settling.owner === ahead && isHeld(current);
      if (!isBehind(current)) {
        return { ...(isOurs && { next: { ...current, settling: undefined } }), result: 'settled' as const };
      }
      if (isOurs) return { result: 'ours' as const };
      if (isHeld(current)) return { result: 'held' as const };
      return {
        next: { ...current, settling: { owner, until: now() + lockMs } },
        result: settling ? ('taken over' as const) : ('ours' as const),
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

  /**
   * Brings both in step with the record as it was seen, and writes down what is true now, unless the record went on
   * meanwhile: then the answer is what to bring in step next.
   */
  async function round(seen: Transfer, owner: string, takenOver: boolean, isLast: boolean) {
    const [tickets, files] = await Promise.all([deps.syncTickets(seen), deps.listFiles?.(seen)]);
    const said = { tickets: tickets.tickets, ticketsDelayed: tickets.ticketsDelayed };
    const messages = saidOfTickets(said) === saidOfTickets(seen) ? seen.messages : outdated(seen.messages);
    const cards = await deps.syncCards({ ...seen, ...said, messages }, takenOver);
    const shown = { ...said, messages: cards.messages, thread: cards.thread };
    const { transfer, result } = await store.change(seen.transferId, (current) => {
      if (current.settling?.owner !== owner) return { result: 'done' as const };
      const next: Transfer = { ...current, ...shown };
      if (files && next.audit && filesUnlisted(next) && next.attempt === files.attempt) {
        next.audit = { ...next.audit, files };
      }
      // A lapsed lock of nobody stays behind, so that the next round looks before it posts.
      if (cards.unsure) {
        return { next: { ...next, settling: { owner: '', until: now() } }, result: 'done' as const };
      }
      // Not written down yet: a crash leaves a lapsed lock, and whoever takes it over looks before it posts.
      if (!isLast && isBehind(next) && next.history.length > seen.history.length) {
        return { result: 'again' as const };
      }
      return { next: withEndedSteps({ ...next, settling: undefined }, now()), result: 'done' as const };
    });
    return result === 'again' ? { ...transfer, ...shown } : undefined;
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
    const ahead = aheadOf.get(transferId);
    aheadOf.delete(transferId);
    let owner: string = randomUUID();
    let letGo = () => {};
    try {
      const { transfer, result } = await lock(transferId, owner, ahead);
      if (result === 'settled' || result === 'held') return;
      owner = transfer.settling?.owner ?? owner;
      letGo = hold(transferId, owner);
      let seen: Transfer | undefined = transfer;
      for (let rounds = 1; seen && rounds <= MAX_ROUNDS; rounds += 1) {
        const brought = round(seen, owner, result === 'taken over', rounds === MAX_ROUNDS);
        seen = await withDeadline(brought, roundMs, 'bringing tickets and cards in step');
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

  async function bringAuditIn(transferId: string): Promise<void> {
    if (!deps.syncAudit) return;
    await withDeadline(deps.syncAudit(transferId), roundMs, 'bringing audit events in').catch(
      (err: unknown) => {
        deps.log.warn({ transferId, err }, 'audit events are behind; the reconciler will bring them in');
      },
    );
  }

  /** Runs after what is under way for the same transfer. */
  function next(
    queue: Map<string, Promise<void>>,
    transferId: string,
    act: () => Promise<void>,
  ): Promise<void> {
    const acting = (queue.get(transferId) ?? Promise.resolve()).then(act).finally(() => {
      if (queue.get(transferId) === acting) queue.delete(transferId);
    });
    queue.set(transferId, acting);
    return acting;
  }

  return {
    settle: (transferId) =>
      next(underWay, transferId, async () => {
        await settle(transferId);
        // Nobody waits for it: people do not see it, and a bucket that hangs is not to hold them up.
        if (!auditWaits.has(transferId)) {
          auditWaits.add(transferId);
          void next(auditing, transferId, async () => {
            auditWaits.delete(transferId);
            await bringAuditIn(transferId);
          });
        }
      }),
    ahead(next) {
      if (next.settling) return next;
      const owner = randomUUID();
      aheadOf.set(next.transferId, owner);
      return { ...next, settling: { owner, until: now() + lockMs } };
    },
    async idle() {
      await Promise.all(underWay.values());
      await Promise.all(auditing.values());
    },
  };
}
