import { createProcessBackend } from '@vibe-edit/core';
import { hostTensor } from '@vibe-edit/core/runtime';
import { exampleInputs } from '@vibe-edit/core/testing';
import { describe, expect, test } from 'vitest';
import { startApplication } from './application.js';
import { fakeHost, isAlive, processState, residentBytes, tinyCheckpoint, until } from './host-fixture.js';

describe('life of the child process', () => {
  test('it is gone within a second of its parent, in the middle of a run', async () => {
    const host = await fakeHost();
    const { reached } = await host.plan({ at: 'run connector', blockMs: 60_000 });
    const application = startApplication({ description: host.description, component: 'connector', close: false });
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
    const application = startApplication({ description: host.description, component: 'connector', close: true });
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
    const application = startApplication({ description: host.description, component: 'connector', close: true });
    expect(await application.exited).toBe(0);
    expect(application.stdout()).toMatch(/^pid \d+\noutputs prompt_embeds\n$/);
  });

  test('an idle child does not keep the application alive', async () => {
    const host = await fakeHost();
    const application = startApplication({ description: host.description, component: 'connector', close: false });
    const pid = await application.childPid();
    expect(await application.exited).toBe(0);
    expect(application.stdout()).toContain('outputs prompt_embeds');
    await until(async () => !(await isAlive(pid)));
  });
});

describe('load on this process', () => {
  test('the event loop stays free while 50 MB cross', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const session = await backend.open('vaeEncoder', checkpoint);
    const decoder = await backend.open('vaeDecoder', checkpoint);
    const [height, width] = [64, 64];
    const shape = [1, 3, height * 32, width * 32];
    const image = hostTensor('float32', shape, new Float32Array(3 * height * width * 1024));
    const latent_size = hostTensor('int64', [2], BigInt64Array.of(BigInt(height), BigInt(width)));
    const longestStretch = watchEventLoop();
    const { latents } = await session.run({ image, latent_size }, { keep: ['latents'] });
    const { image: decoded } = await decoder.run({ latents: latents!, latent_size });
    const stretch = longestStretch();
    expect(decoded?.shape).toEqual(shape);
    expect(stretch).toBeLessThan(50);
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

/**
 * Measures the longest stretch of work between two turns of the event loop, in ms of processor time: unlike the delay of a timer it
 * does not grow when other programs keep the processors busy.
 */
function watchEventLoop(): () => number {
  const spent = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  let longest = 0;
  let last = spent();
  const ticks = setInterval(() => {
    const now = spent();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(ticks);
    return longest;
  };
}
