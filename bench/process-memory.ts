import { readFileSync } from 'node:fs';

const SAMPLE_MS = 50;

/** The most memory that a group of processes held, in bytes. */
export interface PeakMemory {
  /** Sum of the largest resident sizes of each: everything, pages of mapped weight files included. */
  readonly resident: number;
  /** Largest sum of anonymous memory, sampled: what the system cannot drop and read again from the files. */
  readonly anonymous: number;
}

/** Watches this process and another one (Linux). `stop` gives the peaks since the start. */
export function watchMemory(other: () => number | undefined): { stop(): PeakMemory } {
  const resident = new Map<number, number>();
  let anonymous = 0;
  const sample = (): void => {
    let sum = 0;
    for (const pid of [process.pid, other()]) {
      const status = pid === undefined ? undefined : readStatus(pid);
      if (pid === undefined || status === undefined) continue;
      resident.set(pid, Math.max(resident.get(pid) ?? 0, status.peakResident));
      sum += status.anonymous;
    }
    anonymous = Math.max(anonymous, sum);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      sample();
      return { resident: [...resident.values()].reduce((sum, bytes) => sum + bytes, 0), anonymous };
    },
  };
}

/** Undefined: the process is gone. */
function readStatus(pid: number): { peakResident: number; anonymous: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { peakResident: bytes('VmHWM'), anonymous: bytes('RssAnon') };
}
