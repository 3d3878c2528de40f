import type { JsonObject } from '../checkpoint/parse-json.js';
import type { EditRequest } from '../editor-types.js';
import type { ImageFormat } from '../image/image-codec.js';
import type { Stage } from '../pipeline/progress.js';
import type { Size, Warning } from '../plugin/plugin.js';
import type { BlobReference, PictureReference } from './blob-store.js';

/**
 * `queued` waits for a worker; `running` has one; the others are final. `expired`: nobody began it within its `expiresInSeconds`.
 * ```
 * queued --> running --> succeeded | failed | cancelled
 *   |  ^________|  (worker lost or drained)
 *   '--> cancelled | expired
 * ```
 */
export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'] as const;

export type JobState = (typeof JOB_STATES)[number];

/** States in which nothing more happens to a job. */
export type FinalJobState = Exclude<JobState, 'queued' | 'running'>;

/** Whether a job in this state is done, one way or another. */
export function isFinalState(state: JobState): state is FinalJobState {
  return state !== 'queued' && state !== 'running';
}

/** The editor's settings that a job carries; what is left out is the editor's default. See `EditRequest`. */
export type JobSettings = Pick<
  EditRequest,
  'seed' | 'numInferenceSteps' | 'guidanceScale' | 'imageGuidanceScale' | 'numImages' | 'geometry' | 'preserve'
> & {
  /** Size of the result. Default: the source's. */
  size?: Size;
};

/** What is to be done, as a caller submits it. Plain data. */
export interface JobRequest {
  /** `edit` changes a picture, `generate` makes one from a description. */
  kind: 'edit' | 'generate';
  /** For whom: shares and caps are counted by it. 1 to 256 characters, e.g. `discord:1234` or the name of an API key. */
  user: string;
  /** One sentence, or several to be carried out apart; at most 4,000 characters each. */
  instruction: string | readonly string[];
  /**
   * The source; needed by `edit`, refused by `generate`. Give `width` and `height` where they are known: estimates of waiting times get
   * better. May be a picture of another job's result. The queue deletes it when the last job that refers to it is forgotten.
   */
  image?: BlobReference | PictureReference;
  /** Where pixels may change, as `EditRequest.mask`. */
  mask?: BlobReference;
  settings?: JobSettings;
  /** How results are written. Default PNG. */
  output?: {
    format?: ImageFormat;
    /** 1..100, for JPEG, WebP and AVIF. */
    quality?: number;
  };
  /** Send small pictures of the running denoising as events. Default false. */
  previews?: boolean;
  /** Among the jobs of the same user a higher one runs first; it gives no advantage over others. Whole number, -100..100. Default 0. */
  priority?: number;
  /**
   * Any string of 1 to 256 characters. The same user's second `submit` with it within 24 hours gives the first job and starts nothing; blobs
   * that came with the second and that no job refers to are deleted. Requests are compared without blob keys (each upload has its own) but
   * with the bytes' digests.
   */
  idempotencyKey?: string;
  /** Id of the job whose result this one goes on from: the edit tree. A reference only; the source is still `image`. */
  parent?: string;
  /** Seconds after which a job that nobody has begun becomes `expired`. Default: the queue's, 24 hours if nothing else was set. */
  expiresInSeconds?: number;
  /** Seconds that the finished job and its pictures are kept. Default: the queue's, 24 hours if nothing else was set. */
  retentionSeconds?: number;
  /**
   * Outbox that the job goes into once it is finished, in whatever state, for whoever hands results out: see `JobQueue.takeDelivery`.
   * 1 to 64 characters, e.g. `callback` or `discord`. Default: none.
   */
  outbox?: string;
  /** Anything the submitter wants back with the job, e.g. a callback URL or chat and message ids. At most 16 KiB as JSON. */
  metadata?: JsonObject;
}

/** One picture of a result. */
export interface JobImage extends PictureReference {
  /** The instruction it follows. */
  readonly instruction: string;
}

export interface JobResult {
  /** All of the first instruction first; at least one. */
  readonly images: readonly JobImage[];
  readonly seed: number;
  readonly warnings: readonly Warning[];
  /** Seconds spent in each stage; `queue` does not count the job's own waiting. */
  readonly seconds: Readonly<Record<Stage, number>>;
}

/** Why a job failed, was cancelled or expired. */
export interface JobFailure {
  /** Stable, e.g. `VIBE_INVALID_IMAGE`; `VIBE_INTERNAL` for an error that has none of its own. */
  readonly code: string;
  /** For people. Of an error without a code of its own no more than that it happened: details stay in the worker's log. */
  readonly message: string;
}

/** How far a running job is; `ProgressEvent` without its picture. */
export interface JobProgress {
  readonly stage: Stage;
  /** Denoising steps done. */
  readonly step: number;
  /** Denoising steps in all. */
  readonly steps: number;
}

/** A job as it stands at one moment: plain data, safe as JSON. Times are milliseconds since 1970. */
export interface Job {
  /** 32 characters of 0-9a-f, not to be guessed. */
  readonly id: string;
  readonly user: string;
  readonly state: JobState;
  readonly request: JobRequest;
  /** Id of the job whose result this one goes on from. */
  readonly parent: string | undefined;
  readonly priority: number;
  /** While queued: jobs that will begin before it if nobody else submits; 0 is next. */
  readonly position: number | undefined;
  /** While queued: seconds until it begins, from measured times. Undefined before anything was measured, or while no worker is there. */
  readonly estimatedWaitSeconds: number | undefined;
  /** Seconds that running it takes, from measured times; undefined before anything was measured. */
  readonly estimatedRunSeconds: number | undefined;
  readonly createdAt: number;
  /** Start of the latest attempt. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** While queued: when it becomes `expired`. Finished: when it is forgotten. */
  readonly expiresAt: number | undefined;
  /** How often a worker began it. More than 1: a worker was lost on the way. */
  readonly attempts: number;
  /** A cancel was asked for and the worker has not stopped yet. */
  readonly cancelling: boolean;
  readonly progress: JobProgress | undefined;
  /** Set exactly when `succeeded`. */
  readonly result: JobResult | undefined;
  /** Set when `failed`, `cancelled` or `expired`. */
  readonly error: JobFailure | undefined;
}
