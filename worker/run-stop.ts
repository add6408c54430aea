/** Why a run stops before its end: told to everything that it does as the reason of one AbortSignal. */
import { FerryError } from '../core/errors.ts';

/**
 * `cancelled`: a person asked. `lease lost`: another worker may be on it, so nothing may be touched any more.
 * `stopping`: this process ends and lets another worker carry on.
 */
export type StopCause = 'cancelled' | 'lease lost' | 'stopping';

const WORDS = {
  cancelled: ['cancelled', 'The transfer was cancelled.'],
  'lease lost': ['lease_lost', 'Another worker has taken over.'],
  stopping: ['unavailable', 'This worker is being stopped; another one carries on.'],
} as const;

export class RunStop extends FerryError {
  readonly why: StopCause;

  constructor(why: StopCause) {
    const [code, userMessage] = WORDS[why];
    super(code, { userMessage });
    this.name = 'RunStop';
    this.why = why;
  }
}

/** Why the run behind this signal was stopped, or undefined while it was not. */
export function stopCause(signal: AbortSignal): StopCause | undefined {
  return signal.aborted && signal.reason instanceof RunStop ? signal.reason.why : undefined;
}
