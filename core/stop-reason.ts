/** Why work was stopped from outside: the error that an aborted step ends with. */
import { FerryError } from './errors.ts';

/** The FerryError that was given to `abort()`, such as `lease_lost`; otherwise `cancelled`. */
export function stopReason(signal: AbortSignal): FerryError {
  if (signal.reason instanceof FerryError) return signal.reason;
  return new FerryError('cancelled', {
    userMessage: 'It was stopped before it was finished.',
    cause: signal.reason,
  });
}
