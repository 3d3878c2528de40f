import {
  createJobQueue,
  InvalidArgumentError,
  type JobQueue,
  type JobQueueOptions,
  MissingPackageError,
} from '@vibe-edit/core';
import { BullmqJobStore } from './bullmq-job-store.js';
import { createRedisClient } from './redis-client.js';
import { createSlots } from './slots.js';

export interface BullmqQueueOptions extends JobQueueOptions {
  /** `redis://` or `rediss://` URL. Default `redis://127.0.0.1:6379`. */
  url?: string;
  /** Name of the queue: all processes with the same name share it. Letters, digits, `-` and `_`. Default `jobs`. */
  name?: string;
  /** Hears errors of the connections; they come back by themselves. Default: nobody. */
  onError?: (error: unknown) => void;
}

/** Milliseconds that connecting may take. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A command fails after so many tries, seconds in all: whoever asked hears it instead of waiting for ever. */
const RETRIES = 5;

/**
 * A queue on Redis for any number of machines, on BullMQ. Jobs, events and cancels cross machines; a job whose worker was not heard of for
 * `leaseSeconds` goes to another one. What Redis keeps is as durable as Redis is set up to be: see the page on jobs. Needs Redis 6.2 or later
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
  const { url = 'redis://127.0.0.1:6379', name = 'jobs', onError = () => {}, ...shared } = options;
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url))
    fail('url', 'a redis:// or rediss:// URL', url.split('@').at(-1));
  if (!/^[\w-]{1,64}$/.test(name)) fail('name', 'letters, digits, - and _', name);
  const { bullmq, ioredis } = await loadPackages();
  const create = (maxRetriesPerRequest: number | null) =>
    new ioredis.Redis(url, { connectTimeout: CONNECT_TIMEOUT_MS, maxRetriesPerRequest });
  const tag = `{vibe-edit-${name}}`;
  const redis = await createRedisClient({
    commands: create(RETRIES),
    subscriber: create(null),
    prefix: `${tag}:`,
    onError,
  });
  const connections = { queue: create(RETRIES), worker: create(null) };
  const slots = createSlots({ bullmq, name, prefix: `${tag}:bull`, connections, onError });
  return createJobQueue({ ...shared, store: new BullmqJobStore({ redis, slots }) });
}

async function loadPackages() {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, ioredis };
  } catch (cause) {
    throw new MissingPackageError({ what: 'The queue on Redis', packages: ['bullmq', 'ioredis'], cause });
  }
}

function fail(argument: string, expected: string, received: unknown): never {
  throw new InvalidArgumentError({ argument, expected, received: String(received) });
}
