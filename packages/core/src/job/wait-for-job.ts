import type { Job } from './job.js';
import type { JobEvent } from './job-event.js';
import type { FollowOptions, JobQueue } from './job-queue.js';

/**
 * Follows a job until its final state, and gives it as it is then; it may have failed.
 * @param options.onEvent Hears its events on the way.
 * @throws {UnknownJobError} {AbortedError} {ClosedError}
 */
export async function waitForJob(
  options: { queue: JobQueue; id: string; onEvent?: (event: JobEvent) => void } & FollowOptions,
): Promise<Job> {
  const { queue, id, onEvent, ...follow } = options;
  for await (const event of queue.events(id, follow)) onEvent?.(event);
  return queue.get(id);
}
