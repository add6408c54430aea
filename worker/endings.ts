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

const filesArrived = (progress: Progress, of: number) =>
  !progress?.objectsDone || of === 1
    ? ''
    : ` ${progress.objectsDone} of ${of} files had arrived before and stay there.`;

const leftBehind = (paths: readonly string[]) =>
  paths.length === 0
    ? ''
    : ` ${paths.length === 1 ? 'A temporary file' : `${paths.length} temporary files`} could not be removed: ${paths.slice(0, NAMED).join(', ')}${paths.length > NAMED ? ', …' : ''}.`;

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

/** @param left temporary files that could not be removed */
export function cancelled(
  current: Transfer,
  entry: { at: number; by: string; text: string },
  progress: Progress = current.progress,
  left: readonly string[] = [],
): Transfer {
  const text = `${entry.text}${filesArrived(progress, current.plan.objectCount)}${leftBehind(left)}`;
  return {
    ...move(current, 'cancelled', { ...entry, text }),
    progress,
    waiting: undefined,
    endedAt: entry.at,
  };
}

/**
 * @param fault what ended it: the step, how many objects did not arrive, and the reference that the log has
 * @param left temporary files that could not be removed
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
  progress: Progress = current.progress,
  left: readonly string[] = [],
): Transfer {
  const { step, error, reference } = fault;
  const { objectCount } = current.plan;
  const message = `${error.userMessage}${filesArrived(progress, objectCount)}${leftBehind(left)}`;
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
