import { createHash, randomUUID } from 'node:crypto';
import {
  BlobMissingError,
  type FinalJobState,
  JOB_STATES,
  type JobFailure,
  type JobRecord,
  type JobState,
  type JobStore,
  type Lease,
  type LeaseState,
  type MaintainOptions,
  movingMean,
  type NewJob,
  QueueFullError,
  type ReleaseOptions,
  type StoreChange,
  type Timing,
  UnknownJobError,
  UserLimitError,
  type WorkerInfo,
} from '@vibe-edit/core';
import { eventOf, type FlatHash, fieldsOf, recordOf } from './hashes.js';
import type { RedisClient } from './redis-client.js';
import type { Slots } from './slots.js';

/** Jobs that one script of the upkeep touches. */
const BATCH = 100;

/** Jobs in Redis: which job is next, and all that is known of jobs, by scripts of our own; who runs them by BullMQ, see `Slots`. */
export class BullmqJobStore implements JobStore {
  readonly #redis: RedisClient;
  readonly #slots: Slots;
  #listener: (change: StoreChange) => void = () => {};

  constructor(options: { redis: RedisClient; slots: Slots }) {
    this.#redis = options.redis;
    this.#slots = options.slots;
    this.#slots.onLost((slot) => void this.#redis.script('lose', slot).catch(() => undefined));
    this.#redis.onMessage((message) => {
      const [type, id = ''] = message.split(' ');
      if (type === 'job' || type === 'cancelling') this.#listener({ type, id });
      else this.#listener({ type: type === 'work' ? 'work' : 'anything' });
    });
  }

  subscribe(listener: (change: StoreChange) => void): void {
    this.#listener = listener;
  }

  async insert(job: NewJob, { maxQueued, maxPerUser }: { maxQueued: number; maxPerUser: number }) {
    const { request } = job;
    const { user, parent = '', idempotencyKey, outbox = '' } = request;
    const idem =
      idempotencyKey === undefined
        ? ''
        : createHash('sha256')
            .update(JSON.stringify([user, idempotencyKey]))
            .digest('hex');
    const fields = Object.entries({
      request: JSON.stringify(request),
      priority: request.priority ?? 0,
      workload: job.workload,
      fingerprint: job.fingerprint,
      createdAt: job.createdAt,
      expiresAt: Math.ceil(job.expiresAt),
      retentionMs: Math.ceil(job.retentionMs),
      attempts: 0,
    }).flat();
    const [answer, detail] = (await this.#redis.script(
      'insert',
      ...[job.id, job.createdAt, idem, Math.ceil(job.idempotentUntil), user, parent, maxQueued, maxPerUser, outbox],
      ...[fields.length, ...fields, ...job.blobs],
    )) as [string, string | FlatHash];
    if (answer === 'parent') throw new UnknownJobError(parent);
    if (answer === 'blob') throw new BlobMissingError({ key: String(detail) });
    if (answer === 'full') throw new QueueFullError({ limit: maxQueued });
    if (answer === 'user') throw new UserLimitError({ user, limit: maxPerUser });
    const record = recordOf(detail as FlatHash);
    // For one that was there too: its first submitter may have died before this. The job is accepted already; the upkeep adds what is missing.
    if (record.state === 'queued') await this.#slots.add(record.id).catch(() => undefined);
    this.#redis.publish('work');
    return { record, created: answer === 'created', fingerprint: fieldsOf(detail as FlatHash).fingerprint ?? '' };
  }

  async get(id: string) {
    return (await this.#records([id]))[0];
  }

  async list({ user, states, parent, limit, after }: Parameters<JobStore['list']>[0]) {
    const below = after === undefined ? '+inf' : `(${(await this.get(after))?.sequence ?? 0}`;
    if (user === undefined && parent === undefined && states !== undefined) {
      const each = await Promise.all(
        [...new Set(states)].map((state) => this.#redis.newest(`state:${state}`, below, limit)),
      );
      const records = await this.#records(each.flat());
      return records.sort((a, b) => b.sequence - a.sequence).slice(0, limit);
    }
    const set = parent !== undefined ? `children:${parent}` : user !== undefined ? `user:${user}` : 'all';
    const found: JobRecord[] = [];
    for (let next = below; ; ) {
      const ids = await this.#redis.newest(set, next, BATCH);
      const records = await this.#records(ids);
      for (const record of records) {
        if (user !== undefined && record.user !== user) continue;
        if (states !== undefined && !states.includes(record.state)) continue;
        if (found.length < limit) found.push(record);
      }
      const last = records.at(-1);
      if (found.length === limit || ids.length < BATCH || last === undefined) return found;
      next = `(${last.sequence}`;
    }
  }

  async positions(ids: readonly string[]) {
    const positions = (await this.#redis.script('positions', ...ids)) as number[];
    return positions.map((position) => (position < 0 ? undefined : position));
  }

  async load(now: number) {
    const [workers, queued, running, timings] = await Promise.all([
      this.#workers(now),
      this.#redis.hash('workloads'),
      this.#redis.range('state:running').then((ids) => this.#records(ids)),
      this.#redis.hash('timings'),
    ]);
    return {
      slots: workers.reduce((sum, { slots }) => sum + slots, 0),
      workers,
      queued: Object.entries(queued).map(([workload, count]) => ({ workload, count: Number(count) })),
      running: running.map(({ workload, startedAt = now }) => ({ workload, startedAt })),
      timings: Object.values(timings).map((text) => JSON.parse(text) as Timing),
    };
  }

  async stats(now: number) {
    const counts = await Promise.all(JOB_STATES.map((state) => this.#redis.count(`state:${state}`)));
    const states = Object.fromEntries(JOB_STATES.map((state, index) => [state, counts[index] ?? 0]));
    const [oldest] = await this.#records(await this.#redis.range('state:queued', 1));
    const waiting = await this.#redis.range('turns');
    const running = await this.#redis.hash('running');
    const queued = await Promise.all(waiting.map((user) => this.#redis.count(`line:${user}`)));
    const users = new Map(waiting.map((user, index) => [user, { user, queued: queued[index] ?? 0, running: 0 }]));
    for (const [user, count] of Object.entries(running))
      users.set(user, { user, queued: users.get(user)?.queued ?? 0, running: Number(count) });
    const workers = await this.#workers(now);
    return {
      states: states as Record<JobState, number>,
      oldestWaitSeconds: oldest === undefined ? 0 : Math.max(0, now - oldest.createdAt) / 1000,
      users: [...users.values()].sort((a, b) => b.queued + b.running - a.queued - a.running).slice(0, 1000),
      workers: workers.length,
      slots: workers.reduce((sum, { slots }) => sum + slots, 0),
    };
  }

  async cancel(id: string, { now, error }: { now: number; error: JobFailure }) {
    const flat = (await this.#redis.script('cancel', id, now, JSON.stringify(error))) as FlatHash;
    if (flat.length === 0) return undefined;
    const record = recordOf(flat);
    if (record.state === 'cancelled') await this.#slots.withdraw(id);
    return record;
  }

  async remove(id: string) {
    return ((await this.#redis.script('remove', id)) as JobState | null) ?? undefined;
  }

  async take({ now, leaseMs }: { worker: string; now: number; leaseMs: number }) {
    for (;;) {
      const token = randomUUID();
      const slot = await this.#slots.take(token, leaseMs);
      if (slot === undefined) return undefined;
      try {
        // A slot that comes a second time was left by a dead worker.
        await this.#redis.script('lose', slot);
        const flat = (await this.#redis.script('take', slot, token, now)) as FlatHash | null;
        if (flat !== null) {
          const record = recordOf(flat);
          return { record, lease: { id: record.id, token } };
        }
      } catch (error) {
        this.#slots.abandon(token);
        throw error;
      }
      // Its job was cancelled or expired meanwhile.
      await this.#slots.complete(token);
    }
  }

  async renew(leases: readonly Lease[], { leaseMs }: { now: number; leaseMs: number }) {
    if (leases.length === 0) return [];
    const tokens = leases.map(({ token }) => token);
    const [lost, states] = await Promise.all([
      this.#slots.renew(tokens, leaseMs),
      this.#redis.script('renew', ...leases.flatMap(({ id, token }) => [id, token])) as Promise<number[]>,
    ]);
    return tokens.map((token, index): LeaseState => {
      if (lost.has(token) || states[index] === 0) return 'lost';
      return states[index] === 2 ? 'cancelling' : 'held';
    });
  }

  async progress(
    { id, token }: Lease,
    events: Parameters<JobStore['progress']>[1],
    bounds: { maxEvents: number; maxPreviews: number },
  ) {
    const values = events.flatMap(({ at, progress, preview }) => {
      const data = preview === undefined ? '' : Buffer.from(preview.data).toString('base64');
      return [at, JSON.stringify(progress), preview === undefined ? '' : JSON.stringify({ ...preview, data })];
    });
    await this.#redis.script('progress', id, token, bounds.maxEvents, bounds.maxPreviews, ...values);
  }

  async finish(
    { id, token }: Lease,
    outcome: Parameters<JobStore['finish']>[1],
    options: { now: number; cancelled: JobFailure },
  ) {
    const succeeded = outcome.state === 'succeeded';
    return this.#ending(token, async () => {
      const state = await this.#redis.script(
        'finish',
        ...[id, token, outcome.state, succeeded ? JSON.stringify(outcome.result) : ''],
        ...[succeeded ? '' : JSON.stringify(outcome.error), options.now, JSON.stringify(options.cancelled)],
        ...(succeeded ? outcome.blobs : []),
      );
      return (state as FinalJobState | null) ?? undefined;
    });
  }

  async release({ id, token }: Lease, options: ReleaseOptions) {
    await this.#ending(token, () => this.#release(id, token, options));
  }

  async events(id: string, after: number) {
    return (await this.#redis.above(`events:${id}`, after)).map(eventOf);
  }

  async takeDelivery(outbox: string, { now, leaseMs }: { now: number; leaseMs: number }) {
    const taken = (await this.#redis.script('takeDelivery', outbox, now, now + leaseMs)) as [number, FlatHash] | null;
    return taken === null ? undefined : { record: recordOf(taken[1]), attempt: taken[0] };
  }

  async settleDelivery(id: string, retryAt: number | undefined) {
    await this.#redis.script('settleDelivery', id, retryAt ?? '');
  }

  async register(worker: WorkerInfo, { now, leaseMs }: { now: number; leaseMs: number }) {
    await this.#redis.setField('workers', worker.id, JSON.stringify({ ...worker, aliveUntil: now + leaseMs }));
  }

  async unregister(worker: string) {
    await this.#redis.deleteFields('workers', [worker]);
  }

  async measure({ checkpoint, backend, workload, seconds }: Timing) {
    const name = JSON.stringify([checkpoint, backend, workload]);
    const text = await this.#redis.field('timings', name);
    const previous = text === null ? undefined : (JSON.parse(text) as Timing & { count: number });
    const count = (previous?.count ?? 0) + 1;
    const timing = { checkpoint, backend, workload, seconds: movingMean(previous, seconds), count };
    await this.#redis.setField('timings', name, JSON.stringify(timing));
  }

  async maintain({ now, progressBefore, ...failures }: MaintainOptions) {
    for (const id of await this.#redis.members('lost'))
      await this.#release(id, '', { ...failures, now, lost: true, error: failures.lost });
    for (;;) {
      const [due, expired] = (await this.#redis.script('expire', now, JSON.stringify(failures.expired), BATCH)) as [
        number,
        string[],
      ];
      for (const id of expired) await this.#slots.withdraw(id);
      if (due < BATCH) break;
    }
    while (((await this.#redis.script('trim', progressBefore, BATCH)) as number) === BATCH);
    await this.#workers(now);
    await this.#addMissingSlots();
  }

  async garbage(limit: number) {
    return this.#redis.someMembers('garbage', limit);
  }

  async collected(keys: readonly string[]) {
    await this.#redis.removeMembers('garbage', keys);
  }

  async discard(keys: readonly string[]) {
    if (keys.length > 0) await this.#redis.script('discard', ...keys);
  }

  async close() {
    await this.#slots.close();
    await this.#redis.close();
  }

  /** Ends an attempt, then its slot, in this order: whatever happens in between, the slot leads to the job. */
  async #ending<Result>(token: string, end: () => Promise<Result>): Promise<Result> {
    try {
      const result = await end();
      await this.#slots.complete(token);
      return result;
    } catch (error) {
      this.#slots.abandon(token);
      throw error;
    }
  }

  async #release(
    id: string,
    token: string,
    { now, lost, maxAttempts, error, cancelled }: ReleaseOptions,
  ): Promise<void> {
    const values = [lost ? 1 : 0, maxAttempts, JSON.stringify(error), JSON.stringify(cancelled)];
    const released = await this.#redis.script('release', id, token, now, ...values);
    if (released === 2) {
      await this.#slots.add();
      this.#redis.publish('work');
    }
  }

  /** A process may die between accepting a job and adding its slot. */
  async #addMissingSlots(): Promise<void> {
    const { waiting, held } = await this.#slots.counts();
    const bound = await this.#redis.countFields('slots');
    const queued = await this.#redis.count('state:queued');
    const missing = queued - waiting - Math.max(0, held - bound);
    for (let index = 0; index < missing; index += 1) await this.#slots.add();
    if (missing > 0) this.#redis.publish('work');
  }

  /** Workers alive; those that are not are forgotten. */
  async #workers(now: number): Promise<WorkerInfo[]> {
    const all = Object.values(await this.#redis.hash('workers')).map((text) => JSON.parse(text));
    const dead = all.filter(({ aliveUntil }) => aliveUntil <= now).map(({ id }) => id);
    if (dead.length > 0) await this.#redis.deleteFields('workers', dead);
    return all.filter(({ aliveUntil }) => aliveUntil > now);
  }

  async #records(ids: readonly string[]): Promise<JobRecord[]> {
    const hashes = await this.#redis.hashes(ids.map((id) => `job:${id}`));
    return hashes.filter((flat) => flat.length > 0).map(recordOf);
  }
}
