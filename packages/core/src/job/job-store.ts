import type { FinalJobState, Job, JobFailure, JobProgress, JobRequest, JobResult, JobState } from './job.js';
import type { JobEvent, JobPreviewEvent } from './job-event.js';
import type { JobStats, ListJobsOptions } from './job-queue.js';

/** A job as a store keeps it. */
export interface JobRecord extends Omit<Job, 'position' | 'estimatedWaitSeconds' | 'estimatedRunSeconds'> {
  /** Counts up with each job of the store: the order they came in. */
  readonly sequence: number;
  /** What its time depends on, see `workloadOf`. */
  readonly workload: string;
}

/** A job on its way in; checked, with every default filled in. */
export interface NewJob {
  readonly id: string;
  readonly request: JobRequest;
  readonly workload: string;
  /** Equal for equal requests. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly idempotentUntil: number;
  readonly expiresAt: number;
  readonly retentionMs: number;
  /** Keys of the blobs that it refers to. */
  readonly blobs: readonly string[];
}

export interface InsertedJob {
  readonly record: JobRecord;
  /** False: the idempotency key stood for this job already. */
  readonly created: boolean;
  /** Of the job that is there. */
  readonly fingerprint: string;
}

/** The right to finish one attempt of a job. Without it nothing about a running job is written. */
export interface Lease {
  readonly id: string;
  /** New for each attempt. */
  readonly token: string;
}

export type LeaseState = 'held' | 'cancelling' | 'lost';

export type JobOutcome =
  | { readonly state: 'succeeded'; readonly result: JobResult; readonly blobs: readonly string[] }
  | { readonly state: 'failed' | 'cancelled'; readonly error: JobFailure };

/** An event of a running job before it has a number. */
export interface NewProgress {
  readonly at: number;
  readonly progress: JobProgress;
  readonly preview?: JobPreviewEvent['preview'];
}

/** Who takes jobs. */
export interface WorkerInfo {
  readonly id: string;
  /** Jobs at once. */
  readonly slots: number;
  readonly checkpoint: string;
  readonly backend: string;
}

/** Measured time of one kind of job on one checkpoint and backend. */
export interface Timing {
  readonly checkpoint: string;
  readonly backend: string;
  readonly workload: string;
  /** Moving mean. */
  readonly seconds: number;
}

/** What waiting times are estimated from. */
export interface QueueLoad {
  /** Jobs that live workers can run at once. */
  readonly slots: number;
  /** Of live workers. */
  readonly workers: readonly { readonly checkpoint: string; readonly backend: string }[];
  readonly queued: readonly { readonly workload: string; readonly count: number }[];
  readonly running: readonly { readonly workload: string; readonly startedAt: number }[];
  readonly timings: readonly Timing[];
}

/** What changed, for those who wait: a job's events or state, that a running job is to be cancelled, that there may be work, or anything of these. */
export type StoreChange =
  | { readonly type: 'job' | 'cancelling'; readonly id: string }
  | { readonly type: 'work' }
  | { readonly type: 'anything' };

/**
 * Where a queue keeps its jobs: the part that differs between implementations. Each method is atomic and safe against any other, from
 * this process or another. `createJobQueue` makes a `JobQueue` of it; `jobQueueConformance` tests the whole.
 *
 * Users take turns: each user with waiting jobs holds a ticket, the lowest goes next and gets the highest new one; who comes in, or comes
 * back after all jobs were taken, starts with the highest new one.
 */
export interface JobStore {
  /**
   * Adds a job in state `queued` with its `queued` event, unless the user's idempotency key stands for one already.
   * @throws {QueueFullError} {UserLimitError} {UnknownJobError} for the parent, {BlobMissingError} for a blob that is about to be deleted.
   */
  insert(job: NewJob, limits: { maxQueued: number; maxPerUser: number }): Promise<InsertedJob>;
  get(id: string): Promise<JobRecord | undefined>;
  /** As `JobQueue.list`; `limit` is always set. */
  list(options: ListJobsOptions & { limit: number }): Promise<readonly JobRecord[]>;
  /** For each id the number of jobs that begin before it; undefined when it does not wait. */
  positions(ids: readonly string[]): Promise<readonly (number | undefined)[]>;
  load(now: number): Promise<QueueLoad>;
  stats(now: number): Promise<JobStats>;

