import type { BlobStore } from './blob-store.js';

/** What every queue can be told. All processes on one queue should say the same. */
export interface JobQueueOptions {
  /** Store of the jobs' pictures; with it the queue deletes those that no job refers to any more. Without it they stay. */
  blobs?: BlobStore;
  /**
   * Deletes what lies in `blobs` for longer than so many seconds and no job of this queue refers to: a process that is killed between storing
   * a picture and handing its job over leaves such. Looks at the start and every hour. Only for a store that this queue has to itself, and
   * longer than anybody takes from storing a picture to submitting its job. Default: never.
   */
  sweepAfterSeconds?: number;
  /** Jobs that may wait in all. Default 1000. */
  maxQueued?: number;
  /** Unfinished jobs that one user may have. Default 20. */
  maxPerUser?: number;
  /** Seconds after which a job that nobody has begun becomes `expired`. Default 86,400. */
  expiresInSeconds?: number;
  /** Seconds that finished jobs and their pictures are kept. Default 86,400. */
  retentionSeconds?: number;
  /** Seconds that idempotency keys are kept, but no longer than their job is. Default 86,400. */
  idempotencySeconds?: number;
  /** How often a job is begun when its workers are lost or fail for passing reasons. Default 3. */
  maxAttempts?: number;
  /** A worker that was not heard of for so many seconds counts as lost, and its jobs go to others. Default 30. */
  leaseSeconds?: number;
  /** Progress events kept a job; of previews 8 are. Default 200. */
  maxEvents?: number;
}
