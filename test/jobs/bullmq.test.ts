import { createMemoryBlobStore, InvalidArgumentError } from '@vibe-edit/core';
import { jobQueueConformance } from '@vibe-edit/core/testing';
import { createBullmqQueue } from '@vibe-edit/jobs/bullmq';
import * as runner from 'vitest';
import { hasRedis, type RedisServer, startRedis } from './redis-server.js';

const { afterAll, beforeAll, describe, expect, test } = runner;

describe.skipIf(!hasRedis)('on a real Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  jobQueueConformance({
    name: 'bullmq',
    runner,
    createQueue: ({ storeName, ...options }) => createBullmqQueue({ ...options, url: redis.url, name: storeName }),
  });

  test('a job whose slot never came is found and run', async () => {
    const queue = await createBullmqQueue({
      url: redis.url,
      name: 'no-slot',
      leaseSeconds: 0.5,
      blobs: createMemoryBlobStore(),
    });
    const { id } = await queue.submit({ kind: 'generate', user: 'alice', instruction: 'a house' });
    const { Queue } = await import('bullmq');
    const slots = new Queue('no-slot', { connection: { url: redis.url }, prefix: '{vibe-edit-no-slot}:bull' });
    expect(await slots.getWaitingCount()).toBe(1);
    await slots.drain();
    expect(await slots.getWaitingCount()).toBe(0);
    const ran = new Promise((resolve) => {
      queue.work(async ({ job }) => {
        resolve(job.id);
        throw new Error('enough');
      });
    });
    expect(await ran).toBe(id);
    await slots.close();
    await queue.close();
  });
});

test('wrong options are typed errors', async () => {
  await expect(createBullmqQueue({ url: 'http://localhost' })).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(createBullmqQueue({ name: 'a b' })).rejects.toBeInstanceOf(InvalidArgumentError);
});

test('a Redis that is not there is an error and no wait for ever', async () => {
  await expect(createBullmqQueue({ url: 'redis://127.0.0.1:1' })).rejects.toThrow();
});
