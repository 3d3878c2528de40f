import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const CPU_FOLDER = '/sys/devices/system/cpu';
const CGROUP_QUOTA = '/sys/fs/cgroup/cpu.max';

/**
 * Threads that matrix products gain from: one a physical core (two hyper-threads of a core share its arithmetic units), and no
 * more than this process may use. Without information on cores, one a logical processor.
 */
export function defaultThreads(): number {
  return Math.max(1, Math.min(physicalCores() ?? Number.POSITIVE_INFINITY, availableParallelism(), processorQuota()));
}

/** Cores by the groups of logical processors that share one; Linux only. */
function physicalCores(): number | undefined {
  try {
    const groups = readdirSync(CPU_FOLDER)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(join(CPU_FOLDER, name, 'topology/thread_siblings_list'), 'utf8').trim());
    return groups.length === 0 ? undefined : new Set(groups).size;
  } catch {
    return undefined;
  }
}

/** Processors that a container may keep busy, from its control group (version 2). */
function processorQuota(): number {
  try {
    const [quota, period] = readFileSync(CGROUP_QUOTA, 'utf8').trim().split(' ').map(Number);
    const processors = Math.ceil((quota as number) / (period as number));
    return processors >= 1 ? processors : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
