import * as runner from 'vitest';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { jobQueueConformance } from '../testing/job-queue-conformance.js';
import { createMemoryBlobStore } from './memory-blob-store.js';
import { createMemoryQueue } from './memory-queue.js';

const { expect, test } = runner;

jobQueueConformance({
  name: 'memory',
  runner,
  shared: false,
  createQueue: ({ storeName: _, ...options }) => createMemoryQueue(options),
});

test('a sweep needs blobs that can be listed', () => {
  expect(() => createMemoryQueue({ sweepAfterSeconds: 60 })).toThrow(InvalidArgumentError);
  expect(() => createMemoryQueue({ sweepAfterSeconds: 60, blobs: createMemoryBlobStore() })).toThrow(/list/);
});
