/** Keeps the two tickets of a transfer in step with its record, through outages and crashes. */
import type { Logger } from 'pino';
import { FerryError } from './errors.ts';
import type { PolicyConfig } from './policy-config.ts';
import type { ServiceNow } from './servicenow.ts';
import { INCIDENT_STATE, type Incident, type IncidentFields } from './servicenow-incident.ts';
import {
  correlationDisplay,
  correlationId,
  description,
  notedThrough,
  openingFields,
  stateFields,
  workNote,
} from './ticket-text.ts';
import { TICKET_KINDS, type Ticket, type TicketKind, type Transfer } from './transfer.ts';
import { isEnded, lastSeq } from './transfer-state.ts';

/** What the caller writes to the record. `ticketsDelayed` is absent when nothing is left to do. */
export type TicketsOutcome = Pick<Transfer, 'tickets' | 'ticketsDelayed'>;

/** How the tickets stand in ServiceNow itself. */
type TicketState =
  /** Both exist and nobody cancelled one. */
  | { readonly outcome: 'open' }
  | { readonly outcome: 'missing'; readonly missing: readonly TicketKind[] }
  /** A person set it to Canceled in ServiceNow. */
  | { readonly outcome: 'cancelled'; readonly kind: TicketKind; readonly number: string }
  /** ServiceNow did not say. */
  | { readonly outcome: 'unknown'; readonly reason: string };

export interface Tickets {
  /**
   * Opens, notes and closes both tickets until they tell the record's story. Anything that keeps ServiceNow from
   * doing so is an expected outcome, `ticketsDelayed`; what was reached is given back beside it. Running it again
   * repeats nothing. The caller holds a lock on the transfer: two at once may note an entry twice.
   */
  syncTickets(transfer: Transfer, signal?: AbortSignal): Promise<TicketsOutcome>;
  readTicketState(transfer: Transfer, signal?: AbortSignal): Promise<TicketState>;
}

export interface TicketsOptions {
  readonly serviceNow: ServiceNow;
  readonly policy: PolicyConfig;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
  /** Longest time for one sync or read, in milliseconds; 10,000 unless told. */
  readonly budgetMs?: number;
}

/** Whether something is left to open, to note or to close. */
export function ticketsBehind(transfer: Transfer): boolean {
  return TICKET_KINDS.some((kind) => isBehind(transfer, transfer.tickets[kind]));
}

function isBehind(transfer: Transfer, ticket: Ticket): boolean {
  return (
    ticket.sysId === undefined ||
    ticket.notedThrough < lastSeq(transfer) ||
    ticket.closed !== isEnded(transfer.status)
  );
}

/** Whether ServiceNow takes it for done, so that nobody is to change it any more. */
const isSettled = ({ state }: Incident) =>
  state === INCIDENT_STATE.closed || state === INCIDENT_STATE.canceled;

const OTHER = { user: 'audit', audit: 'user' } as const;

