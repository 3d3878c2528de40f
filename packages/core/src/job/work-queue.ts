import { AbortedError } from '../errors/aborted-error.js';
import { QueueFullError } from '../errors/queue-full-error.js';

/** Runs tasks one after the other, in the order they came. */
export interface WorkQueue {
  /** Tasks that wait; the running one is not counted. */
  readonly waiting: number;
  /**
   * @throws {QueueFullError} when `limit` tasks wait already.
   * @throws {AbortedError} when the signal is aborted while the task waits.
   */
  run<Result>(
    task: () => Promise<Result>,
    options?: { signal?: AbortSignal | undefined; limit?: number },
  ): Promise<Result>;
}

/**
 * A queue in this process.
 * @param options.limit Tasks that may wait. Default 32.
 */
export function createWorkQueue(options: { limit?: number } = {}): WorkQueue {
  const waiting: (() => void)[] = [];
  let busy = false;
  const next = (): void => {
    const start = waiting.shift();
    if (start === undefined) busy = false;
    else start();
  };
  const turn = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(new AbortedError(signal?.reason));
      };
      signal?.addEventListener('abort', abort, { once: true });
      waiting.push(start);
    });
  return {
    get waiting() {
      return waiting.length;
    },
    async run(task, { signal, limit = options.limit ?? 32 } = {}) {
      if (signal?.aborted) throw new AbortedError(signal.reason);
      if (busy) {
        if (waiting.length >= limit) throw new QueueFullError({ limit });
        await turn(signal);
      }
      busy = true;
      try {
        return await task();
      } finally {
        next();
      }
    },
  };
}
