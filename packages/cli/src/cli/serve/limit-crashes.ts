import { HostCrashedError, JobLostError, type JobQueue } from '@vibe-edit/core';

/** Child processes that one job may take with it here. */
const MAX_CRASHES = 3;
/** Jobs remembered; those that went to another worker are never heard of again. */
const MAX_JOBS = 1000;

/**
 * The same queue, but a job that its child process died under three times here fails. The death of a whole server or worker says little
 * about the job that it had, and many of them are allowed (`maxAttempts`); a child's says much: each time a large checkpoint is loaded anew.
 */
export function limitCrashes(queue: JobQueue): JobQueue {
  const crashes = new Map<string, number>();
  return {
    ...queue,
    work: (handler, options) =>
      queue.work(async (run) => {
        const { id } = run.job;
        const before = crashes.get(id) ?? 0;
        crashes.delete(id);
        try {
          return await handler(run);
        } catch (error) {
          if (!(error instanceof HostCrashedError)) throw error;
          if (before + 1 >= MAX_CRASHES) throw new JobLostError({ attempts: before + 1 });
          crashes.set(id, before + 1);
          const [oldest] = crashes.keys();
          if (crashes.size > MAX_JOBS && oldest !== undefined) crashes.delete(oldest);
          throw error;
        }
      }, options),
  };
}
