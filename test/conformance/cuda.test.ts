import { cpu } from '@vibe-edit/adapters/cpu';
import { cuda } from '@vibe-edit/adapters/cuda';
import { createInlineBackend, createProcessBackend } from '@vibe-edit/core';
import { BackendUnavailableError } from '@vibe-edit/core/runtime';
import { backendConformance, loadConformanceData } from '@vibe-edit/core/testing';
import { createEditor } from 'vibe-edit';
import * as runner from 'vitest';

const { expect, onTestFinished, test } = runner;

// GPUs since Ampere multiply float32 with 10 bits of mantissa unless they are told otherwise.
const EXACT = { env: { NVIDIA_TF32_OVERRIDE: '0' } };
/** More GPUs than a machine has. */
const NO_SUCH_DEVICE = 4095;

const missing = await whyUnavailable();
if (missing !== undefined) console.warn(`NOT TESTED: the CUDA backend. ${missing}.`);

/** Tries it as an edit would. */
async function whyUnavailable(): Promise<string | undefined> {
  const { checkpoint } = await loadConformanceData();
  const backend = createProcessBackend(cuda(), EXACT);
  try {
    await backend.open('connector', checkpoint);
    return undefined;
  } catch (error) {
    if (error instanceof BackendUnavailableError) return error.message;
    throw error;
  } finally {
    await backend.close();
  }
}

backendConformance({
  name: 'cuda',
  runner: {
    ...runner,
    test: (name, run, timeoutMs) =>
      test(name, { timeout: timeoutMs }, async (context) => {
        context.skip(missing !== undefined, missing);
        await run();
      }),
  },
  createBackend: () => createProcessBackend(cuda(), EXACT),
  tolerance: 1e-3,
});

test.each(['process', 'inline'] as const)('a GPU that is not there is told, host %s', async (host) => {
  const generate = async (): Promise<unknown> => {
    const editor = await createEditor({ backend: cuda({ deviceId: NO_SUCH_DEVICE }), host });
    try {
      return await editor.generate({ instruction: 'a cat' });
    } finally {
      await editor.close();
    }
  };
  const unavailable = { code: 'VIBE_BACKEND_UNAVAILABLE', backend: 'cuda', message: expect.stringMatching(/expected/) };
  await expect(generate()).rejects.toMatchObject(unavailable);
  await expect(generate()).rejects.toMatchObject(unavailable);
  // Another backend in the same process works.
  const { checkpoint } = await loadConformanceData();
  const backend = await createInlineBackend(cpu({ threads: 1 }));
  onTestFinished(() => backend.close());
  expect((await backend.open('connector', checkpoint)).outputs.length).toBeGreaterThan(0);
});
