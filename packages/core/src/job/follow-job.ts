import { throwIfAborted } from '../errors/aborted-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { UnknownJobError } from '../errors/unknown-job-error.js';
import type { Bells } from './bells.js';
import { isFinalState, type Job } from './job.js';
import type { JobEvent } from './job-event.js';
import type { FollowOptions } from './job-queue.js';
import type { JobStore } from './job-store.js';

/** Looks again at least so often although no change was reported, ms. */
const LOOK_AGAIN_MS = 2000;
/** A waiting job's position is told at most so often, ms. */
const POSITION_MS = 1000;

/** The events of one job as `JobQueue.events` gives them. */
export async function* followJob(options: {
  id: string;
  follow: FollowOptions;
  store: JobStore;
  bells: Bells;
  describe(id: string): Promise<Job | undefined>;
  isClosed(): boolean;
}): AsyncGenerator<JobEvent, void, undefined> {
  const { id, store, bells, describe, isClosed } = options;
  const { after = 0, signal } = options.follow;
  let last = after;
  let position: number | undefined;
  const bell = bells.hang(id);
  try {
    for (;;) {
      throwIfAborted(signal);
      if (isClosed()) throw new ClosedError('job queue');
      // The state first: events that come after it are seen now or in the next round, and a final state comes with its last event.
      const job = await describe(id);
      if (job === undefined) throw new UnknownJobError(id);
      for (const event of await store.events(id, last)) {
        yield event;
        last = event.id;
        if (event.type === 'finished') return;
      }
      if (isFinalState(job.state)) return;
      if (job.state === 'queued' && job.position !== undefined && job.position !== position) {
        position = job.position;
        const { estimatedWaitSeconds } = job;
        yield { type: 'position', id: last, at: Date.now(), position, estimatedWaitSeconds };
      }
      await bell.next({ timeoutMs: job.state === 'queued' ? POSITION_MS : LOOK_AGAIN_MS, signal });
    }
  } catch (error) {
    // A store that was closed under it fails in its own way.
    throw isClosed() && !signal?.aborted ? new ClosedError('job queue') : error;
  } finally {
    bell.close();
  }
}
