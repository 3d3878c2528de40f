import { type Job, UnknownJobError } from '@vibe-edit/core';
import { notFound } from '../api-error.js';
import type { Caller } from '../webhook-options.js';
import type { WebhookParts } from '../webhook-parts.js';

/** The queue's name for a caller. */
export function queueUser({ name }: Caller): string {
  return `api:${name}`;
}

/**
 * A job of this caller.
 * @throws {ApiError} 404 when there is none, or it is somebody else's: the answers do not differ.
 */
export async function ownJob({ queue }: Pick<WebhookParts, 'queue'>, caller: Caller, id: string): Promise<Job> {
  const unknown = notFound('No job has this id', 'unknown_job');
  if (!/^[0-9a-f]{1,64}$/.test(id)) throw unknown;
  try {
    const job = await queue.get(id);
    if (job.user === queueUser(caller)) return job;
  } catch (error) {
    if (!(error instanceof UnknownJobError)) throw error;
  }
  throw unknown;
}
