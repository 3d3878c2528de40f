import { setTimeout as sleep } from 'node:timers/promises';
import { cpu } from '@vibe-edit/adapters/cpu';
import { createProcessBackend, type ProcessBackendOptions } from '@vibe-edit/core';
import { AbortedError, HostCrashedError, type Session, type Tensor } from '@vibe-edit/core/runtime';
import { exampleInputs } from '@vibe-edit/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApplication } from './application.js';
import { isAlive, rejection, tinyCheckpoint, until } from './host-fixture.js';

// A decoder run of seconds on one thread, which nothing inside its process can stop.
const LONG = { height: 48, width: 64 };
const SHORT = { height: 1, width: 1 };
const description = cpu({ threads: 1 });

async function openDecoder(options: ProcessBackendOptions = {}) {
  const checkpoint = await tinyCheckpoint();
  const backend = createProcessBackend(description, options);
  onTestFinished(() => backend.close());
  const session = await backend.open('vaeDecoder', checkpoint);
  const inputs = (sizes: { height: number; width: number }): Record<string, Tensor> =>
    exampleInputs({ component: 'vaeDecoder', checkpoint, ...sizes });
  const work = async (): Promise<void> =>
    expect((await session.run(inputs(SHORT))).image?.shape).toEqual([1, 3, 32, 32]);
  await work();
  return { backend, session, inputs, work };
}

/** Starts the long run; gives its error once it is surely under way. */
async function startLong(
  session: Session,
  inputs: Record<string, Tensor>,
  signal?: AbortSignal,
): Promise<{ error: Promise<unknown> }> {
  const error = rejection(session.run(inputs, signal === undefined ? {} : { signal }));
  await sleep(200);
  return { error };
}

describe('a run of native code', () => {
  test('ends with its process when the parent is killed', async () => {
    const application = startApplication({ description, component: 'vaeDecoder', close: true, sizes: LONG });
    const pid = await application.childPid();
    await sleep(200);
    expect(await isAlive(pid)).toBe(true);
    expect(application.stdout()).not.toContain('outputs');
    application.process.kill('SIGKILL');
    const start = performance.now();
    await until(async () => !(await isAlive(pid)));
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('costs one typed error when its process is killed', async () => {
    const { backend, session, inputs, work } = await openDecoder();
    const { error } = await startLong(session, inputs(LONG));
    process.kill(backend.pid!, 'SIGKILL');
    expect(await error).toBeInstanceOf(HostCrashedError);
    await work();
  });

  test('does not hold up an abort', async () => {
    const { backend, session, inputs, work } = await openDecoder({ abortGraceMs: 50 });
    const pid = backend.pid;
    const controller = new AbortController();
    const { error } = await startLong(session, inputs(LONG), controller.signal);
    const start = performance.now();
    controller.abort();
    expect(await error).toBeInstanceOf(AbortedError);
    expect(performance.now() - start).toBeLessThan(250);
    await work();
    expect(backend.pid).not.toBe(pid);
  });

  test('does not hold up closing', async () => {
    const { backend, session, inputs } = await openDecoder();
    await startLong(session, inputs(LONG));
    const start = performance.now();
    await backend.close();
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
