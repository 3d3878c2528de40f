import { webgpu } from '@vibe-edit/adapters/webgpu';
import { createProcessBackend } from '@vibe-edit/core';
import { BackendError } from '@vibe-edit/core/runtime';
import { backendConformance, loadConformanceData } from '@vibe-edit/core/testing';
import * as runner from 'vitest';
import { findVulkan } from './vulkan.js';

// A device in software compiles its shaders for seconds each.
const TIMEOUT_MS = 600_000;
const vulkan = await findVulkan(webgpu());
const missing = 'missing' in vulkan ? vulkan.missing : undefined;
if (missing !== undefined) {
  console.warn(`NOT TESTED: the WebGPU backend. ${missing}.`);
}

backendConformance({
  name: 'webgpu',
  runner: {
    ...runner,
    test: (name, run, timeoutMs) =>
      runner.test(name, { timeout: timeoutMs }, async (context) => {
        context.skip(missing !== undefined, missing);
        await run();
      }),
  },
  createBackend: () => createProcessBackend(webgpu(), 'env' in vulkan ? { env: vulkan.env } : {}),
  tolerance: 1e-3,
  timeoutMs: TIMEOUT_MS,
});

runner.test('the networks run on the GPU alone', { timeout: TIMEOUT_MS }, async (context) => {
  context.skip(missing !== undefined, missing);
  const { checkpoint } = await loadConformanceData();
  const backend = createProcessBackend(
    webgpu({ disableCpuFallback: true }),
    'env' in vulkan ? { env: vulkan.env } : {},
  );
  runner.onTestFinished(() => backend.close());
  for (const component of ['visionEncoder', 'textEncoder', 'connector', 'transformerContext'] as const) {
    const session = await backend.open(component, checkpoint);
    runner.expect(session.outputs.length).toBeGreaterThan(0);
  }
  // The sizes of their pictures come as numbers at run time, and ONNX Runtime computes with such numbers on the CPU.
  for (const component of ['transformer', 'vaeEncoder', 'vaeDecoder'] as const) {
    await runner.expect(backend.open(component, checkpoint)).rejects.toBeInstanceOf(BackendError);
  }
});
