import type { WebhookLogger } from '@vibe-edit/bots/webhook';
import { type JobQueue, VibeError } from '@vibe-edit/core';

/** The same queue, with a line in the log for each job that this process carries out. Says nothing of what is in a job. */
export function logJobs(queue: JobQueue, log: WebhookLogger): JobQueue {
  return {
    ...queue,
    work: (handler, options) =>
      queue.work(async (run) => {
        const { id, attempts, request } = run.job;
        const started = performance.now();
        const fields = () => ({ job: id, kind: request.kind, attempts, ms: Math.round(performance.now() - started) });
        try {
          const result = await handler(run);
          log.info(fields(), 'job succeeded');
          return result;
        } catch (error) {
          // Whatever else comes of an aborted run is not its own failure: it was cancelled, lost, or goes back into the queue.
          if (run.signal.aborted) log.info(fields(), 'job stopped');
          else log.warn({ ...fields(), ...errorFields(error) }, 'job failed');
          throw error;
        }
      }, options),
  };
}

/** Messages about what a person sent may repeat it; the code is enough to tell them apart. */
const ABOUT_REQUESTS: ReadonlySet<string> = new Set([
  'VIBE_INVALID_ARGUMENT',
  'VIBE_INVALID_IMAGE',
  'VIBE_INVALID_INSTRUCTION',
]);

function errorFields(error: unknown): object {
  if (error instanceof VibeError && ABOUT_REQUESTS.has(error.code)) return { code: error.code };
  return { ...(error instanceof VibeError && { code: error.code }), err: error };
}
