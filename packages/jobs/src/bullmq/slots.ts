import type { Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

type BullModule = typeof import('bullmq');

/**
 * The right to run one job, as a BullMQ job without content: there is one for each waiting job, but which job it stands for is decided
 * when a worker gets it. So BullMQ hands the work to machines, holds the locks and finds what a dead worker left, while users take their
 * turns.
 */
export interface Slots {
  /** Adds one; `name` makes it the only one of this name. */
  add(name?: string): Promise<void>;
  /** Takes the one of this name away if nobody has it. */
  withdraw(name: string): Promise<void>;
  /** One for this process, locked with the token; undefined when none waits. */
  take(token: string, leaseMs: number): Promise<string | undefined>;
  /** Prolongs locks; gives the tokens of those that were lost. */
  renew(tokens: readonly string[], leaseMs: number): Promise<ReadonlySet<string>>;
  /** Gives a slot up; it will not come again. */
  complete(token: string): Promise<void>;
  /** Forgets a slot without giving it up: its lock runs out, and it comes back through `onLost`. For when nobody knows how far Redis got. */
  abandon(token: string): void;
  /** How many wait, and how many are held. */
  counts(): Promise<{ waiting: number; held: number }>;
  /** Hears names of slots whose worker is gone. */
  onLost(listener: (slot: string) => void): void;
  close(): Promise<void>;
}

export interface SlotsOptions {
  bullmq: BullModule;
  name: string;
  prefix: string;
  /** For commands that must end, and for the worker, which waits for Redis to come back. */
  connections: { queue: Redis; worker: Redis };
  onError(error: unknown): void;
}

export function createSlots({ bullmq, name, prefix, connections, onError }: SlotsOptions): Slots {
  const queue: Queue = new bullmq.Queue(name, { connection: connections.queue, prefix });
  queue.on('error', onError);
  for (const connection of Object.values(connections)) connection.on('error', onError);
  const held = new Map<string, Job>();
  const listeners: ((slot: string) => void)[] = [];
  let worker: Worker | undefined;

  /** Only a process that takes jobs looks for lost ones. */
  const startWorker = (leaseMs: number): Worker => {
    const started = new bullmq.Worker(name, null, {
      connection: connections.worker,
      prefix,
      autorun: false,
      lockDuration: leaseMs,
      stalledInterval: Math.max(100, leaseMs / 2),
      // How often a job is tried is counted elsewhere.
      maxStalledCount: 1_000_000_000,
    });
    started.on('error', onError);
    started.on('stalled', (slot) => {
      for (const listener of listeners) listener(slot);
    });
    started.startStalledCheckTimer().catch(onError);
    return started;
  };

  return {
    async add(slot) {
      const once = slot === undefined ? {} : { jobId: `slot-${slot}` };
      await queue.add('slot', {}, { ...once, removeOnComplete: true, removeOnFail: true });
    },
    async withdraw(slot) {
      // Fails for one that a worker holds, which is what is wanted.
      await queue.remove(`slot-${slot}`).catch(() => 0);
    },
    async take(token, leaseMs) {
      worker ??= startWorker(leaseMs);
      const job = await worker.getNextJob(token, { block: false });
      if (job?.id === undefined) return undefined;
      held.set(token, job);
      return job.id;
    },
    async renew(tokens, leaseMs) {
      const lost = new Set<string>();
      await Promise.all(
        tokens.map(async (token) => {
          const prolonged = await held.get(token)?.extendLock(token, leaseMs);
          if (prolonged !== 1) lost.add(token);
        }),
      );
      return lost;
    },
    async complete(token) {
      const job = held.get(token);
      held.delete(token);
      // A slot whose lock was lost belongs to another worker by now.
      await job?.moveToCompleted(null, token, false).catch(() => undefined);
    },
    abandon(token) {
      held.delete(token);
    },
    async counts() {
      const {
        waiting = 0,
        wait = 0,
        active = 0,
        prioritized = 0,
      } = await queue.getJobCounts('wait', 'active', 'prioritized');
      return { waiting: wait + waiting + prioritized, held: active };
    },
    onLost(listener) {
      listeners.push(listener);
    },
    async close() {
      await worker?.close(true);
      await queue.close();
      connections.queue.disconnect();
      connections.worker.disconnect();
    },
  };
}
