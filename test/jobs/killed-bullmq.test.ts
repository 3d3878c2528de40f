import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBullmqQueue } from '@vibe-edit/jobs/bullmq';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startBreakableProxy } from './breakable-proxy.js';
import { killRounds } from './kill-rounds.js';
import { hasRedis, type RedisServer, startRedis } from './redis-server.js';
import { stoppedWorker } from './stopped-worker.js';

describe.skipIf(!hasRedis)('on a real Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-killed-'));
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => {
    redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('20 times kill -9 under load, three servers: nothing accepted is lost, given twice or to another', async () => {
    // Jobs here take milliseconds and a server is killed each second, so some job meets more kills than one would in earnest.
    const queueOptions = { url: redis.url, maxAttempts: 20, leaseSeconds: 1 };
    await killRounds({
      module: '@vibe-edit/jobs/bullmq',
      create: 'createBullmqQueue',
      queueOptions,
      folder: join(folder, 'blobs'),
      rounds: 20,
      servers: 3,
      open: () => createBullmqQueue(queueOptions),
    });
  }, 240_000);

  test('5 times kill -9 of Redis itself under load, two servers: nothing accepted is lost, given twice or to another', async () => {
    const kept = await startRedis({ appendOnly: true });
    onTestFinished(() => kept.stop());
    const queueOptions = { url: kept.url, maxAttempts: 20, leaseSeconds: 1 };
    await killRounds({
      module: '@vibe-edit/jobs/bullmq',
      create: 'createBullmqQueue',
      queueOptions,
      folder: join(folder, 'kept-blobs'),
      rounds: 5,
      servers: 2,
      // Longer than a command is tried again.
      outage: () => kept.restart({ afterMs: 1500 }),
      open: () => createBullmqQueue(queueOptions),
    });
  }, 240_000);

  test('connections break 30 times under load, answers are lost: the same', async () => {
    const proxy = await startBreakableProxy({ port: Number(new URL(redis.url).port) });
    onTestFinished(() => proxy.stop());
    const queueOptions = { url: `redis://127.0.0.1:${proxy.port}`, name: 'broken', maxAttempts: 20, leaseSeconds: 1 };
    await killRounds({
      module: '@vibe-edit/jobs/bullmq',
      create: 'createBullmqQueue',
      queueOptions,
      folder: join(folder, 'broken-blobs'),
      rounds: 30,
      servers: 2,
      outage: async () => expect(await proxy.breakConnections()).toBeGreaterThan(0),
      open: () => createBullmqQueue(queueOptions),
    });
  }, 240_000);

  test('a worker that was stopped for long cannot finish what another one took', async () => {
    const queueOptions = { url: redis.url, name: 'stopped', leaseSeconds: 1 };
    await stoppedWorker({
      module: '@vibe-edit/jobs/bullmq',
      create: 'createBullmqQueue',
      queueOptions,
      folder: join(folder, 'stopped-blobs'),
      open: () => createBullmqQueue(queueOptions),
    });
  });
});
