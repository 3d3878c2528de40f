import { randomUUID } from 'node:crypto';
import { BlobMissingError } from '../errors/blob-missing-error.js';
import { QueueFullError } from '../errors/queue-full-error.js';
import { UnknownJobError } from '../errors/unknown-job-error.js';
import { UserLimitError } from '../errors/user-limit-error.js';
import { BlobCounts } from './blob-counts.js';
import { FairTurns } from './fair-turns.js';
import { type FinalJobState, isFinalState, JOB_STATES, type JobFailure, type JobResult, type JobState } from './job.js';
import type { JobEvent } from './job-event.js';
import {
  type JobRecord,
  type JobStore,
  type Lease,
  type MaintainOptions,
  movingMean,
  type NewJob,
  type ReleaseOptions,
  type StoreChange,
  type Timing,
  type WorkerInfo,
} from './job-store.js';

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** A job with what only the store knows of it. */
interface Entry extends Mutable<JobRecord> {
  readonly fingerprint: string;
  readonly idempotentUntil: number;
  readonly retentionMs: number;
  blobs: readonly string[];
  token: string | undefined;
  leaseUntil: number;
  losses: number;
  events: JobEvent[];
  eventCount: number;
  delivery: { dueAt: number; attempts: number } | undefined;
}

type EventBody<Event = JobEvent> = Event extends JobEvent ? Omit<Event, 'id' | 'at'> : never;

/** Jobs in this process's memory, gone with it. */
export class MemoryJobStore implements JobStore {
  /** In the order of their sequence. */
  readonly #jobs = new Map<string, Entry>();
  readonly #turns = new FairTurns<Entry>();
  readonly #running = new Set<Entry>();
  /** Finished jobs, the longest finished first. */
  readonly #finished = new Set<Entry>();
  /** By outbox. */
  readonly #deliveries = new Map<string, Set<Entry>>();
  readonly #idempotent = new Map<string, Entry>();
  readonly #workers = new Map<string, WorkerInfo>();
  readonly #timings = new Map<string, Timing & { count: number }>();
  readonly #blobs = new BlobCounts();
  readonly #maxFinished: number;
  #sequence = 0;
  #listener: (change: StoreChange) => void = () => {};

  constructor(options: { maxFinished: number }) {
    this.#maxFinished = options.maxFinished;
  }

  subscribe(listener: (change: StoreChange) => void): void {
    this.#listener = listener;
  }

