/** Bounds a wait for something that may never settle, where it cannot be told to stop. */
import { FerryError } from './errors.ts';

/**
 * What `work` comes to, unless it takes longer than `ms` milliseconds; it then goes on unseen.
 *
 * @param what names it in the error's cause, for the log
 * @throws FerryError `timeout`
 */
export async function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new FerryError('timeout', {
        retryable: true,
        userMessage:
          'Something that FileFerry needs did not answer in time. Nothing is lost; it is tried again.',
        cause: new Error(`${what} took longer than ${ms} ms`),
      }),
    );
  }, ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What `work` comes to, unless the signal aborts first. @throws the signal's reason */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
