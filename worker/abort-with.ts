/** Stops one thing together with another, by a single signal. */

/**
 * Aborts `over` when `signal` aborts, with its reason; at once, if it has. Cheaper by far than `AbortSignal.any`, where
 * there are thousands of files: Node follows a composed signal anew for each listener.
 *
 * @returns ends that, so that a signal which lives on keeps nothing
 */
export function abortWith(over: AbortController, signal: AbortSignal): () => void {
  const stop = () => over.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return () => signal.removeEventListener('abort', stop);
}
