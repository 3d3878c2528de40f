import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.js';
import { becomes, picture, resultSize, startCommand, startServe, submit, testFolder } from './command.js';

describe.skipIf(!hasRedis)('vibe-edit worker', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  const settings = (cwd: string, queue: string) => ({
    VIBE_REDIS: redis.url,
    VIBE_QUEUE_NAME: queue,
    VIBE_DATA: join(cwd, 'shared'),
    VIBE_LEASE_SECONDS: '3',
    // A busy machine is no failure.
    VIBE_DRAIN_SECONDS: '100',
  });
  const startWorker = async (options: { cwd: string; environment: Record<string, string> }) => {
    const worker = startCommand(['worker'], options);
    await worker.logged('working');
    return worker;
  };

  test('workers share the jobs of a server; what a killed one had runs on another', async () => {
    const cwd = await testFolder();
    const options = { cwd, environment: settings(cwd, 'shared') };
    const [server, victim] = await Promise.all([startServe(options, '--concurrency', '0'), startWorker(options)]);
    const long = await submit(server.url, { num_inference_steps: '20' });
    await becomes(server.url, [long], 'running');
    const ids: string[] = [];
    for (let width = 64; width < 96; width += 8)
      ids.push(await submit(server.url, {}, { image: await picture(width) }));
    await victim.end('SIGKILL');

    const workers = await Promise.all([startWorker(options), startWorker(options)]);
    await becomes(server.url, [long, ...ids], 'succeeded');
    for (const [index, id] of ids.entries()) expect(await resultSize(server.url, id)).toBe(`${64 + index * 8}x48`);
    for (const worker of workers) {
      expect(await worker.end('SIGTERM')).toBe(0);
      expect(worker.log.map(({ msg }) => msg)).toContain('job succeeded');
    }
    expect(await server.end('SIGTERM')).toBe(0);
  });

  test('cancels cross processes, and a worker that is told to end finishes its job', async () => {
    const cwd = await testFolder();
    const options = { cwd, environment: settings(cwd, 'cancelled') };
    const [server, worker] = await Promise.all([startServe(options, '--concurrency', '0'), startWorker(options)]);
    const cancelled = await submit(server.url, { num_inference_steps: '100' });
    await becomes(server.url, [cancelled], 'running');
    expect((await fetch(`${server.url}/v1/jobs/${cancelled}`, { method: 'DELETE' })).status).toBe(202);
    await becomes(server.url, [cancelled], 'cancelled');

    const last = await submit(server.url, { num_inference_steps: '20' });
    await becomes(server.url, [last], 'running');
    expect(await worker.end('SIGTERM')).toBe(0);
    await becomes(server.url, [last], 'succeeded');
  });
});
