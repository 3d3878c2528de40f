import { createApiKey } from '@vibe-edit/bots/webhook';
import { createMemorySharedState, type SharedState } from '@vibe-edit/core';
import { createRedisSharedState } from '@vibe-edit/jobs/bullmq';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../jobs/redis-server.js';
import { startReceiver } from './callback-receiver.js';
import { eventually, json, startServer } from './webhook-fixture.js';

/** Gives each server of a test its own way to what they share. */
type Share = () => Promise<SharedState>;

async function inMemory(): Promise<Share> {
  const state = createMemorySharedState();
  return async () => state;
}

async function onRedis(): Promise<Share> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  return async () => {
    const state = await createRedisSharedState({ url: redis.url });
    onTestFinished(() => state.close());
    return state;
  };
}

describe.each([
  ['in memory', true, inMemory],
  ['on Redis', hasRedis, onRedis],
] as const)('two servers that share %s', (_, isThere, open) => {
  test.skipIf(!isThere)('keep the limits of a caller together', async () => {
    const share = await open();
    const alice = createApiKey({ name: 'alice', limits: { requestsPerMinute: 4, jobsPerHour: 1 } });
    const bob = createApiKey({ name: 'bob' });
    const auth = { keys: [alice.record, bob.record] };
    const first = await startServer({ worker: false, auth, shared: await share() });
    const second = await startServer({ worker: false, auth, shared: await share() });
    const job = { ...json({ instruction: 'a boat' }), key: alice.key };
    expect((await first.request('/v1/jobs', job)).status).toBe(202);
    const refused = await second.request('/v1/jobs', job);
    expect([refused.status, (await refused.json()).error.code]).toEqual([429, 'rate_limit_exceeded']);
    expect(refused.headers.get('ratelimit')).toMatch(/^"requests";r=2;t=\d+, "jobs";r=0;t=\d+$/);
    const status = async (server: typeof first, key: string) => (await server.request('/v1/models', { key })).status;
    expect([await status(first, alice.key), await status(second, alice.key)]).toEqual([200, 200]);
    expect([await status(first, alice.key), await status(second, alice.key)]).toEqual([429, 429]);
    expect(await status(first, bob.key)).toBe(200);
  });

  test.skipIf(!isThere)('leave a receiver alone that told one of them that it is gone', async () => {
    const share = await open();
    const callbacks = { secret: 'a secret of the server that is long enough', pollSeconds: 0.02 };
    const fetch = { allowedAddresses: ['127.0.0.1/32'] };
    const first = await startServer({ callbacks, fetch, worker: false, shared: await share() });
    const second = await startServer({ callbacks, fetch, worker: false, shared: await share() });
    const gone = await startReceiver([[410]]);
    const cancelOne = async (server: typeof first) => {
      const accepted = await server.request('/v1/jobs', json({ instruction: 'x', callback_url: gone.url }));
      await server.request((await accepted.json()).links.self, { method: 'DELETE' });
    };
    await cancelOne(first);
    await eventually(() => gone.received.length).toBe(1);
    await eventually(() => first.queue.takeDelivery('callback')).toBe(undefined);
    await cancelOne(second);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(gone.received).toHaveLength(1);
  });
});

test.skipIf(!hasRedis)(
  'a Redis that does not answer is a 503, and what it counted is there when it is back',
  async () => {
    const redis = await startRedis({ appendOnly: true });
    onTestFinished(() => redis.stop());
    const shared = await createRedisSharedState({ url: redis.url });
    onTestFinished(() => shared.close());
    const { key, record } = createApiKey({ name: 'alice', limits: { requestsPerMinute: 2 } });
    const server = await startServer({ worker: false, auth: { keys: [record] }, shared });
    expect((await server.request('/v1/models', { key })).status).toBe(200);
    let during: Response | undefined;
    const back = redis.restart({ afterMs: 3000 });
    await eventually(async () => {
      during = await server.request('/v1/models', { key });
      return during.status;
    }).toBe(503);
    expect(during?.headers.get('retry-after')).toBe('5');
    await back;
    await eventually(async () => (await server.request('/v1/models', { key })).status).toBe(429);
  },
);
