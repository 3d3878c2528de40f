import { createJobQueue, type JobQueue, type JobQueueOptions } from '@vibe-edit/core';
import { openDatabase } from './database.js';
import { LibsqlJobStore } from './libsql-job-store.js';

export interface LibsqlQueueOptions extends JobQueueOptions {
  /** Path of the file; made when it is not there, readable for its owner only. On a local disk: not on a network share. */
  file: string;
}

/**
 * A queue in a file: jobs, events, results and trees survive the process, however it ends, and several processes of one machine may
 * share it. An accepted job is on the disk. Jobs of a process that died go back into the queue as soon as another one looks. Needs the
 * package `libsql`.
 * @throws {MissingPackageError} when `libsql` is not installed.
 * @throws {InvalidArgumentError} when an option is not what it should be, or the file is something else.
 * @example
 * ```ts
 * import { createFolderBlobStore } from '@vibe-edit/core';
 * import { createLibsqlQueue } from '@vibe-edit/jobs/libsql';
 *
 * const blobs = createFolderBlobStore({ folder: './data/pictures' });
 * const queue = await createLibsqlQueue({ file: './data/jobs.db', blobs });
 * ```
 */
export async function createLibsqlQueue({ file, ...options }: LibsqlQueueOptions): Promise<JobQueue> {
  return createJobQueue({ ...options, store: new LibsqlJobStore(await openDatabase(file)) });
}
