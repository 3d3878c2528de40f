import { createJobQueue, type JobQueue, type JobQueueOptions, MissingPackageError } from '@vibe-edit/core';
import { BullmqJobStore } from './bullmq-job-store.js';
import { createRedisClient } from './redis-client.js';
import { checkRedisOptions, connectionOptions } from './redis-options.js';
import { createSlots } from './slots.js';
import { tellOutages } from './tell-outages.js';

export interface BullmqQueueOptions extends JobQueueOptions {
  /** `redis://` or `rediss://` URL. Default `redis://127.0.0.1:6379`. */
  url?: string;
  /** Name of the queue: all processes with the same name share it. Letters, digits, `-` and `_`. Default `jobs`. */
  name?: string;
  /** Hears errors of the connections; they come back by themselves. Default: nobody. */
  onError?: (error: unknown) => void;
}

/**
 * A queue on Redis for any number of machines, on BullMQ. Jobs, events and cancels cross machines; a job whose worker was not heard of for
 * `leaseSeconds` goes to another one. While Redis is away its methods fail with a `QueueUnavailableError`. What Redis keeps is as durable as Redis is set up to be: see the page on jobs. Needs Redis 6.2 or later
 * and the packages `bullmq` and `ioredis`.
 * @throws {MissingPackageError} when a package is not installed.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @example
 * ```ts
 * import { createBullmqQueue } from '@vibe-edit/jobs/bullmq';
 * import { createS3BlobStore } from '@vibe-edit/jobs/s3';
 *
 * const blobs = await createS3BlobStore({ bucket: 'pictures' });
 * const queue = await createBullmqQueue({ url: 'redis://queue.internal:6379', blobs });
 * ```
 */
export async function createBullmqQueue(options: BullmqQueueOptions = {}): Promise<JobQueue> {
  const { onError = () => {} } = options;
  const { url, name } = checkRedisOptions(options);
  const { bullmq, ioredis } = await loadPackages();
  const create = (retries?: null) => new ioredis.Redis(url, connectionOptions(retries));
  const tag = `{vibe-edit-${name}}`;
  const redis = await createRedisClient({
    commands: create(),
    subscriber: create(null),
    prefix: `${tag}:`,
    onError,
  });
  const connections = { queue: create(), worker: create(null) };
  const slots = createSlots({ bullmq, name, prefix: `${tag}:bull`, connections, onError });
  const place = { where: `a Redis at ${new URL(url).host}` };
  const store = new BullmqJobStore({ redis: tellOutages(redis, place), slots: tellOutages(slots, place) });
  return createJobQueue({ ...options, store });
}

async function loadPackages() {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, ioredis };
  } catch (cause) {
    throw new MissingPackageError({ what: 'The queue on Redis', packages: ['bullmq', 'ioredis'], cause });
  }
}
