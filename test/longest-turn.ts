import { readFileSync } from 'node:fs';

/**
 * Milliseconds of CPU that this process' main thread has used. Where the system does not tell (it does on Linux), the clock.
 */
function mainThreadMilliseconds(): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return performance.now();
  }
}

/**
 * Runs work and measures how long it keeps the event loop from turning at worst. Time during which other processes had the core
 * does not count, so that the figure is the same on a busy machine.
 */
export async function longestTurn<Value>(work: () => Promise<Value>): Promise<{ value: Value; milliseconds: number }> {
  let milliseconds = 0;
  let running = true;
  let before = mainThreadMilliseconds();
  const turn = (): void => {
    const now = mainThreadMilliseconds();
    milliseconds = Math.max(milliseconds, now - before);
    before = now;
    if (running) setTimeout(turn, 0);
  };
  setTimeout(turn, 0);
  try {
    const value = await work();
    turn();
    return { value, milliseconds };
  } finally {
    running = false;
  }
}
