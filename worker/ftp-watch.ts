/** What ends an upload from outside: the caller's signal, or that nothing moves. */
import type { FerryError } from '../core/errors.ts';
import { stopReason } from '../core/stop-reason.ts';
import { type FtpPlace, stalledFault } from './ftp-errors.ts';

export interface Halted {
  readonly kind: 'halted';
  readonly error: FerryError;
}

/** Begins with its construction; `end()` must be called. */
export class Watch {
  /** Settles when the upload has to stop; never rejects. */
  readonly halted: Promise<Halted>;
  /** Whom a stall is blamed on. */
  waitingFor: 'source' | 'server' = 'server';
  private readonly stallTimer: NodeJS.Timeout;
  private readonly onAbort: () => void;
  private readonly signal: AbortSignal;

  /** @param stallMs longest time without `moved()` */
  constructor(place: FtpPlace, stallMs: number, signal: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<Halted>();
    this.halted = promise;
    this.signal = signal;
    this.onAbort = () => resolve({ kind: 'halted', error: stopReason(signal) });
    this.stallTimer = setTimeout(
      () => resolve({ kind: 'halted', error: stalledFault(place, this.waitingFor, stallMs / 1000) }),
      stallMs,
    );
    if (signal.aborted) this.onAbort();
    else signal.addEventListener('abort', this.onAbort, { once: true });
  }

  moved(): void {
    this.stallTimer.refresh();
  }

  /** All bytes are gone: the wait for the server's last word has a limit of its own. */
  allSent(): void {
    clearTimeout(this.stallTimer);
  }

  end(): void {
    clearTimeout(this.stallTimer);
    this.signal.removeEventListener('abort', this.onAbort);
  }
}
