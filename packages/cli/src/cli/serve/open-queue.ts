import { join } from 'node:path';
import {
  type BlobStore,
  createFolderBlobStore,
  createMemorySharedState,
  type JobQueue,
  MissingPackageError,
  QueueUnavailableError,
  type SharedState,
} from '@vibe-edit/core';
import type { Settings } from './settings-schema.js';

/** Pictures that lie so long in a folder and that no job refers to were left by a process that was killed: nobody takes so long to submit one. */
const SWEEP_AFTER_SECONDS = 24 * 60 * 60;

/** Where pictures lie: a bucket if one was named, else a folder of the data folder, which each queue has for itself. */
export async function openBlobs(settings: Settings, data: string): Promise<BlobStore> {
  const { s3Bucket: bucket, s3Prefix: prefix, s3Endpoint: endpoint, s3Region: region, redis, queueName } = settings;
  if (bucket === undefined) {
    return createFolderBlobStore({ folder: join(data, redis === undefined ? 'pictures' : `pictures-${queueName}`) });
  }
  const { createS3BlobStore } = await import('@vibe-edit/jobs/s3');
  return await createS3BlobStore({
    bucket,
    ...(prefix !== undefined && { prefix }),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
  });
}

/**
 * The queue: on Redis if one was named, else in a file of the data folder.
 * @throws {QueueUnavailableError} when Redis does not answer.
 * @throws {MissingPackageError} when a package for it is not installed.
 */
export async function openQueue(
  settings: Settings,
  { data, blobs, onError }: { data: string; blobs: BlobStore; onError: (error: unknown) => void },
): Promise<JobQueue> {
  const {
    redis: url,
    queueName: name,
    leaseSeconds,
    maxAttempts,
    maxQueued,
    maxPerUser,
    expiresInSeconds,
    retentionSeconds,
  } = settings;
  const shared = {
    blobs,
    // What others keep in a bucket is not known here: a rule of the bucket removes what was left there.
    ...(blobs.list !== undefined && { sweepAfterSeconds: SWEEP_AFTER_SECONDS }),
    leaseSeconds,
    maxAttempts,
    maxQueued,
    maxPerUser,
    expiresInSeconds,
    retentionSeconds,
  };
  if (url === undefined) {
    const { createLibsqlQueue } = await import('@vibe-edit/jobs/libsql');
    return await createLibsqlQueue({ ...shared, file: join(data, 'jobs.db') });
  }
  const { createBullmqQueue } = await import('@vibe-edit/jobs/bullmq');
  // While it opens, what goes wrong is the reason that it does not: the commands themselves only tell how often they were tried.
  let opened = false;
  let reason: unknown;
  const hear = (error: unknown): void => {
    if (opened) onError(error);
    else reason = error;
  };
  try {
    const queue = await createBullmqQueue({ ...shared, url, name, onError: hear });
    opened = true;
    return queue;
  } catch (cause) {
    if (cause instanceof MissingPackageError) throw cause;
    throw new QueueUnavailableError({ where: `a Redis at ${new URL(url).host}`, cause: reason ?? cause });
  }
}

/** What servers agree on: on Redis with the queue, else in memory, for then there is one server. */
export async function openSharedState(
  { redis: url, queueName: name }: Settings,
  onError: (error: unknown) => void,
): Promise<SharedState> {
  if (url === undefined) return createMemorySharedState();
  const { createRedisSharedState } = await import('@vibe-edit/jobs/bullmq');
  return await createRedisSharedState({ url, name, onError });
}
