import assert from 'node:assert/strict';
import { AbortedError } from '../../errors/aborted-error.js';
import { UnknownJobError } from '../../errors/unknown-job-error.js';
import type { JobEvent } from '../../job/job-event.js';
import type { FollowOptions, JobQueue } from '../../job/job-queue.js';
import type { Case } from './life-cases.js';
import { aborted, emptyResult, finished, instantly, requestOf, until } from './world.js';

async function collect(queue: JobQueue, id: string, options?: FollowOptions): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of queue.events(id, options)) events.push(event);
  return events;
}

/** Events, turns, workers. */
export const WORKER_CASES: readonly Case[] = [
  [
    'events come in order, replay from any of them, and end with the job',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const { id } = await queue.submit(requestOf('alice'));
      const live = collect(queue, id);
      queue.work(stage.handler);
      const started = await stage.next();
      const png = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
      const preview = { mediaType: 'image/png', width: 4, height: 3, data: png };
      started.progress({ stage: 'denoise', step: 1, steps: 2 }, preview);
      await until(async () => assert.equal((await queue.get(id)).progress?.step, 1));
      started.progress({ stage: 'denoise', step: 2, steps: 2 });
      await until(async () => assert.equal((await queue.get(id)).progress?.step, 2));
      const result = { ...emptyResult(), seed: 3 };
      started.succeed(result);
      const events = (await live).filter(({ type }) => type !== 'position');
      assert.deepEqual(
        events.map((event) => event.type),
        ['queued', 'running', 'preview', 'progress', 'finished'],
      );
      assert.deepEqual(
        events.map((event) => event.id),
        [1, 2, 3, 4, 5],
      );
      const [, running, seen, , last] = events;
      assert.ok(running?.type === 'running' && running.attempt === 1);
      assert.ok(seen?.type === 'preview');
      assert.deepEqual(new Uint8Array(seen.preview.data), png);
      assert.deepEqual({ ...seen.preview, data: undefined }, { ...preview, data: undefined });
      assert.ok(last?.type === 'finished' && last.state === 'succeeded');
      assert.deepEqual(last.result, result);
      assert.deepEqual(await collect(queue, id), events);
      assert.deepEqual(await collect(queue, id, { after: 3 }), events.slice(3));
      assert.deepEqual(await collect(queue, id, { after: 5 }), []);
      assert.deepEqual(await collect(queue, id, { after: 500 }), []);
    },
  ],
  [
    'the number and size of events is bounded, the first and last ones stay',
    async (world) => {
      const queue = await world.open({ maxEvents: 10 });
      const stage = world.stage();
      queue.work(stage.handler);
      const { id } = await queue.submit(requestOf('alice'));
      const started = await stage.next();
      const preview = (bytes: number) => ({
        mediaType: 'image/png',
        width: 1,
        height: 1,
        data: new Uint8Array(bytes),
      });
      for (let step = 1; step <= 40; step += 1) {
        started.progress({ stage: 'denoise', step, steps: 40 }, step % 2 === 0 ? preview(step) : undefined);
        await until(async () => assert.equal((await queue.get(id)).progress?.step, step));
      }
      started.progress({ stage: 'decode', step: 40, steps: 40 }, preview(65_537));
      started.succeed();
      await finished(queue, id);
      const events = await collect(queue, id);
      assert.equal(events.filter(({ type }) => type === 'progress').length, 10);
      const previews = events.filter((event) => event.type === 'preview');
      assert.deepEqual(
        previews.map((event) => event.preview.data.byteLength),
        [26, 28, 30, 32, 34, 36, 38, 40],
      );
      assert.equal(events[0]?.type, 'queued');
      assert.equal(events.at(-1)?.type, 'finished');
    },
  ],
  [
    'who follows a waiting job hears its place, can stop, and the job goes on',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const first = await queue.submit(requestOf('alice'));
      const second = await queue.submit(requestOf('alice'));
      const stop = new AbortController();
      const events = queue.events(second.id, { signal: stop.signal })[Symbol.asyncIterator]();
      assert.equal((await events.next()).value?.type, 'queued');
      const place = (await events.next()).value as JobEvent;
      assert.ok(place.type === 'position' && place.position === 1 && place.id === 1);
      queue.work(stage.handler);
      const started = await stage.next();
      assert.equal(started.job.id, first.id);
      const moved = (await events.next()).value as JobEvent;
      assert.ok(moved.type === 'position' && moved.position === 0);
      const next = events.next();
      stop.abort();
      await assert.rejects(next, AbortedError);
      started.succeed();
      (await stage.next()).succeed();
      assert.equal((await finished(queue, second.id)).state, 'succeeded');
      await assert.rejects(collect(queue, 'f'.repeat(32)), UnknownJobError);
    },
  ],
  [
    'users take turns, and positions say the order in advance',
    async (world) => {
      const queue = await world.open({ maxPerUser: 100, maxQueued: 1000 });
      // A repeatable mix of users and priorities.
      const users = ['a', 'a', 'a', 'a', 'a', 'a', 'b', 'c', 'a', 'b', 'd', 'a', 'b', 'c', 'e', 'a'];
      for (const [index, user] of users.entries())
        await queue.submit(requestOf(user, { priority: (index * 7) % 3, metadata: { index } }));
      const listed = [...(await queue.list({ limit: 100 }))].sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
      assert.deepEqual(
        listed.map(({ position }) => position),
        users.map((_, index) => index),
      );
      // One turn each, then again those who have more.
      assert.deepEqual(listed.map(({ user }) => user).join(''), 'abcdeabcabaaaaaa');
      const order: string[] = [];
      queue.work(async ({ job }) => {
        order.push(job.id);
        return emptyResult();
      });
      for (const { id } of listed) await finished(queue, id);
      assert.deepEqual(
        order,
        listed.map(({ id }) => id),
      );
    },
  ],
  [
    "a hundred jobs of one user do not hold up another's one; a newcomer passes nobody who waits",
    async (world) => {
      const queue = await world.open({ maxPerUser: 200, maxQueued: 1000 });
      for (let index = 0; index < 100; index += 1) await queue.submit(requestOf('busy'));
      assert.equal((await queue.submit(requestOf('bob'))).position, 1);
      assert.equal((await queue.submit(requestOf('carol'))).position, 2);
      const stage = world.stage();
      queue.work(stage.handler);
      const order: string[] = [];
      for (let index = 0; index < 4; index += 1) {
        const started = await stage.next();
        order.push(started.job.user);
        if (index === 0) assert.equal((await queue.submit(requestOf('dave'))).position, 3);
        started.succeed();
      }
      assert.deepEqual(order, ['busy', 'bob', 'carol', 'busy']);
      const started = await stage.next();
      assert.equal(started.job.user, 'dave');
      started.succeed();
    },
  ],
  [
    'priorities order the jobs of one user, and only of that one',
    async (world) => {
      const queue = await world.open();
      const submit = async (user: string, priority: number) => (await queue.submit(requestOf(user, { priority }))).id;
      const low = await submit('alice', -5);
      const plain = await submit('alice', 0);
      const other = await submit('bob', 0);
      const high = await submit('alice', 100);
      const order: string[] = [];
      queue.work(async ({ job }) => {
        order.push(job.id);
        return emptyResult();
      });
      for (const id of [low, plain, other, high]) await finished(queue, id);
      assert.deepEqual(order, [high, other, plain, low]);
    },
  ],
  [
    'a worker runs as many at once as it was told',
    async (world) => {
      const queue = await world.open({ maxPerUser: 50 });
      let now = 0;
      let most = 0;
      let reach = (): void => undefined;
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const jobs = [];
      for (let index = 0; index < 12; index += 1) jobs.push(await queue.submit(requestOf('alice')));
      const worker = queue.work(
        async () => {
          now += 1;
          most = Math.max(most, now);
          if (now === 3) reach();
          // None ends before there are three; a fourth would come while they wait.
          await reached;
          await new Promise((resolve) => setTimeout(resolve, 20));
          now -= 1;
          return emptyResult();
        },
        { concurrency: 3 },
      );
      for (const { id } of jobs) assert.equal((await finished(queue, id)).state, 'succeeded');
      assert.equal(most, 3);
      await until(async () => assert.equal(worker.running, 0));
    },
  ],
  [
    'times are measured by what is asked for, and waits estimated from them',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const size = { width: 512, height: 512 };
      const measured = await queue.submit(requestOf('alice', { settings: { size, numInferenceSteps: 10 } }));
      queue.work(stage.handler, { measuredAs: { checkpoint: 'c', backend: 'b' } });
      const first = await stage.next();
      await new Promise((resolve) => setTimeout(resolve, 200));
      first.succeed();
      await finished(queue, measured.id);
      const running = await queue.submit(requestOf('alice', { settings: { size, numInferenceSteps: 10 } }));
      const held = await stage.next();
      assert.equal(held.job.id, running.id);
      const bigger = { size, numInferenceSteps: 40 };
      await until(async () => {
        const { estimatedRunSeconds } = await queue.get(running.id);
        assert.ok((estimatedRunSeconds ?? 0) >= 0.15, String(estimatedRunSeconds));
      });
      const next = await queue.submit(requestOf('alice', { settings: bigger }));
      const last = await queue.submit(requestOf('alice', { settings: bigger }));
      const run = (await queue.get(running.id)).estimatedRunSeconds as number;
      await until(async () => {
        const { estimatedRunSeconds, estimatedWaitSeconds } = await queue.get(last.id);
        // Four times the steps, scaled from what was measured; the one before it takes as long.
        assert.ok(estimatedRunSeconds !== undefined && Math.abs(estimatedRunSeconds - 4 * run) < 1e-6);
        assert.ok(estimatedWaitSeconds !== undefined && estimatedWaitSeconds >= 4 * run - 1e-6);
        assert.ok(estimatedWaitSeconds <= 5 * run + 1e-6);
      });
      assert.ok(((await queue.get(next.id)).estimatedWaitSeconds ?? Number.NaN) <= run + 1e-6);
      held.succeed();
    },
  ],
  [
    'closing a worker hands its job back; with time to drain it finishes',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const worker = queue.work(stage.handler);
      const { id } = await queue.submit(requestOf('alice'));
      const started = await stage.next();
      const closing = worker.close();
      await aborted(started.signal);
      started.fail(started.signal.reason);
      await closing;
      const back = await queue.get(id);
      assert.equal(back.state, 'queued');
      assert.equal(back.attempts, 1);
      assert.equal(back.position, 0);

      const second = queue.work(stage.handler);
      const again = await stage.next();
      assert.equal(again.job.id, id);
      assert.equal(again.job.attempts, 2);
      const drained = second.close({ drainSeconds: 60 });
      const waits = await queue.submit(requestOf('alice'));
      again.succeed();
      await drained;
      assert.equal((await queue.get(id)).state, 'succeeded');
      assert.equal((await queue.get(waits.id)).state, 'queued');
      const types = (await collect(queue, id)).map(({ type }) => type);
      assert.deepEqual(types, ['queued', 'running', 'queued', 'running', 'finished']);

      const stop = new AbortController();
      queue.work(stage.handler, { signal: stop.signal });
      const third = await stage.next();
      stop.abort();
      await aborted(third.signal);
      third.fail(third.signal.reason);
      await until(async () => assert.equal((await queue.get(waits.id)).state, 'queued'));
    },
  ],
  [
    'passing failures are tried again, as often as the queue says',
    async (world) => {
      const queue = await world.open({ maxAttempts: 3 });
      let calls = 0;
      queue.work(
        async () => {
          calls += 1;
          if (calls === 2) return emptyResult();
          throw new Error('the weather');
        },
        { isTransient: (error) => error instanceof Error && error.message === 'the weather' },
      );
      const lucky = await finished(queue, (await queue.submit(requestOf('alice'))).id);
      assert.equal(lucky.state, 'succeeded');
      assert.equal(lucky.attempts, 2);
      const unlucky = await finished(queue, (await queue.submit(requestOf('alice'))).id);
      assert.equal(unlucky.state, 'failed');
      assert.equal(unlucky.attempts, 3);
      assert.equal(calls, 5);
    },
  ],
  [
    'statistics',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      queue.work(stage.handler, { concurrency: 2 });
      const done = await queue.submit(requestOf('alice'));
      (await stage.next()).succeed();
      await finished(queue, done.id);
      for (const user of ['alice', 'bob', 'bob', 'bob']) await queue.submit(requestOf(user));
      const held = [await stage.next(), await stage.next()];
      await until(async () => {
        const stats = await queue.stats();
        assert.deepEqual(stats.states, { queued: 2, running: 2, succeeded: 1, failed: 0, cancelled: 0, expired: 0 });
        assert.deepEqual(stats.users, [
          { user: 'bob', queued: 2, running: 1 },
          { user: 'alice', queued: 0, running: 1 },
        ]);
        assert.equal(stats.workers, 1);
        assert.equal(stats.slots, 2);
        assert.ok(stats.oldestWaitSeconds > 0);
      });
      for (const job of held) job.succeed();
    },
  ],
  [
    'a follower that comes after the end gets the end',
    async (world) => {
      const queue = await world.open();
      queue.work(instantly);
      const { id } = await queue.submit(requestOf('alice'));
      await finished(queue, id);
      assert.equal((await collect(queue, id)).at(-1)?.type, 'finished');
    },
  ],
];
