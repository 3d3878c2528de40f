import { webgpu } from '@vibe-edit/adapters/webgpu';
import { createProcessBackend } from '@vibe-edit/core';
import { backendConformance } from '@vibe-edit/core/testing';
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
