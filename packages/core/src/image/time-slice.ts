import { throwIfAborted } from '../errors/aborted-error.js';

/** How long work may hold the event loop before it lets other things happen, in milliseconds. */
const SLICE_MILLISECONDS = 12;

/** Resolves in a later turn of the event loop, after input, timers and messages had their chance. */
export function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  if (typeof MessageChannel === 'function') {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener(
        'message',
        () => {
          port1.close();
          resolve();
        },
        { once: true },
      );
      port1.start();
      port2.postMessage(undefined);
    });
  }
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Runs work that yields now and then, giving way to the event loop about every 12 ms. Work should yield at least every few
 * milliseconds.
 *
 * @throws {AbortedError} the signal was aborted between two slices
 */
export async function runInSlices<Result>(
  work: Generator<void, Result>,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Result> {
  throwIfAborted(options.signal);
  let sliceEnd = performance.now() + SLICE_MILLISECONDS;
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() < sliceEnd) continue;
    await nextTurn();
    throwIfAborted(options.signal);
    sliceEnd = performance.now() + SLICE_MILLISECONDS;
  }
}

/** Runs the same work without a pause. */
export function runAtOnce<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
