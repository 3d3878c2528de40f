import { AbortedError } from '../errors/aborted-error.js';

export interface LaneWork<Result> {
  run(): Promise<Result>;
  readonly signal: AbortSignal | undefined;
  /** How long the work may go on once nobody waits for it any more, in ms. */
  readonly patienceMs: number;
  /** Called when it goes on for longer. */
  onImpatient(): void;
  /** Gets a result that nobody waits for. */
  onUnwanted(result: Result): void;
}

/** Work that is done one at a time, in order. */
export interface Lane {
  /** Whether somebody waits for work. */
  readonly busy: boolean;
  /** Whether work is going on, waited for or not. */
  readonly running: boolean;
  /**
   * Does the work when its turn comes. An abort rejects at once: work that has not begun never does, work that has goes on
   * unwatched and the next work waits for it.
   * @throws {AbortedError}
   */
  enter<Result>(work: LaneWork<Result>): Promise<Result>;
  /** Rejects everything that somebody waits for. */
  rejectAll(error: Error): void;
}

export function createLane(options: { onBusy(busy: boolean): void }): Lane {
  const waiters = new Set<(error: Error) => void>();
  let running = false;
  let tail = Promise.resolve();

  function enter<Result>(work: LaneWork<Result>): Promise<Result> {
    const { signal } = work;
    if (signal?.aborted) return Promise.reject(new AbortedError(signal.reason));
    return new Promise((resolve, reject) => {
      let begun = false;
      let settled = false;
      let impatience: NodeJS.Timeout | undefined;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        signal?.removeEventListener('abort', onAbort);
        waiters.delete(abandon);
        if (waiters.size === 0) options.onBusy(false);
        return true;
      };
      const abandon = (error: Error): void => {
        if (!settle()) return;
        reject(error);
        if (begun) impatience = setTimeout(work.onImpatient, work.patienceMs).unref();
      };
      const onAbort = (): void => abandon(new AbortedError(signal?.reason));
      signal?.addEventListener('abort', onAbort);
      waiters.add(abandon);
      if (waiters.size === 1) options.onBusy(true);

      tail = tail.then(async () => {
        if (settled) return;
        begun = true;
        running = true;
        try {
          const result = await work.run();
          if (settle()) resolve(result);
          else work.onUnwanted(result);
        } catch (error) {
          if (settle()) reject(error);
        } finally {
          running = false;
          clearTimeout(impatience);
        }
      });
    });
  }

  return {
    get busy() {
      return waiters.size > 0;
    },
    get running() {
      return running;
    },
    enter,
    rejectAll(error) {
      for (const abandon of [...waiters]) abandon(error);
    },
  };
}
