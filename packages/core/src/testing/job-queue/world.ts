import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BlobStore } from '../../job/blob-store.js';
import type { Job, JobRequest, JobResult } from '../../job/job.js';
import type { JobHandler, JobQueue, JobRun } from '../../job/job-queue.js';
import type { JobQueueOptions } from '../../job/job-queue-options.js';
import { createMemoryBlobStore } from '../../job/memory-blob-store.js';
import { waitForJob } from '../../job/wait-for-job.js';

/** Makes a queue; the same `storeName` means the same jobs where the implementation can share them. */
export type CreateQueue = (options: JobQueueOptions & { storeName: string }) => JobQueue | Promise<JobQueue>;

/** A job whose handler waits for the test. */
export interface StartedJob extends JobRun {
  succeed(result?: Partial<JobResult>): void;
  fail(error: unknown): void;
}

/** A handler that the test plays itself. */
export interface Stage {
  readonly handler: JobHandler;
  /** The next job that begins. */
  next(): Promise<StartedJob>;
}

/** What one test has to itself: a store of its own, and queues on it that are closed in the end. */
export interface World {
  readonly blobs: BlobStore;
  /** Another queue on this test's store. */
  open(options?: JobQueueOptions): Promise<JobQueue>;
  /** A handler that the test plays; what it leaves unfinished fails when the test is over. */
  stage(): Stage;
  close(): Promise<void>;
}

export function createWorld(createQueue: CreateQueue): World {
  const storeName = `test-${randomUUID()}`;
  const blobs = createMemoryBlobStore();
  const queues: JobQueue[] = [];
  const over = new AbortController();
  return {
    blobs,
    stage: () => createStage(over.signal),
    async open(options = {}) {
      const queue = await createQueue({ blobs, ...options, storeName });
      queues.push(queue);
      return queue;
    },
    async close() {
      over.abort(new Error('The test is over'));
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

function createStage(over: AbortSignal): Stage {
  const started: StartedJob[] = [];
  const takers: ((job: StartedJob) => void)[] = [];
  return {
    handler: (run) =>
      new Promise((resolve, reject) => {
        const job: StartedJob = {
          ...run,
          succeed: (result) => resolve({ ...emptyResult(), ...result }),
          fail: reject,
        };
        over.addEventListener('abort', () => reject(over.reason), { once: true });
        const taker = takers.shift();
        if (taker === undefined) started.push(job);
        else taker(job);
      }),
    next() {
      const job = started.shift();
      if (job !== undefined) return Promise.resolve(job);
      return new Promise((resolve) => takers.push(resolve));
    },
  };
}

/** A generate request, which needs no picture. */
export function requestOf(user: string, more: Partial<JobRequest> = {}): JobRequest {
  return { kind: 'generate', user, instruction: 'a red house', ...more };
}

export function emptyResult(): JobResult {
  const seconds = { queue: 0, prepare: 0, condition: 0, encode: 0, denoise: 0, decode: 0, restore: 0 };
  return { images: [], seed: 42, warnings: [], seconds };
}

/** Carries out everything at once. */
export const instantly: JobHandler = async () => emptyResult();

export function finished(queue: JobQueue, id: string): Promise<Job> {
  return waitForJob({ queue, id });
}

/** Waits until something holds; it is looked at again and again, and fails the test with its last error. */
export async function until(check: () => Promise<void>): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
