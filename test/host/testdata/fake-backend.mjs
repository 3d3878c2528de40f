import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createFakeBackend } from '@vibe-edit/core/testing';

/**
 * The fake backend with faults that a test orders through files in `folder`, since it cannot reach into another process:
 * `plan.json` says at which call what happens; `reached` appears when that call has begun.
 *
 * @param {{ folder: string }} options
 */
export function createBackend({ folder }) {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return createFakeBackend({
    name: 'fake',
    before({ kind, component }) {
      if (!existsSync(`${folder}/plan.json`)) return;
      const plan = JSON.parse(readFileSync(`${folder}/plan.json`, 'utf8'));
      if (plan.at !== `${kind} ${component}`) return;
      rmSync(`${folder}/plan.json`);
      writeFileSync(`${folder}/reached`, '');
      if (plan.printed !== undefined) {
        process.stdout.write(plan.printed);
        process.stderr.write(plan.printed);
      }
      // As a native run does, this blocks the thread.
      if (plan.blockMs !== undefined) Atomics.wait(pause, 0, 0, plan.blockMs);
      if (plan.throwLater)
        setTimeout(() => {
          throw new Error('thrown by the backend');
        });
      if (plan.crash) process.kill(process.pid, 'SIGSEGV');
    },
  });
}
