import { createMemoryBlobStore, createMemoryQueue, type JobQueue, QueueUnavailableError } from '@vibe-edit/core';
import { createBullmqQueue } from '@vibe-edit/jobs/bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.js';
import { json, picture, startServer } from './webhook-fixture.js';

/** Ways for a Redis to be away: nobody listens any more, or nobody answers. */
const OUTAGES: readonly (readonly [name: string, begin: (redis: RedisServer) => void])[] = [
  ['is gone', (redis) => redis.stop()],
  ['says nothing', (redis) => redis.pause()],
];

test.skipIf(!hasRedis).each(OUTAGES)(
  'a Redis that %s is a 503 to whoever submits, reads or cancels',
  async (_, begin) => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const blobs = createMemoryBlobStore();
    const queue = await createBullmqQueue({ url: redis.url, blobs });
    onTestFinished(() => queue.close());
    const logged: object[] = [];
    const logger = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object) => void logged.push(fields),
    };
    // The limits are counted here, and do not notice.
    const server = await startServer({ worker: false, queue, blobs, logger });
    const accepted = await server.request('/v1/jobs', json({ instruction: 'a boat' }));
    const { links } = await accepted.json();
    expect(accepted.status).toBe(202);

    begin(redis);
    const answers = await Promise.all([
      server.request('/v1/jobs', json({ instruction: 'a boat' })),
      server.request('/v1/images/generations', json({ prompt: 'a boat' })),
      ...['/v1/jobs', '/v1/queue', '/metrics', links.self, links.result, links.events].map((path) =>
        server.request(path),
      ),
      server.request(links.self, { method: 'DELETE' }),
    ]);
    for (const answer of answers) {
      expect([answer.url, answer.status, answer.headers.get('retry-after')]).toEqual([answer.url, 503, '5']);
      expect((await answer.json()).error).toEqual({
        message: 'The queue cannot be reached right now; try again soon',
        type: 'server_error',
        param: null,
        code: 'queue_unavailable',
      });
    }
    expect(logged).toContainEqual(expect.objectContaining({ err: expect.any(QueueUnavailableError) }));
    expect((await server.request('/readyz')).status).toBe(503);
    expect((await server.request('/healthz')).status).toBe(200);
    // Whoever closes its connections next need not wait for it.
    redis.stop();
  },
);

/** A queue in memory, with one function of its own. */
function queueWith(change: (queue: JobQueue) => Partial<JobQueue>) {
  const blobs = createMemoryBlobStore();
  const queue = createMemoryQueue({ blobs });
  onTestFinished(() => queue.close());
  return { blobs, queue: { ...queue, ...change(queue) } };
}

const away = () => new QueueUnavailableError({ where: 'a Redis at redis.internal', cause: new Error('gone') });

test('a job that was taken although nobody could say so has its picture when it is submitted again', async () => {
  let submissions = 0;
  const parts = queueWith((queue) => ({
    async submit(request) {
      const job = await queue.submit(request);
      if (++submissions === 1) throw away();
      return job;
    },
  }));
  const server = await startServer({ worker: false, ...parts });
  const image = (await picture()).toString('base64');
  const request = json({ instruction: 'x', image }, { 'idempotency-key': 'order-1' });
  expect((await server.request('/v1/jobs', request)).status).toBe(503);
  const again = await server.request('/v1/jobs', request);
  expect(again.status).toBe(202);
  expect((await parts.queue.stats()).states.queued).toBe(1);
  const { id } = await again.json();
  expect(await parts.blobs.exists((await parts.queue.get(id)).request.image?.key ?? '')).toBe(true);
});

test('a client of OpenAI does not start a second edit for one that goes on', async () => {
  const parts = queueWith(() => ({
    // biome-ignore lint/correctness/useYield: nothing comes
    async *events() {
      throw away();
    },
  }));
  const server = await startServer({ worker: false, ...parts });
  const answer = await server.request('/v1/images/generations', json({ prompt: 'a boat' }));
  expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([503, 'false']);
  const id = answer.headers.get('x-job-id') as string;
  expect((await parts.queue.get(id)).state).toBe('queued');
});
