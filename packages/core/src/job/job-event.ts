import type { FinalJobState, JobFailure, JobProgress, JobResult } from './job.js';

interface CommonEvent {
  /** Counts up within a job, from 1: give the last one seen as `after` to go on from there. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The job waits: as it was submitted, or again after its worker was lost. */
export interface JobQueuedEvent extends CommonEvent {
  readonly type: 'queued';
}

/**
 * The place in the queue changed. Sent while one follows a waiting job, not stored: it carries the `id` of the event before it, or 0.
 */
export interface JobPositionEvent extends CommonEvent {
  readonly type: 'position';
  readonly position: number;
  readonly estimatedWaitSeconds: number | undefined;
}

/** A worker began it. */
export interface JobRunningEvent extends CommonEvent {
  readonly type: 'running';
  /** 1 the first time. */
  readonly attempt: number;
}

export interface JobProgressEvent extends CommonEvent {
  readonly type: 'progress';
  readonly progress: JobProgress;
}

/** A small picture of the running denoising. The latest 8 of a job are kept. */
export interface JobPreviewEvent extends CommonEvent {
  readonly type: 'preview';
  readonly progress: JobProgress;
  readonly preview: {
    /** `image/png` */
    readonly mediaType: string;
    readonly width: number;
    readonly height: number;
    /** The file's bytes; at most 64 KiB. */
    readonly data: Uint8Array;
  };
}

/** The last event of every job, exactly one. */
export interface JobFinishedEvent extends CommonEvent {
  readonly type: 'finished';
  readonly state: FinalJobState;
  readonly result: JobResult | undefined;
  readonly error: JobFailure | undefined;
}

/** What happens to a job, in order. A bounded number is kept a job (200); of progress and previews the oldest go first. */
export type JobEvent =
  | JobQueuedEvent
  | JobPositionEvent
  | JobRunningEvent
  | JobProgressEvent
  | JobPreviewEvent
  | JobFinishedEvent;
