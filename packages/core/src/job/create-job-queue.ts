import { randomBytes } from 'node:crypto';
import { BlobMissingError } from '../errors/blob-missing-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { IdempotencyConflictError } from '../errors/idempotency-conflict-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { UnknownJobError } from '../errors/unknown-job-error.js';
import { createBells } from './bells.js';
import { checkJobRequest, fingerprintOf } from './check-job-request.js';
import { estimateRun, estimateWait, workloadOf } from './estimate.js';
import { CANCELLED, EXPIRED, lostFailure } from './failures.js';
import { followJob } from './follow-job.js';
import { isFinalState, type Job, type JobRequest } from './job.js';
import type { CloseJobsOptions, JobQueue } from './job-queue.js';
import type { JobQueueOptions } from './job-queue-options.js';
import type { JobRecord, JobStore, QueueLoad } from './job-store.js';
import { type QueueWorker, runWorker, WORK_BELL } from './run-worker.js';

const DAY_SECONDS = 24 * 60 * 60;
/** The load that estimates are made from is read at most so often, ms. */
const LOAD_AGE_MS = 250;
/** Progress and previews stay so long after the end, for followers that are late, ms. */
const PROGRESS_KEPT_MS = 60_000;
/** Blobs deleted, or looked at, in one go. */
const BLOB_BATCH = 100;
/** How often blobs that no job refers to are looked for, ms. */
const SWEEP_EVERY_MS = 60 * 60 * 1000;

/**
 * Makes a queue of a store: everything that all implementations share. For a queue on another database; the ready ones are
 * `createMemoryQueue` and those of `@vibe-edit/jobs`.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 */
