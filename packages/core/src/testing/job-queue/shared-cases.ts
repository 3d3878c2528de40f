import assert from 'node:assert/strict';
import type { Case } from './life-cases.js';
import { aborted, emptyResult, finished, instantly, requestOf, until } from './world.js';

/** Several queues on one store, as several processes have them. */
export const SHARED_CASES: readonly Case[] = [
  [
    'one submits and follows, another works; progress and cancels cross',
    async (world) => {
      const front = await world.open();
      const back = await world.open();
      const stage = world.stage();
      back.work(stage.handler);
      const { id } = await front.submit(requestOf('alice'));
      const types: string[] = [];
      const following = (async () => {
        for await (const event of front.events(id)) if (event.type !== 'position') types.push(event.type);
      })();
      const started = await stage.next();
      started.progress({ stage: 'denoise', step: 1, steps: 2 });
      await until(async () => assert.equal((await front.get(id)).progress?.step, 1));
      started.succeed();
      await following;
      assert.deepEqual(types, ['queued', 'running', 'progress', 'finished']);
      const other = await front.submit(requestOf('alice'));
      const next = await stage.next();
      await front.cancel(other.id);
      await aborted(next.signal);
      next.fail(next.signal.reason);
      assert.equal((await finished(front, other.id)).state, 'cancelled');
    },
  ],
  [
    'each job runs once however many take',
    async (world) => {
      const queues = await Promise.all([world.open(), world.open(), world.open()].map((queue) => queue));
      const [front] = queues;
      assert.ok(front !== undefined);
      const runs = new Map<string, number>();
      for (const queue of queues)
        queue.work(
          async ({ job }) => {
            runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
            await new Promise((resolve) => setTimeout(resolve, 1));
            return emptyResult();
          },
          { concurrency: 2 },
        );
      const jobs = [];
      for (let index = 0; index < 90; index += 1)
        jobs.push(await (queues[index % 3] ?? front).submit(requestOf(`user-${index % 9}`)));
      for (const { id } of jobs) assert.equal((await finished(front, id)).state, 'succeeded');
      assert.equal(runs.size, 90);
      assert.ok([...runs.values()].every((count) => count === 1));
    },
  ],
  [
    'caps, idempotency keys and jobs hold across queues, and outlast them',
    async (world) => {
      const first = await world.open({ maxPerUser: 2 });
      const second = await world.open({ maxPerUser: 2 });
      const request = requestOf('alice', { idempotencyKey: 'k' });
      const jobs = await Promise.all([first, second, first, second].map((queue) => queue.submit(request)));
      assert.equal(new Set(jobs.map(({ id }) => id)).size, 1);
      await second.submit(requestOf('alice'));
      await assert.rejects(first.submit(requestOf('alice')), { code: 'VIBE_USER_LIMIT' });
      const settings = { numInferenceSteps: 4 };
      const timed = await first.submit(requestOf('bob', { settings }));
      first.work(instantly);
      await finished(second, timed.id);
      await until(async () => assert.ok((await second.get(timed.id)).estimatedRunSeconds !== undefined));
      await Promise.all([first.close(), second.close()]);
      const later = await world.open();
      assert.equal((await later.list()).length, 3);
      assert.equal((await later.get(timed.id)).state, 'succeeded');
      assert.ok((await later.get(timed.id)).estimatedRunSeconds !== undefined);
      assert.equal((await later.submit(request)).id, jobs[0]?.id);
    },
  ],
];
