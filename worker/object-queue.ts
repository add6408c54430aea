/** The objects of a run that are still to be carried, read page by page as they are asked for. */
import type { ObjectStore, ObjectsOf } from '../core/stores/object-store.ts';
import { type Cargo, cargoOf } from './cargo.ts';

export interface ObjectQueue {
  /** The next one; undefined when there is none now. */
  take(): Promise<Cargo | undefined>;
  /** Gives one back that could not be carried yet. */
  putBack(cargo: Cargo): void;
  /** Whether another one may be had. */
  hasMore(): boolean;
}

/** Skips what is done. */
export function createObjectQueue(objects: Pick<ObjectStore, 'read'>, transfer: ObjectsOf): ObjectQueue {
  const returned: Cargo[] = [];
  const source = objects.read(transfer)[Symbol.asyncIterator]();
  let ended = false;
  let turn: Promise<unknown> = Promise.resolve();

  async function next(): Promise<Cargo | undefined> {
    while (!ended) {
      const { value, done } = await source.next();
      if (done) ended = true;
      else if (value.progress.state !== 'done') return cargoOf(value);
    }
    return undefined;
  }

  return {
    take() {
      const back = returned.pop();
      if (back) return Promise.resolve(back);
      const mine = turn.then(next);
      turn = mine.catch(() => {});
      return mine;
    },
    putBack: (cargo) => void returned.push(cargo),
    hasMore: () => returned.length > 0 || !ended,
  };
}
