/**
 * `tsx bench/queue.ts [memory] [libsql] [bullmq]`: what the queues add to a job, how fair they are, and how much memory many jobs take.
 * Handlers do nothing, so that all of the time is the queue's. BullMQ needs `redis-server` on the machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createMemoryQueue,
  type JobQueue,
  type JobQueueOptions,
  type JobRequest,
  type JobResult,
  type JobWorker,
} from '@vibe-edit/core';
import { createBullmqQueue } from '@vibe-edit/jobs/bullmq';
import { createLibsqlQueue } from '@vibe-edit/jobs/libsql';
import { hasRedis, startRedis } from '../test/jobs/redis-server.ts';

const USERS = 100;
const JOBS_EACH = 100;
const JOBS = USERS * JOBS_EACH;
/** Shares are counted over so many of the jobs, while every user still has some. */
const COUNTED = JOBS / 2;
const CONCURRENCY = 4;
/** As a server has several callers. */
const SUBMITTED_AT_ONCE = 10;

const options: JobQueueOptions = { maxQueued: JOBS, maxPerUser: JOBS_EACH };
const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-bench-'));
const seconds = { queue: 0, prepare: 0, condition: 0, encode: 0, denoise: 0, decode: 0, restore: 0 };
const result: JobResult = { images: [], seed: 42, warnings: [], seconds };

interface Row {
  name: string;
  submit: number;
  run: number;
  largest: number;
  smallest: number;
  heapMegabytes: number;
  residentMegabytes: number;
}

function memory(): { heap: number; resident: number } {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / 2 ** 20, resident: rss / 2 ** 20 };
}

function requestOf(user: number, index: number): JobRequest {
  return {
    kind: 'generate',
    user: `user-${user}`,
    instruction: 'a red house beside a lake in the evening',
    settings: { seed: index, numInferenceSteps: 20, size: { width: 1024, height: 768 } },
    metadata: { chat: `chat-${user}`, message: index },
  };
}

async function measure(name: string, queue: JobQueue): Promise<Row> {
  const before = memory();
  const started = performance.now();
  // One user after the other: who comes last must not wait for all of who came first.
  for (let user = 0; user < USERS; user += 1) {
    for (let first = 0; first < JOBS_EACH; first += SUBMITTED_AT_ONCE)
      await Promise.all(
        Array.from({ length: SUBMITTED_AT_ONCE }, (_, offset) => queue.submit(requestOf(user, first + offset))),
      );
  }
  const submitted = performance.now();
  const after = memory();
  const shares = new Map<string, number>();
  let begun = 0;
  let worker: JobWorker | undefined;
  const all = new Promise<void>((resolve) => {
    worker = queue.work(
      async ({ job }) => {
        begun += 1;
        if (begun <= COUNTED) shares.set(job.user, (shares.get(job.user) ?? 0) + 1);
        if (begun === JOBS) resolve();
        return result;
      },
      { concurrency: CONCURRENCY },
    );
  });
  const working = performance.now();
  await all;
  await worker?.close({ drainSeconds: 60 });
  const ended = performance.now();
  const { states } = await queue.stats();
  if (states.queued + states.running > 0) throw new Error(`Jobs are left: ${JSON.stringify(states)}`);
  await queue.close();
  const fair = COUNTED / USERS;
  const counts = [...shares.values()];
  return {
    name,
    submit: (submitted - started) / JOBS,
    run: (ended - working) / JOBS,
    largest: Math.max(...counts) / fair,
    smallest: shares.size < USERS ? 0 : Math.min(...counts) / fair,
    heapMegabytes: after.heap - before.heap,
    residentMegabytes: after.resident - before.resident,
  };
}

const chosen = process.argv.slice(2);
const wanted = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
const rows: Row[] = [];
try {
  if (wanted('memory')) rows.push(await measure('memory', createMemoryQueue({ ...options, maxFinished: JOBS })));
  if (wanted('libsql'))
    rows.push(await measure('libsql', await createLibsqlQueue({ ...options, file: join(folder, 'jobs.db') })));
  if (wanted('bullmq') && hasRedis) {
    const redis = await startRedis();
    try {
      rows.push(await measure('bullmq', await createBullmqQueue({ ...options, url: redis.url })));
    } finally {
      redis.stop();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const number = (value: number, digits = 2): string => value.toFixed(digits);
console.log(`${JOBS} jobs of ${USERS} users, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}\n`);
console.log(
  '| queue | submit, ms a job | take, run, finish, ms a job | both | smallest and largest share | heap, MB | resident, MB |',
);
console.log('|---|---|---|---|---|---|---|');
for (const row of rows) {
  const shares = `${number(row.smallest)} .. ${number(row.largest)}`;
  const times = [row.submit, row.run, row.submit + row.run].map((value) => number(value));
  const sizes = [row.heapMegabytes, row.residentMegabytes].map((value) => number(value, 0));
  console.log(`| ${[row.name, ...times, shares, ...sizes].join(' | ')} |`);
}
