import { randomUUID } from 'node:crypto';
import {
  BlobMissingError,
  type FinalJobState,
  isFinalState,
  JOB_STATES,
  type JobFailure,
  type JobResult,
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
import type { Database, Value } from './database.js';
import { isGone, processOwner } from './process-owner.js';
import { type EventRow, eventOf, type JobRow, recordOf } from './rows.js';

/** Changes of other processes are seen so soon, ms. */
const WATCH_MS = 100;
/** Jobs that one transaction of the upkeep touches: nobody waits long for it. */
const BATCH = 100;

type End = { state: FinalJobState; result?: JobResult | undefined; error?: JobFailure | undefined };

/** Jobs in a libSQL file. Each method is one transaction, carried out at once. */
export class LibsqlJobStore implements JobStore {
  readonly #database: Database;
  readonly #owner = processOwner();
  readonly #watch: NodeJS.Timeout;
  #listener: (change: StoreChange) => void = () => {};
  #version: number;

  constructor(database: Database) {
    this.#database = database;
    this.#version = this.#dataVersion();
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  subscribe(listener: (change: StoreChange) => void): void {
    this.#listener = listener;
  }

  async insert(job: NewJob, { maxQueued, maxPerUser }: { maxQueued: number; maxPerUser: number }) {
    const { request } = job;
    const { user, parent = null, idempotencyKey = null } = request;
    const db = this.#database;
    const inserted = db.transaction(() => {
      if (idempotencyKey !== null) {
        const sql = 'SELECT * FROM jobs WHERE user = ? AND idempotency_key = ?';
        const there = db.one<JobRow>(sql, user, idempotencyKey);
        if (there !== undefined && there.idempotent_until > job.createdAt)
          return { record: recordOf(there), created: false, fingerprint: there.fingerprint };
        if (there !== undefined) db.run('UPDATE jobs SET idempotency_key = NULL WHERE id = ?', there.id);
      }
      if (parent !== null && this.#row(parent) === undefined) throw new UnknownJobError(parent);
      for (const key of job.blobs)
        if (db.one('SELECT key FROM garbage WHERE key = ?', key) !== undefined) throw new BlobMissingError({ key });
      const queued = db.one<{ queued: number }>('SELECT coalesce(sum(queued), 0) queued FROM users')?.queued ?? 0;
      if (queued >= maxQueued) throw new QueueFullError({ limit: maxQueued });
      const own = db.one<{ unfinished: number }>('SELECT queued + running unfinished FROM users WHERE user = ?', user);
      if ((own?.unfinished ?? 0) >= maxPerUser) throw new UserLimitError({ user, limit: maxPerUser });
      db.run(
        `INSERT INTO jobs (id, user, state, request, parent, priority, workload, fingerprint, idempotency_key,
             idempotent_until, created_at, expires_at, retention_ms, outbox)
           VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[job.id, user, JSON.stringify(request), parent, request.priority ?? 0, job.workload, job.fingerprint],
        ...[idempotencyKey, job.idempotentUntil, job.createdAt, job.expiresAt, job.retentionMs],
        request.outbox ?? null,
      );
      const row = this.#row(job.id) as JobRow;
      this.#addBlobs(row.sequence, job.blobs);
      this.#event(row.sequence, { type: 'queued', at: job.createdAt });
      return { record: recordOf(row), created: true, fingerprint: job.fingerprint };
    });
    // Also for one that was there already: its first submitter may still wait for the disk.
    await db.flush();
    if (inserted.created) this.#listener({ type: 'work' });
    return inserted;
  }

  async get(id: string) {
    const row = this.#row(id);
    return row === undefined ? undefined : recordOf(row);
  }

  async list({ user, states, parent, limit, after }: Parameters<JobStore['list']>[0]) {
    const conditions: string[] = ['TRUE'];
    const values: Value[] = [];
    const where = (condition: string, ...more: Value[]): void => {
      conditions.push(condition);
      values.push(...more);
    };
    if (user !== undefined) where('user = ?', user);
    if (parent !== undefined) where('parent = ?', parent);
    if (states !== undefined) where('state IN (SELECT value FROM json_each(?))', JSON.stringify(states));
    if (after !== undefined) where('sequence < coalesce((SELECT sequence FROM jobs WHERE id = ?), 0)', after);
    const sql = `SELECT * FROM jobs WHERE ${conditions.join(' AND ')} ORDER BY sequence DESC LIMIT ?`;
    return this.#database.all<JobRow>(sql, ...values, limit).map(recordOf);
  }

  async positions(ids: readonly string[]) {
    return ids.map((id) => this.#position(id));
  }

  async load(now: number) {
    const db = this.#database;
    const workers = db.all<WorkerInfo>('SELECT id, slots, checkpoint, backend FROM workers WHERE alive_until > ?', now);
    return {
      slots: workers.reduce((sum, { slots }) => sum + slots, 0),
      workers,
      queued: db.all<{ workload: string; count: number }>(
        "SELECT workload, count(*) count FROM jobs WHERE state = 'queued' GROUP BY workload",
      ),
      running: db.all<{ workload: string; startedAt: number }>(
        "SELECT workload, started_at startedAt FROM jobs WHERE state = 'running'",
      ),
      timings: db.all<Timing>('SELECT checkpoint, backend, workload, seconds FROM timings'),
    };
  }

  async stats(now: number) {
    const db = this.#database;
    const states = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
    const counts = db.all<{ state: JobState; count: number }>('SELECT state, count(*) count FROM jobs GROUP BY state');
    for (const { state, count } of counts) states[state] = count;
    const oldest =
      db.one<{ at: number | null }>("SELECT min(created_at) at FROM jobs WHERE state = 'queued'")?.at ?? now;
    const live = 'SELECT count(*) workers, coalesce(sum(slots), 0) slots FROM workers WHERE alive_until > ?';
    const { workers = 0, slots = 0 } = db.one<{ workers: number; slots: number }>(live, now) ?? {};
    const users = db.all<{ user: string; queued: number; running: number }>(
      'SELECT user, queued, running FROM users ORDER BY queued + running DESC LIMIT 1000',
    );
    return {
      states,
      oldestWaitSeconds: Math.max(0, now - oldest) / 1000,
      users: users.map(({ user, queued, running }) => ({ user, queued, running })),
      workers,
      slots,
    };
  }

  async cancel(id: string, { now, error }: { now: number; error: JobFailure }) {
    const row = this.#database.transaction(() => {
      const before = this.#row(id);
      if (before?.state === 'queued') this.#end(before, { state: 'cancelled', error }, now);
      else if (before?.state === 'running') this.#database.run('UPDATE jobs SET cancelling = 1 WHERE id = ?', id);
      return this.#row(id);
    });
    if (row === undefined) return undefined;
    this.#listener({ type: 'job', id });
    if (row.cancelling === 1) this.#listener({ type: 'cancelling', id });
    return recordOf(row);
  }

  async remove(id: string) {
    const state = this.#database.transaction(() => {
      const row = this.#row(id);
      if (row !== undefined && isFinalState(row.state)) this.#forget(row.sequence);
      return row?.state;
    });
    this.#listener({ type: 'job', id });
    return state;
  }

  async take({ now, leaseMs }: { worker: string; now: number; leaseMs: number }) {
    const db = this.#database;
    const next = 'SELECT user FROM users WHERE queued > 0 ORDER BY ticket LIMIT 1';
    // Without a lock first: most looks find nothing.
    if (db.one(next) === undefined) return undefined;
    const token = randomUUID();
    const row = db.transaction(() => {
      const line = db.one<{ user: string }>(next);
      if (line === undefined) return undefined;
      const first = db.one<JobRow>(
        "SELECT * FROM jobs WHERE state = 'queued' AND user = ? ORDER BY priority DESC, sequence LIMIT 1",
        line.user,
      ) as JobRow;
      db.run(
        `UPDATE jobs SET state = 'running', attempts = attempts + 1, started_at = ?, expires_at = NULL, token = ?,
           owner = ?, lease_until = ? WHERE sequence = ?`,
        ...[now, token, this.#owner, now + leaseMs, first.sequence],
      );
      db.run('UPDATE tickets SET latest = latest + 1');
      db.run('UPDATE users SET ticket = (SELECT latest FROM tickets) WHERE user = ?', line.user);
      this.#event(first.sequence, { type: 'running', at: now, body: { attempt: first.attempts + 1 } });
      return this.#row(first.id) as JobRow;
    });
    if (row === undefined) return undefined;
    this.#listener({ type: 'job', id: row.id });
    return { record: recordOf(row), lease: { id: row.id, token } };
  }

  async renew(leases: readonly Lease[], { now, leaseMs }: { now: number; leaseMs: number }) {
    if (leases.length === 0) return [];
    return this.#database.transaction(() =>
      leases.map((lease): LeaseState => {
        const row = this.#held(lease);
        if (row === undefined) return 'lost';
        this.#database.run('UPDATE jobs SET lease_until = ? WHERE sequence = ?', now + leaseMs, row.sequence);
        return row.cancelling === 1 ? 'cancelling' : 'held';
      }),
    );
  }

  async progress(
    lease: Lease,
    events: Parameters<JobStore['progress']>[1],
    bounds: { maxEvents: number; maxPreviews: number },
  ) {
    const db = this.#database;
    db.transaction(() => {
      const row = this.#held(lease);
      if (row === undefined) return;
      for (const { at, progress, preview } of events) {
        db.run('UPDATE jobs SET progress = ? WHERE sequence = ?', JSON.stringify(progress), row.sequence);
        if (preview === undefined) this.#event(row.sequence, { type: 'progress', at, body: { progress } });
        else {
          const { data, ...described } = preview;
          this.#event(row.sequence, { type: 'preview', at, body: { progress, preview: described }, data });
        }
      }
      for (const [type, bound] of [
        ['progress', bounds.maxEvents],
        ['preview', bounds.maxPreviews],
      ] as const)
        db.run(
          `DELETE FROM events WHERE job = ? AND type = ? AND number <=
             (SELECT number FROM events WHERE job = ? AND type = ? ORDER BY number DESC LIMIT 1 OFFSET ?)`,
          ...[row.sequence, type, row.sequence, type, bound],
        );
    });
    this.#listener({ type: 'job', id: lease.id });
  }

  async finish(
    lease: Lease,
    outcome: Parameters<JobStore['finish']>[1],
    options: { now: number; cancelled: JobFailure },
  ) {
    const state = this.#database.transaction(() => {
      const row = this.#held(lease);
      if (row === undefined) return undefined;
      if (row.cancelling === 1) this.#end(row, { state: 'cancelled', error: options.cancelled }, options.now);
      else if (outcome.state === 'succeeded') {
        this.#addBlobs(row.sequence, outcome.blobs);
        this.#end(row, { state: 'succeeded', result: outcome.result }, options.now);
      } else this.#end(row, outcome, options.now);
      return row.cancelling === 1 ? 'cancelled' : outcome.state;
    });
    this.#listener({ type: 'job', id: lease.id });
    return state;
  }

  async release(lease: Lease, options: ReleaseOptions) {
    this.#database.transaction(() => {
      const row = this.#held(lease);
      if (row !== undefined) this.#release(row, options);
    });
    this.#listener({ type: 'job', id: lease.id });
    this.#listener({ type: 'work' });
  }

  async events(id: string, after: number) {
    const sql =
      'SELECT e.* FROM events e JOIN jobs j ON j.sequence = e.job WHERE j.id = ? AND number > ? ORDER BY number';
    return this.#database.all<EventRow>(sql, id, after).map(eventOf);
  }

  async takeDelivery(outbox: string, { now, leaseMs }: { now: number; leaseMs: number }) {
    const db = this.#database;
    const due = 'SELECT * FROM jobs WHERE outbox = ? AND due_at <= ? ORDER BY due_at LIMIT 1';
    if (db.one(due, outbox, now) === undefined) return undefined;
    return db.transaction(() => {
      const row = db.one<JobRow>(due, outbox, now);
      if (row === undefined) return undefined;
      const sql = 'UPDATE jobs SET due_at = ?, deliveries = deliveries + 1 WHERE sequence = ?';
      db.run(sql, now + leaseMs, row.sequence);
      return { record: recordOf(row), attempt: row.deliveries + 1 };
    });
  }

  async settleDelivery(id: string, retryAt: number | undefined) {
    const sql = 'UPDATE jobs SET due_at = ? WHERE id = ? AND due_at IS NOT NULL';
    this.#database.run(sql, retryAt === undefined ? null : Math.round(retryAt), id);
  }

  async register(worker: WorkerInfo, { now, leaseMs }: { now: number; leaseMs: number }) {
    this.#database.run(
      `INSERT INTO workers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
      ...[worker.id, this.#owner, worker.slots, worker.checkpoint, worker.backend, now + leaseMs],
    );
  }

  async unregister(worker: string) {
    this.#database.run('DELETE FROM workers WHERE id = ?', worker);
  }

  async measure({ checkpoint, backend, workload, seconds }: Timing) {
    const db = this.#database;
    db.transaction(() => {
      const previous = db.one<{ seconds: number; count: number }>(
        'SELECT seconds, count FROM timings WHERE checkpoint = ? AND backend = ? AND workload = ?',
        ...[checkpoint, backend, workload],
      );
      db.run(
        `INSERT INTO timings VALUES (?, ?, ?, ?, 1)
           ON CONFLICT DO UPDATE SET seconds = excluded.seconds, count = timings.count + 1`,
        ...[checkpoint, backend, workload, movingMean(previous, seconds)],
      );
    });
  }

  async maintain({ now, progressBefore, ...failures }: MaintainOptions) {
    const db = this.#database;
    const owners = db.all<{ owner: string }>(
      "SELECT owner FROM jobs WHERE state = 'running' UNION SELECT owner FROM workers",
    );
    const gone = JSON.stringify(owners.map(({ owner }) => owner).filter((owner) => isGone(owner)));
    const isLost = "state = 'running' AND (lease_until < ? OR owner IN (SELECT value FROM json_each(?)))";
    const dead = 'alive_until < ? OR owner IN (SELECT value FROM json_each(?))';
    if (db.one(`SELECT id FROM workers WHERE ${dead}`, now, gone) !== undefined)
      db.run(`DELETE FROM workers WHERE ${dead}`, now, gone);
    await this.#batches(`SELECT * FROM jobs WHERE ${isLost}`, [now, gone], (row) =>
      this.#release(row, { ...failures, now, lost: true, error: failures.lost }),
    );
    await this.#batches("SELECT * FROM jobs WHERE state = 'queued' AND expires_at <= ?", [now], (row) =>
      this.#end(row, { state: 'expired', error: failures.expired }, now),
    );
    await this.#batches(
      `SELECT * FROM jobs WHERE state IN ('succeeded', 'failed', 'cancelled', 'expired') AND expires_at <= ?`,
      [now],
      (row) => this.#forget(row.sequence),
    );
    const untrimmed = 'SELECT * FROM jobs WHERE trimmed = 0 AND finished_at IS NOT NULL AND finished_at < ?';
    await this.#batches(untrimmed, [progressBefore], ({ sequence }) => {
      db.run("DELETE FROM events WHERE job = ? AND type IN ('progress', 'preview')", sequence);
      db.run('UPDATE jobs SET trimmed = 1 WHERE sequence = ?', sequence);
    });
  }

  async garbage(limit: number) {
    return this.#database.all<{ key: string }>('SELECT key FROM garbage LIMIT ?', limit).map(({ key }) => key);
  }

  async collected(keys: readonly string[]) {
    const sql = 'DELETE FROM garbage WHERE key IN (SELECT value FROM json_each(?))';
    this.#database.run(sql, JSON.stringify(keys));
  }

  async discard(keys: readonly string[]) {
    if (keys.length > 0) this.#database.transaction(() => this.#discard(keys));
  }

  async close() {
    clearInterval(this.#watch);
    await this.#database.close();
  }

  /** Does something to all rows that a query finds, some at a time; each must no longer be found afterwards. */
  async #batches(sql: string, values: Value[], change: (row: JobRow) => void): Promise<void> {
    const find = `${sql} LIMIT ${BATCH}`;
    while (this.#database.one(find, ...values) !== undefined) {
      const rows = this.#database.transaction(() => {
        const found = this.#database.all<JobRow>(find, ...values);
        for (const row of found) change(row);
        return found;
      });
      for (const { id } of rows) this.#listener({ type: 'job', id });
      this.#listener({ type: 'work' });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #row(id: string): JobRow | undefined {
    return this.#database.one<JobRow>('SELECT * FROM jobs WHERE id = ?', id);
  }

  #held({ id, token }: Lease): JobRow | undefined {
    return this.#database.one<JobRow>('SELECT * FROM jobs WHERE id = ? AND token = ?', id, token);
  }

  #position(id: string): number | undefined {
    const db = this.#database;
    const row = db.one<JobRow & { ticket: number }>(
      "SELECT jobs.*, ticket FROM jobs JOIN users USING (user) WHERE id = ? AND state = 'queued'",
      id,
    );
    if (row === undefined) return undefined;
    const { user, priority, sequence, ticket } = row;
    const ahead = db.one<{ count: number }>(
      `SELECT count(*) count FROM jobs WHERE state = 'queued' AND user = ?
         AND (priority > ? OR (priority = ? AND sequence < ?))`,
      ...[user, priority, priority, sequence],
    )?.count as number;
    const others = db.one<{ count: number }>(
      'SELECT coalesce(sum(min(queued, ? + (ticket < ?))), 0) count FROM users WHERE queued > 0 AND user <> ?',
      ...[ahead, ticket, user],
    )?.count as number;
    return ahead + others;
  }

  #release(row: JobRow, { now, lost, maxAttempts, error, cancelled }: ReleaseOptions): void {
    const losses = row.losses + (lost ? 1 : 0);
    if (row.cancelling === 1) this.#end(row, { state: 'cancelled', error: cancelled }, now);
    else if (losses >= maxAttempts) this.#end(row, { state: 'failed', error }, now);
    else {
      this.#database.run(
        `UPDATE jobs SET state = 'queued', losses = ?, progress = NULL, token = NULL, owner = NULL, lease_until = NULL
           WHERE sequence = ?`,
        ...[losses, row.sequence],
      );
      this.#event(row.sequence, { type: 'queued', at: now });
    }
  }

  #end({ sequence, retention_ms, outbox }: JobRow, { state, result, error }: End, now: number): void {
    this.#database.run(
      `UPDATE jobs SET state = ?, result = ?, error = ?, finished_at = ?, expires_at = ?, due_at = ?, token = NULL,
         owner = NULL, lease_until = NULL, cancelling = 0 WHERE sequence = ?`,
      ...[
        state,
        result === undefined ? null : JSON.stringify(result),
        error === undefined ? null : JSON.stringify(error),
      ],
      ...[now, now + retention_ms, outbox === null ? null : now, sequence],
    );
    this.#event(sequence, { type: 'finished', at: now, body: { state, result, error } });
  }

  #forget(sequence: number): void {
    const db = this.#database;
    const keys = db.all<{ key: string }>('SELECT key FROM job_blobs WHERE job = ?', sequence).map(({ key }) => key);
    db.run('DELETE FROM job_blobs WHERE job = ?', sequence);
    db.run('DELETE FROM events WHERE job = ?', sequence);
    db.run('DELETE FROM jobs WHERE sequence = ?', sequence);
    this.#discard(keys);
  }

  #discard(keys: readonly string[]): void {
    this.#database.run(
      `INSERT INTO garbage SELECT value FROM json_each(?) WHERE value NOT IN (SELECT key FROM job_blobs)
         ON CONFLICT DO NOTHING`,
      JSON.stringify(keys),
    );
  }

  #addBlobs(sequence: number, keys: readonly string[]): void {
    for (const key of keys)
      this.#database.run('INSERT INTO job_blobs VALUES (?, ?) ON CONFLICT DO NOTHING', sequence, key);
  }

  #event(sequence: number, event: { type: string; at: number; body?: object; data?: Uint8Array }): void {
    this.#database.run('UPDATE jobs SET events = events + 1 WHERE sequence = ?', sequence);
    this.#database.run(
      'INSERT INTO events SELECT sequence, events, ?, ?, ?, ? FROM jobs WHERE sequence = ?',
      ...[event.at, event.type, JSON.stringify(event.body ?? {}), event.data ?? null, sequence],
    );
  }

  #dataVersion(): number {
    return this.#database.one<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  /** Sees whether another connection wrote. */
  #look(): void {
    const version = this.#dataVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.#listener({ type: 'anything' });
  }
}
