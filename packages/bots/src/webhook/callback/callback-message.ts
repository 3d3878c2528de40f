import type { Job } from '@vibe-edit/core';
import { viewJob } from '../jobs/view-job.js';

/** Outbox of the queue that jobs with a `callback_url` go into. */
export const CALLBACK_OUTBOX = 'callback';

/** Where a finished job is to be reported; kept in the job's metadata. */
export interface CallbackTarget {
  readonly url: string;
  /** Where jobs are: links in the message begin with it. */
  readonly jobsUrl: string;
}

export function callbackMetadata(target: CallbackTarget): { callback: { url: string; jobsUrl: string } } {
  return { callback: { ...target } };
}

/** The target in a job's metadata; undefined when it has none. */
export function callbackTarget(job: Job): CallbackTarget | undefined {
  const target = job.request.metadata?.callback;
  if (typeof target !== 'object' || target === null || !('url' in target)) return undefined;
  const { url, jobsUrl } = target;
  if (typeof url !== 'string' || typeof jobsUrl !== 'string') return undefined;
  return { url, jobsUrl };
}

/**
 * What a receiver gets: what does not change any more of a finished job, without its instructions, which can be long, and with links
 * instead of pictures. The same at each attempt.
 */
export function callbackMessage(job: Job, target: CallbackTarget): { id: string; body: string } {
  const { id, object, state, kind, parent, created_at, started_at, finished_at, result, error, links } = viewJob(
    job,
    target.jobsUrl,
  );
  const images = result?.images.map(({ instruction: _, ...image }) => image);
  const message = {
    type: `job.${state}`,
    timestamp: finished_at ?? created_at,
    data: {
      ...{ id, object, state, kind, parent, created_at, started_at, finished_at },
      result: result === null ? null : { ...result, images },
      error,
      links,
    },
  };
  return { id: `msg_${id}`, body: JSON.stringify(message) };
}
