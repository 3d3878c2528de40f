import { CANCELLED, failureOf, lostFailure } from './failures.js';
import type { JobResult } from './job.js';
import type { JobRun } from './job-queue.js';
import type { JobOutcome, JobRecord, Lease, NewProgress, WorkerInfo } from './job-store.js';
import type { WorkerParts } from './run-worker.js';

/** Why a run is to stop before it has ended by itself. */
export type Ending = 'cancelled' | 'lost' | 'closed';

/** Previews kept a job, and bytes of each. */
const MAX_PREVIEWS = 8;
const MAX_PREVIEW_BYTES = 64 * 1024;
/** A handler that does not end so long after its signal was aborted is left alone; what it gives later is thrown away. */
const ABORT_GRACE_MS = 30_000;

/** Runs the handler for one job, and writes down how it ended. */
export async function carryOut(run: {
  parts: WorkerParts;
  info: WorkerInfo;
  record: JobRecord;
  lease: Lease;
  signal: AbortSignal;
  ending(): Ending | undefined;
}): Promise<void> {
  const { parts, info, record, lease, signal, ending } = run;
  const { store, options, maxAttempts } = parts;
  const writer = progressWriter(run);
  const began = performance.now();
  let result: JobResult | undefined;
  let error: unknown;
  try {
    const job = await parts.describe(record);
    result = await orAbandoned(parts.handler({ job, signal, progress: writer.write }), signal);
  } catch (thrown) {
    error = thrown;
  }
  const seconds = (performance.now() - began) / 1000;
  await writer.end();
  const why = ending();
  const put = result?.images.map(({ key }) => key) ?? [];
  const giveBack = (lost: boolean): Promise<void> =>
    store.release(lease, {
      now: Date.now(),
      lost,
      maxAttempts,
      error: lost ? failureOf(error) : lostFailure(maxAttempts),
      cancelled: CANCELLED,
    });

  if (result === undefined && why === 'lost') return;
  if (result === undefined && why === 'closed') return giveBack(false);
  if (result === undefined && why === undefined) {
    options.onError?.(error, record.id);
    if (options.isTransient?.(error) === true) return giveBack(true);
  }
  const outcome: JobOutcome =
    result === undefined
      ? why === 'cancelled'
        ? { state: 'cancelled', error: CANCELLED }
        : { state: 'failed', error: failureOf(error) }
      : { state: 'succeeded', result, blobs: put };
  const state = await store.finish(lease, outcome, { now: Date.now(), cancelled: CANCELLED });
  if (state !== 'succeeded') {
    await store.discard(put);
    await parts.collectGarbage();
  } else await store.measure({ ...info, workload: record.workload, seconds });
}

/** The handler's result; fails some time after an abort when the handler does not. */
async function orAbandoned<Result>(running: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  let begin: (() => void) | undefined;
  const abandoned = new Promise<never>((_, reject) => {
    begin = () => {
      timer = setTimeout(
        () => reject(new Error('The handler did not end after its signal was aborted')),
        ABORT_GRACE_MS,
      );
    };
    signal.addEventListener('abort', begin, { once: true });
  });
  try {
    return await Promise.race([running, abandoned]);
  } finally {
    clearTimeout(timer);
    if (begin !== undefined) signal.removeEventListener('abort', begin);
  }
}

/** Writes progress one batch after the other; while one is on its way only the newest progress and the newest previews wait. */
function progressWriter({ parts, lease, signal }: { parts: WorkerParts; lease: Lease; signal: AbortSignal }): {
  write: JobRun['progress'];
  end(): Promise<void>;
} {
  const { store, maxEvents, options } = parts;
  let waiting: NewProgress[] = [];
  let writing: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await store.progress(lease, batch, { maxEvents, maxPreviews: MAX_PREVIEWS });
      } catch (error) {
        options.onError?.(error, lease.id);
      }
    }
    writing = undefined;
  };
  return {
    write({ stage, step, steps }, preview) {
      if (signal.aborted) return;
      const fits = preview !== undefined && preview.data.byteLength <= MAX_PREVIEW_BYTES;
      const event: NewProgress = { at: Date.now(), progress: { stage, step, steps }, ...(fits && { preview }) };
      waiting = [...waiting.filter((other) => other.preview !== undefined), event].slice(-MAX_PREVIEWS);
      // In a later turn, so that what comes at once goes as one batch.
      writing ??= Promise.resolve().then(flush);
    },
    async end() {
      await writing;
    },
  };
}