export function createJobQueue({ store, ...options }: JobQueueOptions & { store: JobStore }): JobQueue {
  const settings = checkOptions(options);
  const { blobs } = options;
  const { maxAttempts } = settings;
  const bells = createBells();
  const workers = new Set<QueueWorker>();
  let closed: Promise<void> | undefined;
  let load: { at: number; value: Promise<QueueLoad> } | undefined;

  store.subscribe((change) => {
    if (change.type === 'work') bells.ring(WORK_BELL);
    else if (change.type === 'job') bells.ring(change.id);
    else if (change.type === 'cancelling') for (const worker of workers) worker.check(change.id);
    else {
      bells.ringAll();
      for (const worker of workers) worker.check();
    }
  });

  const currentLoad = (): Promise<QueueLoad> => {
    const now = Date.now();
    if (load === undefined || now - load.at > LOAD_AGE_MS) {
      const value = store.load(now);
      load = { at: now, value };
      value.catch(() => {
        load = undefined;
      });
    }
    return load.value;
  };

  const describeAll = async (records: readonly JobRecord[]): Promise<Job[]> => {
    if (records.length === 0) return [];
    const waiting = records.filter(({ state }) => state === 'queued').map(({ id }) => id);
    const [positions, current] = await Promise.all([
      waiting.length === 0 ? [] : store.positions(waiting),
      currentLoad(),
    ]);
    const now = Date.now();
    return records.map(({ sequence: _, workload, ...job }) => {
      const position = job.state === 'queued' ? positions[waiting.indexOf(job.id)] : undefined;
      return {
        ...job,
        position,
        estimatedWaitSeconds: position === undefined ? undefined : estimateWait(position, current, now),
        estimatedRunSeconds: estimateRun(workload, current),
      };
    });
  };
  const describe = async (record: JobRecord): Promise<Job> => (await describeAll([record]))[0] as Job;
  const describeId = async (id: string): Promise<Job | undefined> => {
    const record = await store.get(id);
    return record === undefined ? undefined : describe(record);
  };

  const collectGarbage = async (): Promise<void> => {
    for (;;) {
      const keys = await store.garbage(BLOB_BATCH);
      if (keys.length === 0) return;
      if (blobs !== undefined) for (const key of keys) await blobs.delete(key);
      await store.collected(keys);
    }
  };
  let nextSweep = 0;
  const sweep = async (now: number): Promise<void> => {
    const { sweepMs } = settings;
    if (sweepMs === undefined || now < nextSweep) return;
    nextSweep = now + Math.min(sweepMs, SWEEP_EVERY_MS);
    let batch: string[] = [];
    for await (const key of blobs?.list?.({ before: now - sweepMs }) ?? []) {
      if (closed !== undefined) return;
      batch.push(key);
      if (batch.length < BLOB_BATCH) continue;
      await store.discard(batch);
      batch = [];
    }
    await store.discard(batch);
  };
  let maintaining: Promise<void> | undefined;
  const maintain = (): Promise<void> => {
    const once = async (): Promise<void> => {
      try {
        const now = Date.now();
        await store.maintain({
          now,
          maxAttempts,
          expired: EXPIRED,
          cancelled: CANCELLED,
          lost: lostFailure(maxAttempts),
          progressBefore: now - PROGRESS_KEPT_MS,
        });
        await sweep(now);
        await collectGarbage();
      } catch (error) {
        for (const worker of workers) worker.report(error);
      } finally {
        maintaining = undefined;
      }
    };
    maintaining ??= once();
    return maintaining;
  };
  const maintenance = setInterval(() => void maintain(), settings.maintainMs);
  maintenance.unref();
  // Jobs of a process that died are put back as soon as the next one starts.
  void maintain();

  const open = (): void => {
    if (closed !== undefined) throw new ClosedError('job queue');
  };
  const known = async (id: string): Promise<Job> => {
    open();
    const job = await describeId(String(id));
    if (job === undefined) throw new UnknownJobError(String(id));
    return job;
  };

  const submit = async (input: JobRequest): Promise<Job> => {
    open();
    const request = checkJobRequest(input);
    const keys = [request.image?.key, request.mask?.key].filter((key) => key !== undefined);
    if (blobs !== undefined) {
      for (const key of keys) if (!(await blobs.exists(key))) throw new BlobMissingError({ key });
    }
    const now = Date.now();
    const fingerprint = fingerprintOf(request);
    const { record, created, ...there } = await store.insert(
      {
        id: randomBytes(16).toString('hex'),
        request,
        workload: workloadOf(request),
        fingerprint,
        createdAt: now,
        idempotentUntil: now + settings.idempotencyMs,
        expiresAt:
          now + (request.expiresInSeconds === undefined ? settings.expiresMs : request.expiresInSeconds * 1000),
        retentionMs: request.retentionSeconds === undefined ? settings.retentionMs : request.retentionSeconds * 1000,
        blobs: keys,
      },
      settings,
    );
    if (!created) {
      if (there.fingerprint !== fingerprint)
        throw new IdempotencyConflictError({ idempotencyKey: String(request.idempotencyKey), id: record.id });
      await store.discard(keys);
      await collectGarbage();
    }
    return describe(record);
  };

  const close = async ({ drainSeconds = 0 }: CloseJobsOptions): Promise<void> => {
    clearInterval(maintenance);
    await Promise.all([...workers].map((worker) => worker.close({ drainSeconds })));
    await maintaining;
    bells.ringAll();
    await store.close();
  };

  return {
    submit,
    get: known,
    async list({ limit = 50, ...filter } = {}) {
      open();
      if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
        throw new InvalidArgumentError({
          argument: 'limit',
          expected: 'a whole number from 1 to 1000',
          received: `${limit}`,
        });
      return describeAll(await store.list({ ...filter, limit }));
    },
    async cancel(id) {
      open();
      const record = await store.cancel(String(id), { now: Date.now(), error: CANCELLED });
      if (record === undefined) throw new UnknownJobError(String(id));
      return describe(record);
    },
    async remove(id) {
      open();
      const state = await store.remove(String(id));
      if (state === undefined) throw new UnknownJobError(String(id));
      if (!isFinalState(state))
        throw new InvalidArgumentError({ argument: 'id', expected: 'a finished job', received: `a ${state} one` });
      await collectGarbage();
    },
    events: (id, follow = {}) =>
      followJob({ id: String(id), follow, store, bells, describe: describeId, isClosed: () => closed !== undefined }),
    async takeDelivery(outbox, { leaseSeconds = 60 } = {}) {
      open();
      const leaseMs = seconds('leaseSeconds', leaseSeconds);
      const taken = await store.takeDelivery(String(outbox), { now: Date.now(), leaseMs });
      return taken === undefined ? undefined : { job: await describe(taken.record), attempt: taken.attempt };
    },
    async settleDelivery(id, { retryAt } = {}) {
      open();
      if (retryAt !== undefined && !Number.isFinite(retryAt))
        throw new InvalidArgumentError({
          argument: 'retryAt',
          expected: 'milliseconds since 1970',
          received: `${retryAt}`,
        });
      await store.settleDelivery(String(id), retryAt);
    },
    work(handler, workOptions = {}) {
      open();
      integer('concurrency', workOptions.concurrency ?? 1);
      const worker = runWorker({
        ...settings,
        store,
        bells,
        handler,
        options: workOptions,
        describe,
        collectGarbage,
        ended: () => workers.delete(worker),
      });
      workers.add(worker);
      return worker;
    },
    async stats() {
      open();
      return store.stats(Date.now());
    },
    close(closeOptions = {}) {
      if (closed !== undefined) for (const worker of workers) void worker.close(closeOptions);
      closed ??= close(closeOptions);
      return closed;
    },
  };
}

function checkOptions(options: JobQueueOptions) {
  const { sweepAfterSeconds, blobs } = options;
  const leaseMs = seconds('leaseSeconds', options.leaseSeconds ?? 30);
  if (sweepAfterSeconds !== undefined && blobs?.list === undefined)
    throw new InvalidArgumentError({
      argument: 'sweepAfterSeconds',
      expected: 'blobs that can be listed',
      received: blobs === undefined ? 'none' : 'a store without list',
    });
  return {
    maxQueued: integer('maxQueued', options.maxQueued ?? 1000),
    maxPerUser: integer('maxPerUser', options.maxPerUser ?? 20),
    maxAttempts: integer('maxAttempts', options.maxAttempts ?? 3),
    maxEvents: integer('maxEvents', options.maxEvents ?? 200),
    expiresMs: seconds('expiresInSeconds', options.expiresInSeconds ?? DAY_SECONDS),
    retentionMs: seconds('retentionSeconds', options.retentionSeconds ?? DAY_SECONDS),
    idempotencyMs: seconds('idempotencySeconds', options.idempotencySeconds ?? DAY_SECONDS),
    sweepMs: sweepAfterSeconds === undefined ? undefined : seconds('sweepAfterSeconds', sweepAfterSeconds),
    leaseMs,
    maintainMs: Math.min(leaseMs / 2, 5000),
  };
}

function integer(argument: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError({ argument, expected: 'a whole number from 1', received: String(value) });
}

function seconds(argument: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value * 1000;
  throw new InvalidArgumentError({ argument, expected: 'a number of seconds over 0', received: String(value) });
}
