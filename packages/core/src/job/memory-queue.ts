import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { createJobQueue } from './create-job-queue.js';
import type { JobQueue } from './job-queue.js';
import type { JobQueueOptions } from './job-queue-options.js';
import { MemoryJobStore } from './memory-job-store.js';

export interface MemoryQueueOptions extends JobQueueOptions {
  /** Finished jobs that are kept; beyond it the longest finished are forgotten before their time. Default 5000. */
  maxFinished?: number;
}

/**
 * A queue in this process's memory: nothing to install, gone with the process.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @example
 * ```ts
 * import { createFolderBlobStore, createMemoryQueue, runJobs, waitForJob } from '@vibe-edit/core';
 * import { createEditor } from 'vibe-edit';
 * import { readFile } from 'node:fs/promises';
 *
 * const blobs = createFolderBlobStore({ folder: './pictures' });
 * const queue = createMemoryQueue({ blobs });
 * const worker = runJobs({ queue, blobs, editor: await createEditor() });
 *
 * const image = await blobs.put(await readFile('photo.jpg'), { mediaType: 'image/jpeg' });
 * const { id } = await queue.submit({ kind: 'edit', user: 'alice', image, instruction: 'make it warmer' });
 * const job = await waitForJob({ queue, id });
 * if (job.state === 'succeeded') console.log(await blobs.get(job.result!.images[0]!));
 * await worker.close({ drainSeconds: 60 });
 * await queue.close();
 * ```
 */
export function createMemoryQueue(options: MemoryQueueOptions = {}): JobQueue {
  const { maxFinished = 5000, ...shared } = options;
  if (!Number.isInteger(maxFinished) || maxFinished < 1)
    throw new InvalidArgumentError({
      argument: 'maxFinished',
      expected: 'a whole number from 1',
      received: String(maxFinished),
    });
  return createJobQueue({ ...shared, store: new MemoryJobStore({ maxFinished }) });
}
