import { randomUUID } from 'node:crypto';
import { AbortedError } from '../errors/aborted-error.js';
import { ClosedError } from '../errors/closed-error.js';
import type { Bells } from './bells.js';
import { carryOut, type Ending } from './carry-out.js';
import type { Job } from './job.js';
import type { CloseJobsOptions, JobHandler, JobWorker, WorkOptions } from './job-queue.js';
import type { JobRecord, JobStore, Lease, WorkerInfo } from './job-store.js';

/** Name of the bell that rings when there may be work. */
export const WORK_BELL = '';
/** Looks for work at least so often, ms. */
const POLL_MS = 1000;
const MAX_REMEMBERED = 1000;
/** Pause after the store failed, ms. */
const RETRY_MS = 500;

export interface WorkerParts {
  store: JobStore;
  bells: Bells;
  handler: JobHandler;
  options: WorkOptions;
  leaseMs: number;
  maxAttempts: number;
  maxEvents: number;
  describe(record: JobRecord): Promise<Job>;
  /** Deletes discarded blobs. */
  collectGarbage(): Promise<void>;
  /** Called when the worker is closed. */
  ended(): void;
}

/** A worker as its queue sees it. */
export interface QueueWorker extends JobWorker {
  /** Looks at once whether jobs that run here were cancelled: one, or all of them. */
  check(id?: string): void;
  /** Passes an error of the queue on to whoever listens. */
  report(error: unknown): void;
}

interface ActiveRun {
  readonly lease: Lease;
  readonly abort: (ending: Ending) => void;
  readonly done: Promise<void>;
}

/** The loop behind `JobQueue.work`. */
export function runWorker(parts: WorkerParts): QueueWorker {
  const { store, bells, options, leaseMs } = parts;
  const { concurrency = 1, measuredAs = {}, onError = () => {} } = options;
  const info: WorkerInfo = {
    id: randomUUID(),
    slots: concurrency,
    checkpoint: measuredAs.checkpoint ?? '',
    backend: measuredAs.backend ?? '',
  };
  const active = new Map<string, ActiveRun>();
  /** Jobs that were cancelled although they do not run here: one may be on its way here, and its cancel came first. */
  const cancelledElsewhere = new Set<string>();
  const closing = new AbortController();
  const work = bells.hang(WORK_BELL);
  let closed: Promise<void> | undefined;

  const start = ({ record, lease }: { record: JobRecord; lease: Lease }): void => {
    let ending: Ending | undefined;
    const controller = new AbortController();
    const abort = (why: Ending): void => {
      ending ??= why;
      controller.abort(why === 'cancelled' ? new AbortedError('cancelled') : new ClosedError('worker'));
    };
    const done = carryOut({ parts, info, record, lease, signal: controller.signal, ending: () => ending })
      .catch((error: unknown) => onError(error, record.id))
      .finally(() => {
        active.delete(lease.token);
        bells.ring(WORK_BELL);
      });
    const run = { lease, abort, done };
    active.set(lease.token, run);
    if (cancelledElsewhere.has(lease.id)) checkLeases([run]).catch((error: unknown) => onError(error));
  };

  const checkLeases = async (runs: readonly ActiveRun[]): Promise<void> => {
    if (runs.length === 0) return;
    const states = await store.renew(
      runs.map(({ lease }) => lease),
      { now: Date.now(), leaseMs },
    );
    for (const [index, state] of states.entries()) {
      if (state === 'cancelling') runs[index]?.abort('cancelled');
      if (state === 'lost') runs[index]?.abort('lost');
    }
  };

  const heartbeat = async (): Promise<void> => {
    try {
      await checkLeases([...active.values()]);
      if (!closing.signal.aborted) await store.register(info, { now: Date.now(), leaseMs });
    } catch (error) {
      onError(error);
    }
  };

  const loop = async (): Promise<void> => {
    await heartbeat();
    while (!closing.signal.aborted) {
      try {
        const taken =
          active.size < concurrency ? await store.take({ worker: info.id, now: Date.now(), leaseMs }) : undefined;
        if (taken !== undefined) start(taken);
        else await work.next({ timeoutMs: POLL_MS, signal: closing.signal });
      } catch (error) {
        onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };

  const beat = setInterval(() => void heartbeat(), leaseMs / 3);
  const looping = loop();

  const end = async (): Promise<void> => {
    closing.abort();
    await looping;
    await Promise.all([...active.values()].map(({ done }) => done));
    clearInterval(beat);
    work.close();
    options.signal?.removeEventListener('abort', stop);
    await store.unregister(info.id).catch((error: unknown) => onError(error));
    parts.ended();
  };
  const close = ({ drainSeconds = 0 }: CloseJobsOptions = {}): Promise<void> => {
    closed ??= end();
    const handBack = (): void => {
      for (const run of active.values()) run.abort('closed');
    };
    // After the loop, which may be about to begin one more.
    if (drainSeconds <= 0) void looping.then(handBack);
    else {
      const timer = setTimeout(handBack, Math.min(drainSeconds * 1000, 2 ** 31 - 1));
      void closed.finally(() => clearTimeout(timer));
    }
    return closed;
  };
  const stop = (): void => void close();
  if (options.signal?.aborted) stop();
  else options.signal?.addEventListener('abort', stop, { once: true });

  return {
    get running() {
      return active.size;
    },
    close,
    report: (error) => onError(error),
    check(id) {
      const runs = [...active.values()].filter(({ lease }) => id === undefined || lease.id === id);
      if (runs.length === 0 && id !== undefined) {
        if (cancelledElsewhere.size >= MAX_REMEMBERED) cancelledElsewhere.clear();
        cancelledElsewhere.add(id);
      }
      checkLeases(runs).catch((error: unknown) => onError(error));
    },
  };
}
