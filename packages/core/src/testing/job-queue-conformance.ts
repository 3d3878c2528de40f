import type { TestRunner } from './backend-conformance.js';
import { type Case, LIFE_CASES } from './job-queue/life-cases.js';
import { SHARED_CASES } from './job-queue/shared-cases.js';
import { WORKER_CASES } from './job-queue/worker-cases.js';
import { type CreateQueue, createWorld } from './job-queue/world.js';

export interface JobQueueConformanceOptions {
  /** Name of the suite, e.g. `memory`. */
  name: string;
  runner: Pick<TestRunner, 'describe' | 'test'>;
  /** Makes a queue on the store of that name, a new one when no queue had it before. The suite closes it. */
  createQueue: CreateQueue;
  /** Whether queues of the same `storeName` see the same jobs, and find them again after all were closed. Default true. */
  shared?: boolean;
  /** For each test. Default 60,000. */
  timeoutMs?: number;
}

/**
 * Defines tests that every job queue must pass.
 *
 * @example
 * ```ts
 * import { createMemoryQueue } from '@vibe-edit/core';
 * import { jobQueueConformance } from '@vibe-edit/core/testing';
 * import * as runner from 'vitest';
 *
 * jobQueueConformance({ name: 'memory', runner, shared: false, createQueue: (options) => createMemoryQueue(options) });
 * ```
 */
export function jobQueueConformance(options: JobQueueConformanceOptions): void {
  const { name, runner, createQueue, shared = true, timeoutMs = 60_000 } = options;
  const define = ([title, run]: Case): void =>
    runner.test(
      title,
      async () => {
        const world = createWorld(createQueue);
        try {
          await run(world);
        } finally {
          await world.close();
        }
      },
      timeoutMs,
    );
  runner.describe(`conformance of the job queue ${name}`, () => {
    for (const test of [...LIFE_CASES, ...WORKER_CASES, ...(shared ? SHARED_CASES : [])]) define(test);
  });
}
