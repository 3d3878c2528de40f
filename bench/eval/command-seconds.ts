import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from './statistics.ts';

/** Seconds from the start of the command line tool to the finished file, the median of some runs. */
export async function commandSeconds(options: {
  source: string;
  folder: string;
  checkpoint: string | undefined;
  runs: number;
}): Promise<number> {
  const { source, folder, checkpoint, runs } = options;
  const command = fileURLToPath(new URL('../bin/vibe-edit.js', import.meta.resolve('vibe-edit')));
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    const result = join(folder, `command-${run}.png`);
    const args = [command, 'edit', source, 'make it warmer', '-o', result, '--force'];
    const started = performance.now();
    await promisify(execFile)(process.execPath, [...args, ...(checkpoint ? ['--checkpoint', checkpoint] : [])]);
    seconds.push((performance.now() - started) / 1000);
  }
  return median(seconds);
}
