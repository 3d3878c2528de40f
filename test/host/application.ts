import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BackendDescription, Component } from '@vibe-edit/core/runtime';
import { onTestFinished } from 'vitest';
import { CHECKPOINT_PATH, until } from './host-fixture.js';

const SCRIPT = fileURLToPath(new URL('./testdata/use-backend.mjs', import.meta.url));

export interface Application {
  readonly process: ChildProcess;
  /** What it printed on its standard output so far. */
  stdout(): string;
  /** Process id of its child, once the session is open. */
  childPid(): Promise<number>;
  readonly exited: Promise<number | null>;
}

export interface ApplicationTask {
  description: BackendDescription;
  component: Component;
  /** Whether it closes the backend at the end. */
  close: boolean;
  /** Of the latents. */
  sizes?: { height: number; width: number };
}

/** An application of its own process group, so that a signal can be sent to all of it as a terminal does. */
export function startApplication(options: ApplicationTask): Application {
  const task = { ...options, checkpointPath: CHECKPOINT_PATH };
  const application = spawn(process.execPath, [SCRIPT, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  application.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  onTestFinished(() => void application.kill('SIGKILL'));
  return {
    process: application,
    stdout: () => stdout,
    async childPid() {
      await until(() => stdout.includes('\n'));
      return Number(/^pid (\d+)/.exec(stdout)?.[1]);
    },
    exited: new Promise((resolve) => {
      application.once('close', resolve);
    }),
  };
}