  async insert(job: NewJob, { maxQueued, maxPerUser }: { maxQueued: number; maxPerUser: number }) {
    const { request } = job;
    const { user, parent, idempotencyKey } = request;
    const name = JSON.stringify([user, idempotencyKey]);
    const there = idempotencyKey === undefined ? undefined : this.#idempotent.get(name);
    if (there !== undefined && there.idempotentUntil > job.createdAt)
      return { record: recordOf(there), created: false, fingerprint: there.fingerprint };
    if (parent !== undefined && !this.#jobs.has(parent)) throw new UnknownJobError(parent);
    for (const key of job.blobs) if (this.#blobs.isGarbage(key)) throw new BlobMissingError({ key });
    if (this.#turns.size >= maxQueued) throw new QueueFullError({ limit: maxQueued });
    let unfinished = this.#turns.countOf(user);
    for (const other of this.#running) if (other.user === user) unfinished += 1;
    if (unfinished >= maxPerUser) throw new UserLimitError({ user, limit: maxPerUser });
    const entry: Entry = {
      id: job.id,
      user,
      state: 'queued',
      request,
      parent,
      priority: request.priority ?? 0,
      createdAt: job.createdAt,
      startedAt: undefined,
      finishedAt: undefined,
      expiresAt: job.expiresAt,
      attempts: 0,
      cancelling: false,
      progress: undefined,
      result: undefined,
      error: undefined,
      sequence: ++this.#sequence,
      workload: job.workload,
      fingerprint: job.fingerprint,
      idempotentUntil: job.idempotentUntil,
      retentionMs: job.retentionMs,
      blobs: job.blobs,
      token: undefined,
      leaseUntil: 0,
      losses: 0,
      events: [],
      eventCount: 0,
      delivery: undefined,
    };
    this.#jobs.set(entry.id, entry);
    if (idempotencyKey !== undefined) this.#idempotent.set(name, entry);
    this.#blobs.add(job.blobs);
    this.#enqueue(entry, job.createdAt);
    return { record: recordOf(entry), created: true, fingerprint: job.fingerprint };
  }

  async get(id: string) {
    const entry = this.#jobs.get(id);
    return entry === undefined ? undefined : recordOf(entry);
  }

  async list({ user, states, parent, limit, after }: Parameters<JobStore['list']>[0]) {
    const before = after === undefined ? Number.POSITIVE_INFINITY : (this.#jobs.get(after)?.sequence ?? 0);
    const found: JobRecord[] = [];
    for (const entry of [...this.#jobs.values()].reverse()) {
      if (found.length === limit) break;
      if (entry.sequence >= before) continue;
      if (user !== undefined && entry.user !== user) continue;
      if (states !== undefined && !states.includes(entry.state)) continue;
      if (parent !== undefined && entry.parent !== parent) continue;
      found.push(recordOf(entry));
    }
    return found;
  }

  async positions(ids: readonly string[]) {
    return ids.map((id) => {
      const entry = this.#jobs.get(id);
      return entry === undefined ? undefined : this.#turns.position(entry);
    });
  }

  async load() {
    const queued = new Map<string, number>();
    for (const { workload } of this.#turns) queued.set(workload, (queued.get(workload) ?? 0) + 1);
    const workers = [...this.#workers.values()];
    return {
      slots: workers.reduce((sum, { slots }) => sum + slots, 0),
      workers,
      queued: [...queued].map(([workload, count]) => ({ workload, count })),
      running: [...this.#running].map(({ workload, startedAt = 0 }) => ({ workload, startedAt })),
      timings: [...this.#timings.values()],
    };
  }

  async stats(now: number) {
    const states = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
    for (const { state } of this.#finished) states[state] += 1;
    states.queued = this.#turns.size;
    states.running = this.#running.size;
    const users = new Map<string, { user: string; queued: number; running: number }>();
    let oldest = now;
    const count = ({ user }: Entry, what: 'queued' | 'running'): void => {
      const group = users.get(user) ?? { user, queued: 0, running: 0 };
      group[what] += 1;
      users.set(user, group);
    };
    for (const entry of this.#turns) {
      count(entry, 'queued');
      oldest = Math.min(oldest, entry.createdAt);
    }
    for (const entry of this.#running) count(entry, 'running');
    const workers = [...this.#workers.values()];
    return {
      states,
      oldestWaitSeconds: (now - oldest) / 1000,
      users: [...users.values()].sort((a, b) => b.queued + b.running - a.queued - a.running).slice(0, 1000),
      workers: workers.length,
      slots: workers.reduce((sum, { slots }) => sum + slots, 0),
    };
  }

  async cancel(id: string, { now, error }: { now: number; error: JobFailure }) {
    const entry = this.#jobs.get(id);
    if (entry?.state === 'queued') {
      this.#turns.remove(entry);
      this.#end(entry, { state: 'cancelled', error }, now);
    } else if (entry?.state === 'running') {
      entry.cancelling = true;
      this.#listener({ type: 'job', id });
      this.#listener({ type: 'cancelling', id });
    }
    return entry === undefined ? undefined : recordOf(entry);
  }

  async remove(id: string) {
    const entry = this.#jobs.get(id);
    if (entry !== undefined && isFinalState(entry.state)) this.#forget(entry);
    return entry?.state;
  }

  async take({ now, leaseMs }: { worker: string; now: number; leaseMs: number }) {
    const entry = this.#turns.take();
    if (entry === undefined) return undefined;
    const token = randomUUID();
    entry.token = token;
    entry.leaseUntil = now + leaseMs;
    entry.state = 'running';
    entry.startedAt = now;
    entry.expiresAt = undefined;
    entry.attempts += 1;
    this.#running.add(entry);
    this.#event(entry, { type: 'running', attempt: entry.attempts }, now);
    return { record: recordOf(entry), lease: { id: entry.id, token } };
  }

  async renew(leases: readonly Lease[], { now, leaseMs }: { now: number; leaseMs: number }) {
    return leases.map((lease) => {
      const entry = this.#held(lease);
      if (entry === undefined) return 'lost';
      entry.leaseUntil = now + leaseMs;
      return entry.cancelling ? 'cancelling' : 'held';
    });
  }

  async progress(
    lease: Lease,
    events: Parameters<JobStore['progress']>[1],
    bounds: { maxEvents: number; maxPreviews: number },
  ) {
    const entry = this.#held(lease);
    if (entry === undefined) return;
    for (const { at, progress, preview } of events) {
      entry.progress = progress;
      this.#event(
        entry,
        preview === undefined ? { type: 'progress', progress } : { type: 'preview', progress, preview },
        at,
      );
    }
    drop(entry, 'preview', bounds.maxPreviews);
    drop(entry, 'progress', bounds.maxEvents);
  }

  async finish(
    lease: Lease,
    outcome: Parameters<JobStore['finish']>[1],
    options: { now: number; cancelled: JobFailure },
  ) {
    const entry = this.#held(lease);
    if (entry === undefined) return undefined;
    this.#running.delete(entry);
    if (entry.cancelling) this.#end(entry, { state: 'cancelled', error: options.cancelled }, options.now);
    else if (outcome.state === 'succeeded') {
      this.#blobs.add(outcome.blobs);
      entry.blobs = [...entry.blobs, ...outcome.blobs];
      this.#end(entry, { state: 'succeeded', result: outcome.result }, options.now);
    } else this.#end(entry, outcome, options.now);
    return entry.state as FinalJobState;
  }

  async release(lease: Lease, options: ReleaseOptions) {
    const entry = this.#held(lease);
    if (entry !== undefined) this.#release(entry, options);
  }

  async events(id: string, after: number) {
    return this.#jobs.get(id)?.events.filter((event) => event.id > after) ?? [];
  }

  async takeDelivery(outbox: string, { now, leaseMs }: { now: number; leaseMs: number }) {
    let first: Entry | undefined;
    const dueAt = (entry: Entry): number => entry.delivery?.dueAt ?? Number.POSITIVE_INFINITY;
    for (const entry of this.#deliveries.get(outbox) ?? [])
      if (dueAt(entry) <= now && (first === undefined || dueAt(entry) < dueAt(first))) first = entry;
    if (first?.delivery === undefined) return undefined;
    first.delivery.dueAt = now + leaseMs;
    first.delivery.attempts += 1;
    return { record: recordOf(first), attempt: first.delivery.attempts };
  }

  async settleDelivery(id: string, retryAt: number | undefined) {
    const entry = this.#jobs.get(id);
    if (entry?.delivery === undefined) return;
    if (retryAt === undefined) this.#endDelivery(entry);
    else entry.delivery.dueAt = retryAt;
  }

  async register(worker: WorkerInfo) {
    this.#workers.set(worker.id, worker);
  }

  async unregister(worker: string) {
    this.#workers.delete(worker);
  }

  async measure({ checkpoint, backend, workload, seconds }: Timing) {
    const name = JSON.stringify([checkpoint, backend, workload]);
    const previous = this.#timings.get(name);
    const count = (previous?.count ?? 0) + 1;
    this.#timings.set(name, { checkpoint, backend, workload, seconds: movingMean(previous, seconds), count });
  }

  async maintain({ now, progressBefore, ...failures }: MaintainOptions) {
    for (const entry of [...this.#turns]) {
      if ((entry.expiresAt ?? now) > now) continue;
      this.#turns.remove(entry);
      this.#end(entry, { state: 'expired', error: failures.expired }, now);
    }
    for (const entry of [...this.#running]) {
      if (entry.leaseUntil < now) this.#release(entry, { ...failures, now, lost: true, error: failures.lost });
    }
    for (const entry of [...this.#finished]) {
      if ((entry.expiresAt ?? now) <= now) this.#forget(entry);
      else if ((entry.finishedAt ?? now) < progressBefore) {
        drop(entry, 'progress', 0);
        drop(entry, 'preview', 0);
      }
    }
  }

  async garbage(limit: number) {
    return this.#blobs.garbage(limit);
  }

  async collected(keys: readonly string[]) {
    this.#blobs.collected(keys);
  }

  async discard(keys: readonly string[]) {
    this.#blobs.discard(keys);
  }

  async close() {}

  #held({ id, token }: Lease): Entry | undefined {
    const entry = this.#jobs.get(id);
    return entry?.token === token ? entry : undefined;
  }

  #enqueue(entry: Entry, now: number): void {
    entry.state = 'queued';
    this.#turns.add(entry);
    this.#event(entry, { type: 'queued' }, now);
    this.#listener({ type: 'work' });
  }

  #release(entry: Entry, { now, lost, maxAttempts, error, cancelled }: ReleaseOptions): void {
    this.#running.delete(entry);
    entry.token = undefined;
    entry.progress = undefined;
    if (lost) entry.losses += 1;
    if (entry.cancelling) this.#end(entry, { state: 'cancelled', error: cancelled }, now);
    else if (entry.losses >= maxAttempts) this.#end(entry, { state: 'failed', error }, now);
    else this.#enqueue(entry, now);
  }

  #end(entry: Entry, end: { state: FinalJobState; result?: JobResult; error?: JobFailure }, now: number): void {
    const { state, result, error } = end;
    Object.assign(entry, { state, result, error, token: undefined, cancelling: false });
    entry.finishedAt = now;
    entry.expiresAt = now + entry.retentionMs;
    this.#finished.add(entry);
    const { outbox } = entry.request;
    if (outbox !== undefined) {
      entry.delivery = { dueAt: now, attempts: 0 };
      this.#deliveries.set(outbox, (this.#deliveries.get(outbox) ?? new Set()).add(entry));
    }
    this.#event(entry, { type: 'finished', state, result, error }, now);
    const [oldest] = this.#finished;
    if (oldest !== undefined && this.#finished.size > this.#maxFinished) this.#forget(oldest);
  }

  #endDelivery(entry: Entry): void {
    const { outbox = '' } = entry.request;
    entry.delivery = undefined;
    const group = this.#deliveries.get(outbox);
    group?.delete(entry);
    if (group?.size === 0) this.#deliveries.delete(outbox);
  }

  #forget(entry: Entry): void {
    this.#endDelivery(entry);
    this.#jobs.delete(entry.id);
    this.#finished.delete(entry);
    const name = JSON.stringify([entry.user, entry.request.idempotencyKey]);
    if (this.#idempotent.get(name) === entry) this.#idempotent.delete(name);
    this.#blobs.remove(entry.blobs);
    this.#listener({ type: 'job', id: entry.id });
  }

  #event(entry: Entry, body: EventBody, at: number): void {
    entry.eventCount += 1;
    entry.events.push({ id: entry.eventCount, at, ...body });
    this.#listener({ type: 'job', id: entry.id });
  }
}

function recordOf(entry: Entry): JobRecord {
  const {
    fingerprint,
    idempotentUntil,
    retentionMs,
    blobs,
    token,
    leaseUntil,
    losses,
    events,
    eventCount,
    delivery,
    ...record
  } = entry;
  return record;
}

/** Drops the oldest events of a type over a bound. */
function drop(entry: Entry, type: JobEvent['type'], bound: number): void {
  let over = entry.events.filter((event) => event.type === type).length - bound;
  if (over > 0) entry.events = entry.events.filter((event) => event.type !== type || over-- <= 0);
}
