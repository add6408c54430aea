/** The records that a run leaves: completed, failed, cancelled, or put off; pure, as the store may ask twice. */
import { backOff, LONGEST } from '../core/due-work.ts';
import type { FerryError } from '../core/errors.ts';
import type { StepName, Transfer } from '../core/transfer.ts';
import { move, note } from '../core/transfer-state.ts';

/** After which a run that was put off is first taken up again, in milliseconds. */
const FIRST_PAUSE_MS = 15_000;

type Progress = Transfer['progress'];

/** Temporary files that are named in a message. */
const NAMED = 3;

/** What stands at the destination after a run that did not end well. */
export interface Remains {
  /** Temporary files that may still be there. */
  readonly temporary: readonly string[];
  /** Names that old files may have now, which were being replaced. */
  readonly aside: readonly string[];
  /** Files of the transfer that stand whole under their final names, and the first one's. */
  readonly arrived: { readonly objects: number; readonly bytes: number; readonly first?: string | undefined };
  /** There may be more temporary files, which could not be looked for. */
  readonly unsure: boolean;
}

export const NO_REMAINS: Remains = {
  temporary: [],
  aside: [],
  arrived: { objects: 0, bytes: 0 },
  unsure: false,
};

/** A crash or a lost answer may have kept from the figures what stands there. */
function counted(progress: Progress, { objects, bytes }: Remains['arrived'], at: number): Progress {
  if (objects <= (progress?.objectsDone ?? 0)) return progress;
  const bytesDone = Math.max(bytes, progress?.bytesDone ?? 0);
  return { objectsFailed: 0, bytesPerSecond: 0, at, ...progress, objectsDone: objects, bytesDone };
}

function filesArrived(progress: Progress, of: number, { first }: Remains['arrived']): string {
  if (!progress?.objectsDone) return '';
  return of === 1
    ? ` The file had arrived before and stays there${first === undefined ? '' : `: ${first}`}.`
    : ` ${progress.objectsDone} of ${of} files had arrived before and stay there.`;
}

const some = (paths: readonly string[]) =>
  `${paths.slice(0, NAMED).join(', ')}${paths.length > NAMED ? ', …' : ''}`;

function leftBehind({ temporary, aside, unsure }: Remains): string {
  const files = temporary.length === 1 ? 'A temporary file' : `${temporary.length} temporary files`;
  return [
    temporary.length === 0 ? '' : ` ${files} could not be removed: ${some(temporary)}.`,
    aside.length === 0
      ? ''
      : ` An old file that was being replaced may have another name now: ${some(aside)}.`,
    unsure ? ' There may be temporary files left (.fileferry-…), which could not be looked for.' : '',
  ].join('');
}

/**
 * Its last step begins with it, and ends when the thread knows.
 *
 * @param verified what was verified, in words
 */
export function completed(current: Transfer, at: number, verified: string, progress: Progress): Transfer {
  const { notify } = current.steps;
  return {
    ...move(current, 'completed', { at, by: 'worker', text: `Completed, verified by ${verified}.` }),
    steps: {
      ...current.steps,
      notify: { startedAt: at, attempts: notify.attempts + 1 },
    },
    progress: progress ?? current.progress,
    waiting: undefined,
    verified,
    endedAt: at,
  };
}

export function cancelled(
  current: Transfer,
  entry: { at: number; by: string; text: string },
  known: Progress = current.progress,
  remains: Remains = NO_REMAINS,
): Transfer {
  const progress = counted(known, remains.arrived, entry.at);
  const arrived = filesArrived(progress, current.plan.objectCount, remains.arrived);
  const text = `${entry.text}${arrived}${leftBehind(remains)}`;
  return {
    ...move(current, 'cancelled', { ...entry, text }),
    progress,
    waiting: undefined,
    endedAt: entry.at,
  };
}

/**
 * @param fault what ended it: the step, how many objects did not arrive, and the reference that the log has
 */
export function failed(
  current: Transfer,
  at: number,
  fault: {
    readonly step: StepName;
    readonly error: Pick<FerryError, 'code' | 'userMessage'>;
    readonly objectsFailed?: number;
    readonly reference?: string | undefined;
  },
  known: Progress = current.progress,
  remains: Remains = NO_REMAINS,
): Transfer {
  const { step, error, reference } = fault;
  const { objectCount } = current.plan;
  const progress = counted(known, remains.arrived, at);
  const arrived = filesArrived(progress, objectCount, remains.arrived);
  const message = `${error.userMessage}${arrived}${leftBehind(remains)}`;
  const counts = objectCount > 1;
  return {
    ...move(current, 'failed', { at, by: 'worker', text: `Failed at ${step}: ${message}` }),
    failure: { code: error.code, message, step, ...(reference ? { reference } : {}) },
    progress: progress && counts ? { ...progress, objectsFailed: fault.objectsFailed ?? 0 } : progress,
    waiting: undefined,
    endedAt: at,
  };
}

/**
 * Said once, however often it is put off for the same reason; the longer it waits, the later it is taken up again.
 *
 * @param until when it can go on, where that is known
 */
export function putOff(current: Transfer, at: number, reason: string, until?: number): Transfer {
  const { waiting } = current;
  const next = until ?? at + backOff(at - (waiting?.since ?? at), FIRST_PAUSE_MS, LONGEST.waiting);
  if (waiting) return { ...current, waiting: { ...waiting, until: next } };
  return note(
    { ...current, waiting: { reason, since: at, until: next } },
    { at, by: 'worker', text: `Waiting: ${reason}` },
  );
}
