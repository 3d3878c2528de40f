import { totalmem } from 'node:os';

/** Bytes of memory this process may use: the machine's, or the limit of its control group where that is lower. */
export function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return constrained > 0 ? Math.min(constrained, total) : total;
}
