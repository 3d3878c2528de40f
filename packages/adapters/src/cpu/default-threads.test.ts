import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { defaultThreads } from './default-threads.js';

test('at least one thread and no more than the process may use', () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1);
  expect(defaultThreads()).toBeLessThanOrEqual(availableParallelism());
  expect(Number.isInteger(defaultThreads())).toBe(true);
});
