import * as runner from 'vitest';
import { jobQueueConformance } from '../testing/job-queue-conformance.js';
import { createMemoryQueue } from './memory-queue.js';

jobQueueConformance({
  name: 'memory',
  runner,
  shared: false,
  createQueue: ({ storeName: _, ...options }) => createMemoryQueue(options),
});
