import { type Backend, type BackendDescription, InvalidArgumentError } from '@vibe-edit/core/runtime';
import { createOrtBackend } from '../ort/ort-backend.js';
import { deviceFault } from './device-fault.js';
import { requireCuda } from './require-cuda.js';

export { requireCuda } from './require-cuda.js';

export interface CudaOptions {
  /** Number of the GPU, as CUDA counts those that `CUDA_VISIBLE_DEVICES` leaves. Default 0. */
  deviceId?: number;
}

/**
 * ONNX Runtime on an NVIDIA GPU through CUDA, in float32: Linux on x64. ONNX Runtime's CUDA provider is installed on its own; an error says
 * how.
 *
 * Experimental: not run on a GPU yet.
 *
 * @throws {InvalidArgumentError} when an option is not what it takes.
 * @example
 * ```ts
 * import { cuda } from '@vibe-edit/adapters/cuda';
 * import { createEditor } from 'vibe-edit';
 *
 * const editor = await createEditor({ backend: cuda({ deviceId: 1 }) });
 * ```
 */
export function cuda(options: CudaOptions = {}): BackendDescription {
  return { name: 'cuda', module: import.meta.url, options: { ...checkedOptions(options) } };
}

/**
 * Makes the backend that `cuda()` describes, in this process.
 * @throws {InvalidArgumentError} when an option is not what it takes.
 * @throws {BackendUnavailableError} when ONNX Runtime, its CUDA provider, a library of CUDA or the GPU is missing. That a GPU is there but
 * cannot be used shows when a component is opened.
 */
export async function createBackend(options: CudaOptions = {}): Promise<Backend> {
  const { deviceId = 0 } = checkedOptions(options);
  await requireCuda();
  return createOrtBackend({
    name: 'cuda',
    executionProviders: [{ name: 'cuda', deviceId }],
    // Fused causal attention has no float32 kernel on CUDA; all that these graphs have instead does, and rows of bfloat16 can be read.
    // Weights are converted when a component is opened, by constant folding.
    plan: () => ({
      target: { attention: 'plain', embeddings: 'stored' },
      entries: { session: { 'intra_op.allow_spinning': '0' } },
    }),
    // The binding of onnxruntime-node keeps tensors on a device for WebGPU alone.
    outputLocation: 'cpu',
    tensorsOutliveSessions: true,
    missing: ({ message }) => deviceFault(message, deviceId),
  });
}

function checkedOptions(options: CudaOptions): CudaOptions {
  const { deviceId } = options;
  if (deviceId !== undefined && !(Number.isInteger(deviceId) && deviceId >= 0)) {
    throw new InvalidArgumentError({
      argument: 'deviceId',
      expected: 'a whole number of 0 or more',
      received: String(deviceId),
    });
  }
  return options;
}
