import type { Job, JobProgress, JobRequest, JobResult, JobState } from './job.js';
import type { JobEvent, JobPreviewEvent } from './job-event.js';

export interface ListJobsOptions {
  /** Only this user's. */
  user?: string;
  /** Only jobs in one of these states. */
  states?: readonly JobState[];
  /** Only jobs that go on from this one's result. */
  parent?: string;
  /** 1..1000. Default 50. */
  limit?: number;
  /** Id of a job: only those submitted before it, for the next page. */
  after?: string;
}

export interface FollowOptions {
  /** Id of the last event already seen. Default 0: from the beginning. */
  after?: number;
  /** Ends the following with an `AbortedError`; the job goes on. */
  signal?: AbortSignal;
}

/** What a worker's handler gets. */
export interface JobRun {
  readonly job: Job;
  /** Aborted when the job is cancelled, its lease is lost, or the worker is closed. */
  readonly signal: AbortSignal;
  /**
   * Tells followers how far it is. Returns at once; events are written in order, and when they come faster than the queue stores them only
   * the newest progress goes on. A preview over 64 KiB is left out.
   */
  progress(progress: JobProgress, preview?: JobPreviewEvent['preview']): void;
}

/**
 * Carries out one job. What it throws makes the job fail, unless the job was cancelled. It must end soon after its signal is aborted;
 * a result that comes after the lease was lost is thrown away.
 */
export type JobHandler = (run: JobRun) => Promise<JobResult>;

export interface WorkOptions {
  /** Jobs at once. Default 1. */
  concurrency?: number;
  /** Stops the worker as `close()` without waiting does. */
  signal?: AbortSignal;
  /** Checkpoint and backend of this worker; times are measured and estimated apart for each. Default: empty. */
  measuredAs?: { checkpoint?: string; backend?: string };
  /** Errors after which the job is tried again, up to the queue's `maxAttempts`. Default: none. */
  isTransient?: (error: unknown) => boolean;
  /** Hears errors of jobs (with their id) and of the queue's own connections. Default: nobody. */
  onError?: (error: unknown, id?: string) => void;
}

export interface CloseJobsOptions {
  /** Seconds that running jobs of this process get to finish; then they are aborted and go back into the queue. Default 0. */
  drainSeconds?: number;
}

/** Takes jobs from a queue until it is closed. */
export interface JobWorker {
  /** Jobs that it runs now. */
  readonly running: number;
  /** Takes no more jobs, and ends once running ones finished or went back. Safe to call twice: the shorter wait wins. */
  close(options?: CloseJobsOptions): Promise<void>;
}

export interface JobStats {
  /** Jobs that are kept, by state. */
  readonly states: Readonly<Record<JobState, number>>;
  /** How long the oldest waiting job has waited; 0 when none waits. */
  readonly oldestWaitSeconds: number;
  /** Users with unfinished jobs, those with most first; at most 1000. */
  readonly users: readonly { readonly user: string; readonly queued: number; readonly running: number }[];
  /** Workers alive, and how many jobs they can run at once. */
  readonly workers: number;
  readonly slots: number;
}

export interface TakeDeliveryOptions {
  /** Seconds after which it is due again unless it was settled before. Default 60. */
  leaseSeconds?: number;
}

/** A finished job on its way to whom it was made for. */
export interface JobDelivery {
  readonly job: Job;
  /** How often it was taken, this time included: 1 the first time. */
  readonly attempt: number;
}

/**
 * Jobs and their life. Fair between users: they take turns, so a hundred jobs of one never hold up another's one; within a user the
 * higher priority runs first, then the older job. Everything accepted ends in exactly one final state.
 */
export interface JobQueue {
  /**
   * Accepts a job; once this resolves the queue keeps it (as durably as the queue is).
   * @throws {InvalidArgumentError} naming the first value that is not what it should be.
   * @throws {QueueFullError} when as many jobs wait as the queue takes.
   * @throws {UserLimitError} when the user has as many unfinished jobs as one may have.
   * @throws {IdempotencyConflictError} when the idempotency key came before with another request.
   * @throws {UnknownJobError} when the parent is unknown.
   * @throws {BlobMissingError} when the queue knows its blob store and a picture is not there.
   * @throws {ClosedError}
   */
  submit(request: JobRequest): Promise<Job>;
  /** @throws {UnknownJobError} */
  get(id: string): Promise<Job>;
  /** Newest first. */
  list(options?: ListJobsOptions): Promise<readonly Job[]>;
  /**
   * Cancels a job. A waiting one is `cancelled` at once; of a running one the worker is told, wherever it runs, and `cancelling` is true
   * until it has stopped; one that is done stays as it is.
   * @throws {UnknownJobError}
   */
  cancel(id: string): Promise<Job>;
  /**
   * Forgets a finished job and the pictures that no other job refers to. An unfinished one is refused.
   * @throws {UnknownJobError}
   * @throws {InvalidArgumentError} when it is not finished: cancel it first.
   */
  remove(id: string): Promise<void>;
  /**
   * What happened to a job since an event, then what happens, until its `finished` event. Any number may follow; a slow one holds up
   * nobody and may miss progress in between, never the end.
   * @throws {UnknownJobError} {AbortedError} {ClosedError} while iterating.
   */
  events(id: string, options?: FollowOptions): AsyncIterable<JobEvent>;
  /**
   * Takes the finished job that has been due longest out of an outbox (`JobRequest.outbox`); undefined when none is due. Nobody else gets it
   * until its lease is over: a process that dies on the way delays a result and loses none. It lasts as long as its job is kept.
   */
  takeDelivery(outbox: string, options?: TakeDeliveryOptions): Promise<JobDelivery | undefined>;
  /**
   * Ends a delivery, or puts it off. Nothing happens when the job has none, or is forgotten.
   * @param options.retryAt When it is due again, in milliseconds since 1970. Default: never, it is done.
   */
  settleDelivery(id: string, options?: { retryAt?: number }): Promise<void>;
  /** Starts to carry out jobs in this process. */
  work(handler: JobHandler, options?: WorkOptions): JobWorker;
  stats(): Promise<JobStats>;
  /** Closes this process's workers and followers, then its connections. Safe to call twice. Jobs stay, except in memory. */
  close(options?: CloseJobsOptions): Promise<void>;
}
