import { AbortedError } from '../errors/aborted-error.js';

/**
 * Waits for a promise, but no longer than until the signal is aborted. What the promise stands for goes on; only the waiting
 * ends.
 *
 * @throws {AbortedError} the signal was aborted first
 */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new AbortedError(signal.reason));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
