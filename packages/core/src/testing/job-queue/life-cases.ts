import assert from 'node:assert/strict';
import { BlobMissingError } from '../../errors/blob-missing-error.js';
import { ClosedError } from '../../errors/closed-error.js';
import { IdempotencyConflictError } from '../../errors/idempotency-conflict-error.js';
import { InvalidArgumentError } from '../../errors/invalid-argument-error.js';
import { InvalidImageError } from '../../errors/invalid-image-error.js';
import { QueueFullError } from '../../errors/queue-full-error.js';
import { UnknownJobError } from '../../errors/unknown-job-error.js';
import { UserLimitError } from '../../errors/user-limit-error.js';
import type { Job, JobImage, JobRequest } from '../../job/job.js';
import { aborted, emptyResult, finished, instantly, requestOf, until, type World } from './world.js';

export type Case = readonly [title: string, run: (world: World) => Promise<void>];

const UNKNOWN = '0'.repeat(32);

async function image({ blobs }: World, text: string): Promise<JobImage> {
  const reference = await blobs.put(Buffer.from(text), { mediaType: 'image/png' });
  return { ...reference, width: 8, height: 6, instruction: 'a red house' };
}

/** What becomes of one job. */
export const LIFE_CASES: readonly Case[] = [
  [
    'a job goes from queued through running to succeeded',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const metadata = { chat: 7, nested: { list: [1, null, 'ü'] } };
      const submitted = await queue.submit(requestOf('alice', { metadata, settings: { seed: 1 } }));
      assert.match(submitted.id, /^[0-9a-f]{32}$/);
      assert.equal(submitted.state, 'queued');
      assert.equal(submitted.position, 0);
      assert.equal(submitted.attempts, 0);
      assert.equal(submitted.estimatedWaitSeconds, undefined);
      assert.ok(submitted.createdAt <= Date.now() && (submitted.expiresAt ?? 0) > Date.now());
      queue.work(stage.handler);
      const started = await stage.next();
      assert.deepEqual(started.job.request, requestOf('alice', { metadata, settings: { seed: 1 } }));
      const running = await queue.get(submitted.id);
      assert.equal(running.state, 'running');
      assert.equal(running.position, undefined);
      assert.equal(running.attempts, 1);
      started.progress({ stage: 'denoise', step: 3, steps: 20 });
      await until(async () => {
        const { progress } = await queue.get(submitted.id);
        assert.deepEqual(progress, { stage: 'denoise', step: 3, steps: 20 });
      });
      const picture = await image(world, 'result');
      const warnings = [{ code: 'W', message: 'mind' }];
      started.succeed({ images: [picture], seed: 5, warnings });
      const done = await finished(queue, submitted.id);
      assert.equal(done.state, 'succeeded');
      assert.deepEqual(done.result, { ...emptyResult(), images: [picture], seed: 5, warnings });
      assert.equal(done.error, undefined);
      assert.ok((done.finishedAt ?? 0) >= (done.startedAt ?? Number.POSITIVE_INFINITY));
      assert.ok((done.expiresAt ?? 0) > Date.now());
      const listed = await queue.list();
      // How long it took is written down after its end.
      const lasting = (job: Job): Job => ({ ...job, estimatedRunSeconds: undefined });
      assert.deepEqual(listed.map(lasting), [lasting(done)]);
    },
  ],
  [
    'a failure has the error code of its reason, and hides what is not meant for callers',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const heard: unknown[] = [];
      queue.work(stage.handler, { onError: (error, id) => heard.push(id, error) });
      const known = await queue.submit(requestOf('alice'));
      const reason = new InvalidImageError({ expected: 'a picture', received: 'a text' });
      (await stage.next()).fail(reason);
      const failed = await finished(queue, known.id);
      assert.equal(failed.state, 'failed');
      assert.deepEqual(failed.error, { code: 'VIBE_INVALID_IMAGE', message: reason.message });
      assert.equal(failed.result, undefined);
      const other = await queue.submit(requestOf('alice'));
      (await stage.next()).fail(new Error('password is 1234'));
      const { error } = await finished(queue, other.id);
      assert.equal(error?.code, 'VIBE_INTERNAL');
      assert.ok(!error?.message.includes('1234'));
      assert.deepEqual(heard.slice(0, 2), [known.id, reason]);
    },
  ],
  [
    'cancel in every state',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      const waiting = await queue.submit(requestOf('alice'));
      const cancelled = await queue.cancel(waiting.id);
      assert.equal(cancelled.state, 'cancelled');
      assert.equal(cancelled.error?.code, 'VIBE_ABORTED');
      queue.work(stage.handler);

      const obeys = await queue.submit(requestOf('alice'));
      const started = await stage.next();
      assert.equal(started.job.id, obeys.id);
      assert.equal((await queue.cancel(obeys.id)).cancelling, true);
      await aborted(started.signal);
      started.fail(started.signal.reason);
      const ended = await finished(queue, obeys.id);
      assert.equal(ended.state, 'cancelled');
      assert.equal(ended.cancelling, false);

      const late = await queue.submit(requestOf('alice'));
      const finishes = await stage.next();
      await queue.cancel(late.id);
      const picture = await image(world, 'too late');
      finishes.succeed({ images: [picture] });
      assert.equal((await finished(queue, late.id)).state, 'cancelled');
      await until(async () => assert.equal(await world.blobs.exists(picture), false));

      const done = await queue.submit(requestOf('alice'));
      (await stage.next()).succeed();
      await finished(queue, done.id);
      assert.equal((await queue.cancel(done.id)).state, 'succeeded');
      await assert.rejects(queue.cancel(UNKNOWN), UnknownJobError);
      await assert.rejects(queue.cancel("'; --"), UnknownJobError);
    },
  ],
  [
    'a job that nobody begins in time expires',
    async (world) => {
      const queue = await world.open({ leaseSeconds: 0.2 });
      const { id } = await queue.submit(requestOf('alice', { expiresInSeconds: 0.05 }));
      const patient = await queue.submit(requestOf('alice'));
      const job = await finished(queue, id);
      assert.equal(job.state, 'expired');
      assert.equal(job.error?.code, 'VIBE_JOB_EXPIRED');
      assert.equal((await queue.get(patient.id)).state, 'queued');
    },
  ],
  [
    'a sweep removes pictures that no job refers to, and no others',
    async (world) => {
      const pictures: JobImage[] = [];
      const list = async function* () {
        for (const { key } of pictures) yield key;
      };
      const queue = await world.open({ blobs: { ...world.blobs, list }, sweepAfterSeconds: 0.1, leaseSeconds: 0.5 });
      const [waiting, result, left] = await Promise.all(
        ['waiting', 'result', 'left'].map((text) => image(world, text)),
      );
      assert.ok(waiting && result && left);
      const { id } = await queue.submit(requestOf('alice'));
      const worker = queue.work(async () => ({ ...emptyResult(), images: [result] }));
      await finished(queue, id);
      await worker.close();
      await queue.submit({ ...requestOf('alice'), kind: 'edit', image: waiting });
      pictures.push(waiting, result, left);
      await until(async () => assert.equal(await world.blobs.exists(left), false));
      assert.equal(await world.blobs.exists(waiting), true);
      assert.equal(await world.blobs.exists(result), true);
    },
  ],
  [
    'finished jobs are forgotten in time, and their pictures deleted once no job refers to them',
    async (world) => {
      const queue = await world.open({ leaseSeconds: 0.2 });
      const stage = world.stage();
      queue.work(stage.handler);
      const source = await image(world, 'source');
      const first = await queue.submit({
        ...requestOf('alice', { retentionSeconds: 0.05 }),
        kind: 'edit',
        image: source,
      });
      const result = await image(world, 'result');
      const started = await stage.next();
      // Refers to the result before its job is forgotten.
      started.succeed({ images: [result] });
      await finished(queue, first.id).catch((error: unknown) => assert.ok(error instanceof UnknownJobError));
      await until(async () => {
        await assert.rejects(queue.get(first.id), UnknownJobError);
        assert.equal(await world.blobs.exists(source), false);
        assert.equal(await world.blobs.exists(result), false);
      });
      assert.deepEqual(await queue.list(), []);
    },
  ],
  [
    'a picture stays as long as some job refers to it; a job is removed only when it is finished',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      queue.work(stage.handler);
      const parent = await queue.submit(requestOf('alice'));
      const result = await image(world, 'result');
      (await stage.next()).succeed({ images: [result] });
      await finished(queue, parent.id);
      const child = await queue.submit(requestOf('alice', { kind: 'edit', image: result, parent: parent.id }));
      const started = await stage.next();
      await assert.rejects(queue.remove(child.id), InvalidArgumentError);
      await queue.remove(parent.id);
      await assert.rejects(queue.get(parent.id), UnknownJobError);
      await assert.rejects(queue.remove(parent.id), UnknownJobError);
      assert.equal(await world.blobs.exists(result), true);
      started.succeed();
      assert.equal((await finished(queue, child.id)).parent, parent.id);
      await queue.remove(child.id);
      assert.equal(await world.blobs.exists(result), false);
      const missing = queue.submit(requestOf('alice', { kind: 'edit', image: result }));
      await assert.rejects(missing, BlobMissingError);
    },
  ],
  [
    'an idempotency key starts one job',
    async (world) => {
      const queue = await world.open();
      const request = async (): Promise<JobRequest> => ({
        ...requestOf('alice', { idempotencyKey: 'k', kind: 'edit' }),
        image: await image(world, 'same bytes'),
      });
      const first = await request();
      const [job, ...others] = await Promise.all([first, await request(), await request()].map((r) => queue.submit(r)));
      for (const other of others) assert.equal(other.id, job?.id);
      const kept = job?.request.image;
      assert.ok(kept !== undefined && (await world.blobs.exists(kept)));
      const again = await request();
      assert.equal((await queue.submit(again)).id, job?.id);
      await until(async () => assert.equal(await world.blobs.exists(again.image as JobImage), false));
      assert.ok(await world.blobs.exists(kept));
      await assert.rejects(queue.submit({ ...first, image: kept, instruction: 'another' }), (error) => {
        assert.ok(error instanceof IdempotencyConflictError);
        assert.equal(error.id, job?.id);
        return true;
      });
      const different = { ...first, image: await image(world, 'other bytes') };
      await assert.rejects(queue.submit(different), IdempotencyConflictError);
      assert.notEqual((await queue.submit({ ...first, image: kept, user: 'bob' })).id, job?.id);
      assert.equal((await queue.list()).length, 2);
      const queueWithShortKeys = requestOf('carol', { idempotencyKey: 'k' });
      const done = await queue.submit(queueWithShortKeys);
      queue.work(instantly);
      await finished(queue, done.id);
      assert.equal((await queue.submit(queueWithShortKeys)).state, 'succeeded');
    },
  ],
  [
    'caps per user and in total',
    async (world) => {
      const queue = await world.open({ maxPerUser: 2, maxQueued: 3 });
      const stage = world.stage();
      queue.work(stage.handler);
      const running = await queue.submit(requestOf('alice'));
      const started = await stage.next();
      await queue.submit(requestOf('alice'));
      await assert.rejects(queue.submit(requestOf('alice')), (error) => {
        assert.ok(error instanceof UserLimitError);
        assert.equal(error.limit, 2);
        assert.equal(error.user, 'alice');
        return true;
      });
      await queue.submit(requestOf('bob'));
      await queue.submit(requestOf('carol'));
      await assert.rejects(queue.submit(requestOf('dave')), QueueFullError);
      started.succeed();
      await finished(queue, running.id);
      // The next one began, so there is room for one more, of alice too.
      await stage.next();
      await queue.submit(requestOf('alice'));
    },
  ],
  [
    'the tree of edits, lists and their pages',
    async (world) => {
      const queue = await world.open();
      queue.work(instantly);
      const root = await queue.submit(requestOf('alice'));
      const branches = [];
      for (const user of ['alice', 'bob', 'alice'])
        branches.push(await queue.submit(requestOf(user, { parent: root.id })));
      for (const { id } of branches) await finished(queue, id);
      const ids = async (options: Parameters<typeof queue.list>[0]) => (await queue.list(options)).map(({ id }) => id);
      const [first, second, third] = branches.map(({ id }) => id);
      assert.deepEqual(await ids({ parent: root.id }), [third, second, first]);
      assert.deepEqual(await ids({ parent: root.id, user: 'alice' }), [third, first]);
      assert.deepEqual(await ids({ limit: 2 }), [third, second]);
      assert.deepEqual(await ids({ limit: 2, after: second as string }), [first, root.id]);
      assert.deepEqual(await ids({ states: ['queued', 'failed'] }), []);
      assert.deepEqual(await ids({ states: ['succeeded'], user: 'bob' }), [second]);
      assert.deepEqual(await ids({ user: 'nobody' }), []);
      await assert.rejects(queue.list({ limit: 0 }), InvalidArgumentError);
      await assert.rejects(queue.submit(requestOf('alice', { parent: UNKNOWN })), UnknownJobError);
    },
  ],
  [
    'wrong requests are typed errors',
    async (world) => {
      const queue = await world.open();
      const good = await image(world, 'x');
      const wrong: Record<string, unknown> = {
        nothing: {},
        'an unknown kind': requestOf('a', { kind: 'paint' as 'edit' }),
        'no user': requestOf(''),
        'a long user': requestOf('u'.repeat(257)),
        'no instruction': requestOf('a', { instruction: ' ' }),
        'an empty list': requestOf('a', { instruction: [] }),
        'a long instruction': requestOf('a', { instruction: 'x'.repeat(4001) }),
        'an edit without a picture': requestOf('a', { kind: 'edit' }),
        'a picture to generate': requestOf('a', { image: good }),
        'a path as key': requestOf('a', { kind: 'edit', image: { ...good, key: '../../etc/passwd' } }),
        'a wrong seed': requestOf('a', { settings: { seed: -1 } }),
        'a wrong number of steps': requestOf('a', { settings: { numInferenceSteps: 0 } }),
        'a wrong weight': requestOf('a', { settings: { guidanceScale: Number.NaN } }),
        'a wrong size': requestOf('a', { settings: { size: { width: 0, height: 8 } } }),
        'a wrong format': requestOf('a', { output: { format: 'gif' as 'png' } }),
        'a wrong quality': requestOf('a', { output: { quality: 101 } }),
        'a wrong priority': requestOf('a', { priority: 101 }),
        'an empty idempotency key': requestOf('a', { idempotencyKey: '' }),
        'a wrong parent': requestOf('a', { parent: 'x' }),
        'a wrong time': requestOf('a', { expiresInSeconds: 0 }),
        'much metadata': requestOf('a', { metadata: { text: 'x'.repeat(17_000) } }),
        'a list as metadata': requestOf('a', { metadata: [] as never }),
      };
      for (const [what, request] of Object.entries(wrong))
        await assert.rejects(queue.submit(request as JobRequest), InvalidArgumentError, what);
      assert.deepEqual(await queue.list(), []);
    },
  ],
  [
    'finished jobs wait in their outbox until they were handed out',
    async (world) => {
      const queue = await world.open();
      const stage = world.stage();
      queue.work(stage.handler);
      const first = await queue.submit(requestOf('alice', { outbox: 'callback' }));
      const second = await queue.submit(requestOf('alice', { outbox: 'callback' }));
      const third = await queue.submit(requestOf('alice', { outbox: 'chat' }));
      assert.equal(await queue.takeDelivery('callback'), undefined);
      await queue.cancel(second.id);
      const cancelled = await queue.takeDelivery('callback');
      assert.equal(cancelled?.job.id, second.id);
      assert.equal(cancelled?.job.state, 'cancelled');
      assert.equal(cancelled?.attempt, 1);
      (await stage.next()).succeed();
      (await stage.next()).fail(new Error('no'));
      await finished(queue, third.id);
      const taken = await queue.takeDelivery('callback', { leaseSeconds: 0.05 });
      assert.equal(taken?.job.id, first.id);
      assert.equal(taken?.job.state, 'succeeded');
      await until(async () => {
        const again = await queue.takeDelivery('callback');
        assert.equal(again?.job.id, first.id);
        assert.equal(again?.attempt, 2);
      });
      await queue.settleDelivery(first.id, { retryAt: Date.now() + 3_600_000 });
      assert.equal(await queue.takeDelivery('callback'), undefined);
      await queue.settleDelivery(first.id, { retryAt: Date.now() });
      assert.equal((await queue.takeDelivery('callback'))?.attempt, 3);
      await queue.settleDelivery(first.id);
      await queue.settleDelivery(second.id);
      await queue.settleDelivery(UNKNOWN);
      assert.equal(await queue.takeDelivery('callback'), undefined);
      assert.equal((await queue.takeDelivery('chat'))?.job.state, 'failed');
    },
  ],
  [
    'a closed queue says so',
    async (world) => {
      const queue = await world.open();
      const { id } = await queue.submit(requestOf('alice'));
      const following = finished(queue, id);
      // The rejection is looked at below.
      following.catch(() => {});
      await Promise.all([queue.close(), queue.close()]);
      await assert.rejects(following, ClosedError);
      await assert.rejects(queue.submit(requestOf('alice')), ClosedError);
      await assert.rejects(queue.get(id), ClosedError);
      await assert.rejects(queue.cancel(id), ClosedError);
      assert.throws(() => queue.work(instantly), ClosedError);
    },
  ],
];