  /** A waiting job is cancelled, a running one is marked `cancelling`; gives the job as it is then. */
  cancel(id: string, options: { now: number; error: JobFailure }): Promise<JobRecord | undefined>;
  /** Forgets a finished job; gives its state as it was. */
  remove(id: string): Promise<JobState | undefined>;

  /** The next job in turn, now `running`, with its `running` event. */
  take(options: {
    worker: string;
    now: number;
    leaseMs: number;
  }): Promise<{ record: JobRecord; lease: Lease } | undefined>;
  /** Prolongs leases, and says which still hold. */
  renew(leases: readonly Lease[], options: { now: number; leaseMs: number }): Promise<readonly LeaseState[]>;
  /** Adds progress events, and drops the oldest over the bounds; nothing happens when the lease is lost. */
  progress(
    lease: Lease,
    events: readonly NewProgress[],
    bounds: { maxEvents: number; maxPreviews: number },
  ): Promise<void>;
  /**
   * Ends a job with its `finished` event, and puts it into its outbox if it has one; so does whatever else ends a job. One that is `cancelling` becomes `cancelled`, whatever the outcome.
   * @returns The state it has now; undefined when the lease was lost.
   */
  finish(
    lease: Lease,
    outcome: JobOutcome,
    options: { now: number; cancelled: JobFailure },
  ): Promise<FinalJobState | undefined>;
  /**
   * Puts a job back. `lost`: it counts as a failed attempt, and after `maxAttempts` of them the job fails with `error`. One that is
   * `cancelling` becomes `cancelled`.
   */
  release(lease: Lease, options: ReleaseOptions): Promise<void>;

  /** Events with a higher number than `after`, in order. */
  events(id: string, after: number): Promise<readonly JobEvent[]>;

  /** Takes the delivery of an outbox that has been due longest; it is due again at `now + leaseMs`. */
  takeDelivery(
    outbox: string,
    options: { now: number; leaseMs: number },
  ): Promise<{ record: JobRecord; attempt: number } | undefined>;
  /** Makes a delivery due at `retryAt`, or ends it. */
  settleDelivery(id: string, retryAt: number | undefined): Promise<void>;

  /** Says that a worker is alive, until `now + leaseMs`. */
  register(worker: WorkerInfo, options: { now: number; leaseMs: number }): Promise<void>;
  unregister(worker: string): Promise<void>;
  /** Adds to a moving mean, see `movingMean`. */
  measure(timing: Timing): Promise<void>;

  /** Expires waiting jobs, drops old progress, forgets finished ones whose time is over, releases jobs of lost workers as `lost`. */
  maintain(options: MaintainOptions): Promise<void>;
  /** Keys of blobs that no job refers to any more; they come again until `collected`. */
  garbage(limit: number): Promise<readonly string[]>;
  collected(keys: readonly string[]): Promise<void>;
  /** Marks blobs that no job refers to as garbage. */
  discard(keys: readonly string[]): Promise<void>;

  /** Calls the listener after each change, of other processes too, soon; a change may be reported twice. One listener. */
  subscribe(listener: (change: StoreChange) => void): void;
  close(): Promise<void>;
}

export interface ReleaseOptions {
  readonly now: number;
  readonly lost: boolean;
  readonly maxAttempts: number;
  /** Why it fails when it is not tried again. */
  readonly error: JobFailure;
  readonly cancelled: JobFailure;
}

export interface MaintainOptions {
  readonly now: number;
  readonly maxAttempts: number;
  readonly expired: JobFailure;
  readonly cancelled: JobFailure;
  readonly lost: JobFailure;
  /** Progress and previews of jobs that finished before this moment are dropped. */
  readonly progressBefore: number;
}

/** How many of the latest values the moving mean of a timing weighs. */
const MEASUREMENTS = 8;

/** The mean after one more value; `count` is the number of values before it. */
export function movingMean(previous: { seconds: number; count: number } | undefined, seconds: number): number {
  if (previous === undefined) return seconds;
  return previous.seconds + (seconds - previous.seconds) / Math.min(previous.count + 1, MEASUREMENTS);
}
