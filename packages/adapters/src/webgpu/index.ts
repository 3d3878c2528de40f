import type { Backend, BackendDescription } from '@vibe-edit/core/runtime';
import { createOrtBackend } from '../ort/ort-backend.js';

export interface WebGpuOptions {
  /**
   * Refuse graphs with nodes that would run on the CPU. For tests: sizes of reshapes always do, so not every component passes.
   * Default false.
   */
  disableCpuFallback?: boolean;
}

/** What Dawn, the WebGPU implementation in ONNX Runtime, says when it finds no graphics device. */
const NO_ADAPTER = /Failed to get a WebGPU adapter|No supported adapters/;

/**
 * ONNX Runtime on a GPU through WebGPU (Vulkan, Metal or Direct3D 12), in float32. Kept tensors stay in the GPU's memory.
 *
 * @example
 * ```ts
 * import { webgpu } from '@vibe-edit/adapters/webgpu';
 * import { createEditor } from 'vibe-edit';
 *
 * const editor = await createEditor({ backend: webgpu() });
 * ```
 */
export function webgpu(options: WebGpuOptions = {}): BackendDescription {
  return { name: 'webgpu', module: import.meta.url, options: { ...options } };
}

/**
 * Makes the backend that `webgpu()` describes, in this process.
 * @throws {BackendUnavailableError} when ONNX Runtime cannot be loaded. That there is no GPU shows when a component is opened.
 */
export function createBackend(options: WebGpuOptions = {}): Promise<Backend> {
  const { disableCpuFallback = false } = options;
  return createOrtBackend({
    name: 'webgpu',
    executionProviders: ['webgpu'],
    // Fused attention is wrong on some devices for sequences of 32 and more. There is no kernel for bfloat16: weights are converted
    // when a component is opened, by constant folding, which therefore stays on.
    plan: () => ({
      target: { attention: 'plain', embeddings: 'float32' },
      entries: {
        session: { 'intra_op.allow_spinning': '0', ...(disableCpuFallback ? { disable_cpu_ep_fallback: '1' } : {}) },
      },
    }),
    outputLocation: 'gpu-buffer',
    // Freeing a buffer after its session crashes the process (ONNX Runtime 1.30).
    tensorsOutliveSessions: false,
    missing: (error) =>
      NO_ADAPTER.test(error.message)
        ? 'no graphics device was found. On Linux it needs a Vulkan driver and its loader, libvulkan.so.1'
        : undefined,
  });
}
