/** How many ranges are read at once: begins low and doubles as long as that makes reading faster. */

/** One connection without TLS, as there is on a LAN, fills the machine, and what it brings is still in its caches. */
const FIRST = 1;
const MOST = 8;
/** A window in which is measured, at least so long (milliseconds) and so many bytes for each connection. */
const WINDOW_MS = 120;
const WINDOW_BYTES = 2 * 2 ** 20;
/** Part of a window that was spent waiting for the source; with less, the source is not what limits. */
const STARVED = 0.25;
/** Doubling has to bring at least this much. */
const GAIN = 1.15;
/** After a doubling that brought nothing, so long until the next attempt, in milliseconds. */
const SETTLED_MS = 20_000;

export interface Measure {
  /** Milliseconds for which the reader waited for bytes. */
  waited(ms: number): void;
  /** Bytes that were used up. */
  moved(bytes: number): void;
}

export class Pace {
  /** Ranges of one object that are read at once. */
  lanes = FIRST;
  private least = FIRST;
  private readonly most: number;
  private readonly now: () => number;
  private settledUntil = 0;
  private before: number | undefined;

  /** @param now monotonic milliseconds */
  constructor(most = MOST, now: () => number = () => performance.now()) {
    this.most = most;
    this.now = now;
  }

  /** Never fewer lanes from now on: a server behind TLS has work to do while another connection is read. */
  atLeast(lanes: number): void {
    this.least = lanes;
    this.lanes = Math.max(this.lanes, lanes);
  }

  /** Measures one object's reading. What is learned stays for the next. */
  begin(): Measure {
    let since = this.now();
    let waitedMs = 0;
    let bytes = 0;
    return {
      waited: (ms) => {
        waitedMs += ms;
      },
      moved: (more) => {
        bytes += more;
        const elapsed = this.now() - since;
        if (elapsed < WINDOW_MS || bytes < WINDOW_BYTES * this.lanes) return;
        this.judge(bytes / elapsed, waitedMs / elapsed);
        since = this.now();
        waitedMs = 0;
        bytes = 0;
      },
    };
  }

  private judge(rate: number, starved: number): void {
    if (this.before !== undefined) {
      if (rate < this.before * GAIN) {
        this.lanes = Math.max(this.least, this.lanes / 2);
        this.settledUntil = this.now() + SETTLED_MS;
      }
      this.before = undefined;
    }
    if (starved < STARVED || this.lanes >= this.most || this.now() < this.settledUntil) return;
    this.before = rate;
    this.lanes = Math.min(this.most, this.lanes * 2);
  }
}
