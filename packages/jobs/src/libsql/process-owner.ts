import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names this process so that others of the same machine can tell whether it still lives: `MACHINE:PID:START`. Processes that cannot see
 * each other (another machine, another container) have another MACHINE; START tells a process from a later one with the same id.
 */
export function processOwner(): string {
  return `${machine()}:${process.pid}:${startOf(process.pid)}`;
}

/** Whether a process is known to be gone. Of another machine nothing is known: only the end of its leases tells. */
export function isGone(owner: string): boolean {
  const [itsMachine, pidText, start] = owner.split(':');
  const pid = Number(pidText);
  if (itsMachine !== machine() || !Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
  return startOf(pid) !== start;
}

let known: string | undefined;

function machine(): string {
  known ??= createHash('sha256')
    .update([hostname(), read('/proc/sys/kernel/random/boot_id'), processNamespace()].join('\n'))
    .digest('hex')
    .slice(0, 16);
  return known;
}

/** When a process began, in ticks since the machine did (field 22 of `/proc/PID/stat`); empty where there is no `/proc`. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  // The name, field 2, may hold anything, spaces and brackets included.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
