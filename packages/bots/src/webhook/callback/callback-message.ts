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
 * What a receiver gets: the job without its instructions, which can be long, and links instead of pictures. The same at each attempt.
 */
export function callbackMessage(job: Job, target: CallbackTarget): { id: string; body: string } {
  const { instruction: _, result, ...view } = viewJob(job, target.jobsUrl);
  const images = result?.images.map(({ instruction: __, ...image }) => image);
  const message = {
    type: `job.${job.state}`,
    timestamp: view.finished_at ?? view.created_at,
    data: { ...view, result: result === null ? null : { ...result, images } },
  };
  return { id: `msg_${job.id}`, body: JSON.stringify(message) };
}
