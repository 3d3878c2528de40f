import type { Job } from '@vibe-edit/core';
import { viewFailure } from '../error-response.js';
import type { JobView } from './job-schema.js';

const time = (milliseconds: number | undefined): string | null =>
  milliseconds === undefined ? null : new Date(milliseconds).toISOString();

/**
 * A job as its owner sees it.
 * @param jobsUrl Where jobs are, e.g. `/v1/jobs`; the links begin with it.
 */
export function viewJob(job: Job, jobsUrl: string): JobView {
  const self = `${jobsUrl}/${job.id}`;
  const { instruction, kind } = job.request;
  return {
    id: job.id,
    object: 'job',
    state: job.state,
    kind,
    instruction: typeof instruction === 'string' ? instruction : [...instruction],
    parent: job.parent ?? null,
    priority: job.priority,
    position: job.position ?? null,
    estimated_wait_seconds: job.estimatedWaitSeconds ?? null,
    estimated_run_seconds: job.estimatedRunSeconds ?? null,
    created_at: new Date(job.createdAt).toISOString(),
    started_at: time(job.startedAt),
    finished_at: time(job.finishedAt),
    expires_at: time(job.expiresAt),
    attempts: job.attempts,
    cancelling: job.cancelling,
    progress: job.progress ?? null,
    result:
      job.result === undefined
        ? null
        : {
            images: job.result.images.map((image, index) => ({
              url: `${self}/result/${index}`,
              media_type: image.mediaType,
              width: image.width,
              height: image.height,
              bytes: image.bytes,
              sha256: image.sha256,
              instruction: image.instruction,
            })),
            seed: job.result.seed,
            warnings: [...job.result.warnings],
            seconds: job.result.seconds,
          },
    error: job.error === undefined ? null : viewFailure(job.error),
    links: { self, events: `${self}/events`, result: `${self}/result` },
  };
}
