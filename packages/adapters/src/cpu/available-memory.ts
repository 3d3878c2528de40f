import { totalmem } from 'node:os';

/** Bytes of memory that this process may use: the machine's, or its control group's where that is less. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
