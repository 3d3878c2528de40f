import { type ChildProcess, spawn } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { createProcessBackend } from '@vibe-edit/core';
import { hostTensor } from '@vibe-edit/core/runtime';
import { exampleInputs } from '@vibe-edit/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  CHECKPOINT_PATH,
  type FakeHost,
  fakeHost,
  isAlive,
  processState,
  residentBytes,
  tinyCheckpoint,
  until,
} from './host-fixture.js';

const APPLICATION = fileURLToPath(new URL('./testdata/use-backend.mjs', import.meta.url));

interface Application {
  readonly process: ChildProcess;
  /** What it printed on its standard output so far. */
  stdout(): string;
  /** Process id of its child, once the session is open. */
  childPid(): Promise<number>;
  readonly exited: Promise<number | null>;
}

/** An application of its own process group, so that a signal can be sent to all of it as a terminal does. */
function startApplication(host: FakeHost, { close }: { close: boolean }): Application {
  const task = { description: host.description, checkpointPath: CHECKPOINT_PATH, component: 'connector', close };
  const application = spawn(process.execPath, [APPLICATION, JSON.stringify(task)], {
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

describe('life of the child process', () => {
  test('it is gone within a second of its parent, in the middle of a run', async () => {
    const host = await fakeHost();
    const { reached } = await host.plan({ at: 'run connector', blockMs: 60_000 });
    const application = startApplication(host, { close: false });
    const pid = await application.childPid();
    await reached;
    expect(await isAlive(pid)).toBe(true);
    application.process.kill('SIGKILL');
    const start = performance.now();
    await until(async () => !(await isAlive(pid)));
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('signals to the process group are left to the parent', async () => {
    const host = await fakeHost();
    const { reached } = await host.plan({ at: 'run connector', blockMs: 500 });
    const application = startApplication(host, { close: true });
    const pid = await application.childPid();
    await reached;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    process.kill(-application.process.pid!, 'SIGINT');
    expect(await application.exited).toBe(0);
    expect(application.stdout()).toMatch(/^pid \d+\noutputs prompt_embeds\n$/);
    expect(await isAlive(pid)).toBe(false);
  });

  test('what it prints does not reach the output of the application', async () => {
    const host = await fakeHost();
    await host.plan({ at: 'run connector', printed: 'noise\n'.repeat(50_000) });
    const application = startApplication(host, { close: true });
    expect(await application.exited).toBe(0);
    expect(application.stdout()).toMatch(/^pid \d+\noutputs prompt_embeds\n$/);
  });

  test('an idle child does not keep the application alive', async () => {
    const host = await fakeHost();
    const application = startApplication(host, { close: false });
    const pid = await application.childPid();
    expect(await application.exited).toBe(0);
    expect(application.stdout()).toContain('outputs prompt_embeds');
    await until(async () => !(await isAlive(pid)));
  });
});

describe('load on this process', () => {
  test('the event loop stays free while 50 MB cross', { retry: 2 }, async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const session = await backend.open('vaeEncoder', checkpoint);
    const decoder = await backend.open('vaeDecoder', checkpoint);
    const [height, width] = [64, 64];
    const shape = [1, 3, height * 32, width * 32];
    const image = hostTensor('float32', shape, new Float32Array(3 * height * width * 1024));
    const latent_size = hostTensor('int64', [2], BigInt64Array.of(BigInt(height), BigInt(width)));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const { latents } = await session.run({ image, latent_size }, { keep: ['latents'] });
    const { image: decoded } = await decoder.run({ latents: latents!, latent_size });
    delay.disable();
    expect(decoded?.shape).toEqual(shape);
    expect(delay.max / 1e6).toBeLessThan(50);
  });

  test('200 sessions, runs and tensors leave nothing behind', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const inputs = exampleInputs({ component: 'vaeEncoder', checkpoint, height: 8, width: 8 });
    const cycle = async (): Promise<void> => {
      const session = await backend.open('vaeEncoder', checkpoint);
      const { latents } = await session.run(inputs, { keep: ['latents'] });
      latents?.dispose();
      await session.close();
    };
    const here: number[] = [];
    const there: number[] = [];
    for (let index = 0; index < 200; index++) {
      await cycle();
      // The first cycles fill caches and the heap's young generation.
      if (index < 100 || index % 20 !== 0) continue;
      here.push(process.memoryUsage.rss());
      there.push(await residentBytes(backend.pid!));
    }
    // A cycle moves 800 KB; a hundred of them would be seen.
    for (const sizes of [here, there]) expect(Math.min(...sizes.slice(-2)) - Math.min(...sizes)).toBeLessThan(40e6);
  });

  test('children that end leave no zombies', async () => {
    const checkpoint = await tinyCheckpoint();
    const pids: number[] = [];
    for (let index = 0; index < 5; index++) {
      const { description } = await fakeHost();
      const backend = createProcessBackend(description);
      await backend.open('connector', checkpoint);
      pids.push(backend.pid!);
      await backend.close();
    }
    for (const pid of pids) expect(await processState(pid)).toBeUndefined();
  });
});
