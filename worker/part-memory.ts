/** The memory in which parallel reads put their parts: one bounded stock for the whole process, kept once made. */

/** Bytes of one slot: a part of a large object. */
export const SLOT_BYTES = 4 * 2 ** 20;
/** Slots in all: what bounds the worker's memory, whatever it moves. */
const SLOTS = 12;

/** One read's view of the stock. */
export interface PartMemory {
  /** A free slot, or undefined when this read has its share or none is left. */
  tryTake(): Buffer | undefined;
  /** A slot, waited for; rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<Buffer>;
  give(slot: Buffer): void;
  /** Ends the read's claim on a share; its slots must have been given back. */
  close(): void;
}

export interface PartMemoryStock {
  open(): PartMemory;
}

/**
 * A read that has a slot always gets on, since parts are taken in order; so waiting for the first one ends. Beyond
 * the first, nobody takes more than an equal share while others wait.
 */
export function createPartMemory(slots = SLOTS, slotBytes = SLOT_BYTES): PartMemoryStock {
  const free: Buffer[] = [];
  const waiting: ((slot: Buffer) => void)[] = [];
  let made = 0;
  let readers = 0;

  function find(): Buffer | undefined {
    const slot = free.pop();
    if (slot || made >= slots) return slot;
    made += 1;
    return Buffer.allocUnsafeSlow(slotBytes);
  }

  return {
    open() {
      let held = 0;
      readers += 1;
      return {
        tryTake() {
          const share = Math.max(1, Math.floor(slots / readers));
          if (held > 0 && (held >= share || waiting.length > 0)) return undefined;
          const slot = find();
          if (slot) held += 1;
          return slot;
        },
        async take(signal) {
          signal.throwIfAborted();
          const slot = find();
          if (slot) {
            held += 1;
            return slot;
          }
          const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
          const onAbort = () => {
            const at = waiting.indexOf(resolve);
            if (at < 0) return;
            waiting.splice(at, 1);
            reject(signal.reason);
          };
          waiting.push(resolve);
          signal.addEventListener('abort', onAbort, { once: true });
          try {
            const given = await promise;
            held += 1;
            return given;
          } finally {
            signal.removeEventListener('abort', onAbort);
          }
        },
        give(slot) {
          held -= 1;
          const next = waiting.shift();
          if (next) next(slot);
          else free.push(slot);
        },
        close() {
          readers -= 1;
        },
      };
    },
  };
}