export function createTickets(options: TicketsOptions): Tickets {
  const { serviceNow, policy, now, log, budgetMs = 10_000 } = options;

  const limited = (signal: AbortSignal | undefined): AbortSignal => {
    const budget = AbortSignal.timeout(budgetMs);
    return signal ? AbortSignal.any([budget, signal]) : budget;
  };

  /** The incident that the record knows, or else the one that carries the transfer's correlation id. */
  async function find(
    transfer: Transfer,
    kind: TicketKind,
    signal: AbortSignal,
  ): Promise<Incident | undefined> {
    const wanted = correlationId(transfer.transferId, kind);
    const { sysId } = transfer.tickets[kind];
    const known = sysId === undefined ? undefined : await serviceNow.get(sysId, signal);
    // A ticket that was retired as a duplicate has lost its correlation id.
    return known?.correlationId === wanted ? known : serviceNow.findByCorrelation(wanted, signal);
  }

  /** Opens the ticket. When another process did the same at this moment, the older one stays and its maker goes on. */
  async function open(transfer: Transfer, kind: TicketKind, signal: AbortSignal): Promise<Incident> {
    const created = await serviceNow.create(openingFields(kind, transfer, policy), signal);
    const [oldest = created, ...extras] = await serviceNow.listByCorrelation(created.correlationId, signal);
    for (const extra of extras) {
      // The look at the transfer's end comes back to it.
      await retire(extra, oldest, signal).catch((err: unknown) => tellKept(extra, err));
    }
    if (oldest.sysId !== created.sysId) {
      throw new FerryError('conflict', {
        retryable: true,
        userMessage: 'The tickets are being opened by another process of FileFerry.',
      });
    }
    log.info({ transferId: transfer.transferId, kind, number: created.number }, 'ticket is open');
    return created;
  }

  const tellKept = ({ number }: Incident, err: unknown) =>
    log.warn({ err, number }, 'a duplicate ticket could not be cancelled');

  async function retire(extra: Incident, kept: Incident, signal: AbortSignal): Promise<void> {
    const duplicate = `Duplicate of ${kept.number}, opened for the same transfer.`;
    await serviceNow.patch(
      extra.sysId,
      {
        // Without its correlation id nobody finds it again.
        correlation_id: `${extra.correlationId}:duplicate`,
        correlation_display: `FileFerry duplicate of ${kept.number}`,
        state: INCIDENT_STATE.canceled,
        close_code: 'Duplicate',
        close_notes: duplicate,
        work_notes: duplicate,
      },
      signal,
    );
  }

  /**
   * The ticket of a transfer that has ended, when there is one. A create that nobody waited for any more may have
   * landed after every look for it: what it opened is cancelled now, or the ticket would stay open for ever.
   */
  async function findLast(
    transfer: Transfer,
    kind: TicketKind,
    signal: AbortSignal,
  ): Promise<Incident | undefined> {
    const all = await serviceNow.listByCorrelation(correlationId(transfer.transferId, kind), signal);
    const kept = all.find(({ sysId }) => sysId === transfer.tickets[kind].sysId) ?? all[0];
    for (const extra of all) {
      if (extra === kept || isSettled(extra)) continue;
      await retire(extra, kept ?? extra, signal).catch((error: unknown) => {
        if (error instanceof FerryError && error.retryable) throw error;
        tellKept(extra, error);
      });
    }
    return kept;
  }

  /** Notes what is missing, one entry after the other, and sets the state with the last one. */
  async function bringUpToDate(
    transfer: Transfer,
    kind: TicketKind,
    incident: Incident,
    otherNumber: string,
    reached: (ticket: Partial<Ticket>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { transferId } = transfer;
    const ticket = transfer.tickets[kind];
    const recorded = ticket.sysId === incident.sysId ? ticket.notedThrough : 0;
    const noted = Math.max(recorded, notedThrough(transferId, incident.correlationDisplay));
    reached({ notedThrough: Math.min(noted, lastSeq(transfer)) });

    const ended = isEnded(transfer.status);
    // The ticket knows more than this copy of the record: whoever noted that also set the state.
    if (noted > lastSeq(transfer)) return reached({ closed: ended });

    const settled = isSettled(incident);
    const state = settled ? {} : stateFields(kind, transfer);
    const patch = async (fields: IncidentFields, seq: number) => {
      try {
        await serviceNow.patch(incident.sysId, fields, signal);
      } catch (error) {
        if (!(settled && error instanceof FerryError && error.code === 'not_allowed')) throw error;
        log.warn(
          { transferId, number: incident.number, seq },
          'this ticket is closed and takes no more notes; the record has them',
        );
      }
    };

    const missing = transfer.history.filter((entry) => entry.seq > noted);
    for (const entry of missing) {
      const first = entry.seq === 1;
      await patch(
        {
          correlation_display: correlationDisplay(transferId, entry.seq),
          work_notes: workNote(kind, entry, first ? otherNumber : undefined),
          ...(first && { description: description(kind, transfer, policy, otherNumber) }),
          ...(entry.seq === lastSeq(transfer) && state),
        },
        entry.seq,
      );
      reached({ notedThrough: entry.seq });
    }
    if (missing.length === 0 && ended && state.state !== incident.state && !settled) {
      await patch(state, lastSeq(transfer));
    }
    reached({ closed: ended });
  }

  async function syncTickets(transfer: Transfer, outer?: AbortSignal): Promise<TicketsOutcome> {
    const signal = limited(outer);
    const tickets: Record<TicketKind, Ticket> = { ...transfer.tickets };
    const incidents: Partial<Record<TicketKind, Incident>> = {};
    let delay: FerryError | undefined;

    const step = async (kind: TicketKind, work: () => Promise<void>) => {
      // What failed for lack of an answer will fail for the other ticket too; a refusal may concern one only.
      if (delay?.retryable) return;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof FerryError)) throw error;
        log.warn({ transferId: transfer.transferId, kind, code: error.code }, 'ticket is delayed');
        delay = error;
      }
    };

    for (const kind of TICKET_KINDS) {
      if (!isBehind(transfer, tickets[kind])) continue;
      await step(kind, async () => {
        const look = isEnded(transfer.status) ? findLast : find;
        const incident = (await look(transfer, kind, signal)) ?? (await open(transfer, kind, signal));
        incidents[kind] = incident;
        if (incident.sysId !== tickets[kind].sysId) {
          const { sysId, number } = incident;
          tickets[kind] = { sysId, number, notedThrough: 0, closed: false };
        }
      });
    }
    for (const kind of TICKET_KINDS) {
      const incident = incidents[kind];
      const otherNumber = tickets[OTHER[kind]].number;
      // The first note names the other ticket, so that notes begin when both are open.
      if (!incident || otherNumber === undefined) continue;
      await step(kind, () =>
        bringUpToDate(
          transfer,
          kind,
          incident,
          otherNumber,
          (changes) => {
            tickets[kind] = { ...tickets[kind], ...changes };
          },
          signal,
        ),
      );
    }
    if (!delay) return { tickets };
    const since = transfer.ticketsDelayed?.since ?? now();
    return { tickets, ticketsDelayed: { since, reason: delay.userMessage } };
  }

  async function readTicketState(transfer: Transfer, outer?: AbortSignal): Promise<TicketState> {
    const signal = limited(outer);
    const missing: TicketKind[] = [];
    try {
      for (const kind of TICKET_KINDS) {
        const incident = await find(transfer, kind, signal);
        if (incident?.state === INCIDENT_STATE.canceled) {
          return { outcome: 'cancelled', kind, number: incident.number };
        }
        if (!incident) missing.push(kind);
      }
    } catch (error) {
      if (!(error instanceof FerryError)) throw error;
      return { outcome: 'unknown', reason: error.userMessage };
    }
    return missing.length > 0 ? { outcome: 'missing', missing } : { outcome: 'open' };
  }

  return { syncTickets, readTicketState };
}
