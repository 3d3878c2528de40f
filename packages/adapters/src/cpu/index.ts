import { memoryLimit } from '@vibe-edit/core';
import { type Backend, type BackendDescription, type Component, InvalidArgumentError } from '@vibe-edit/core/runtime';
import { createOrtBackend } from '../ort/ort-backend.js';
import { defaultThreads } from './default-threads.js';
import { chooseWeights, type WeightPolicy } from './weight-policy.js';

export type { WeightPolicy } from './weight-policy.js';

/** In a mapped component, constants up to this many bytes are converted once all the same: norms, biases, depthwise kernels. */
const LARGEST_FOLDED = String(2 ** 20);

/**
 * Matrices of this many elements are converted here and fed to the graph; smaller ones are constants, which the runtime converts and
 * packs when it opens a session: that pays for small matrices and takes minutes for billions of elements.
 */
const SMALLEST_FED = 2 ** 20;

/** Rows of a multiple of 4 KiB fall into the same places of the first cache, which has room for 8 to 12 of them. */
const CROWDED_WIDTH = 2 ** 10;

export interface CpuOptions {
  /** Threads of one operator. Default: one a physical core that this process may use. */
  threads?: number;
  /** What happens to weights that are not float32 in their file. Default `auto`: by component and by the memory there is. */
  weights?: WeightPolicy | 'auto';
}

/**
 * ONNX Runtime on the CPU, in float32: runs everywhere.
 *
 * @throws {InvalidArgumentError} when an option is not what it takes.
 * @example
 * ```ts
 * import { cpu } from '@vibe-edit/adapters/cpu';
 * import { createEditor } from 'vibe-edit';
 *
 * const editor = await createEditor({ backend: cpu({ threads: 4 }) });
 * ```
 */
export function cpu(options: CpuOptions = {}): BackendDescription {
  return { name: 'cpu', module: import.meta.url, options: { ...checkedOptions(options) } };
}

/**
 * Makes the backend that `cpu()` describes, in this process.
 * @throws {InvalidArgumentError} when an option is not what it takes.
 * @throws {BackendUnavailableError} when ONNX Runtime cannot be loaded.
 */
export function createBackend(options: CpuOptions = {}): Promise<Backend> {
  const { threads = defaultThreads(), weights = 'auto' } = checkedOptions(options);
  const memoryBytes = memoryLimit();
  return createOrtBackend({
    name: 'cpu',
    executionProviders: ['cpu'],
    outputLocation: 'cpu',
    tensorsOutliveSessions: true,
    plan({ component, weightBytes, storedBytes }) {
      const policy = chooseWeights({ component, weights, weightBytes, memoryBytes });
      return {
        target: {
          attention: 'fused',
          embeddings: 'stored',
          // The autoencoder's matrices are 1x1 convolutions between wider ones, which the runtime lays out alike when they are constants.
          ...(policy === 'converted' && !isAutoencoder(component) ? { matrixInputs: SMALLEST_FED } : {}),
          ...(isVisionLanguage(component) ? { crowdedWidth: CROWDED_WIDTH } : {}),
        },
        memoryBytes: policy === 'converted' ? weightBytes : storedBytes,
        mapped: policy === 'mapped',
        threads,
        memoryArena: usesArena(component, policy),
        entries: {
          // Idle threads would burn the cores that the rest of the program needs, for no gain.
          session: { 'intra_op.allow_spinning': '0' },
          ...(policy === 'mapped'
            ? { optimization: { constant_folding_max_output_size_in_bytes: LARGEST_FOLDED } }
            : {}),
        },
      };
    },
    missing: () => undefined,
  });
}

/**
 * An arena keeps what a run took until its session is closed. It pays in the transformer's many runs, and where a run converts
 * gigabytes of mapped matrices, each of which would be taken from the system and given back otherwise. The autoencoder's would keep
 * the widest feature maps of a picture, and one of a transformer that is mapped because memory is scarce would keep as scarce memory.
 */
function usesArena(component: Component, policy: WeightPolicy): boolean {
  if (isVisionLanguage(component)) return true;
  return policy === 'converted' && !isAutoencoder(component);
}

function isVisionLanguage(component: Component): boolean {
  return component === 'visionEncoder' || component === 'textEncoder';
}

function isAutoencoder(component: Component): boolean {
  return component === 'vaeEncoder' || component === 'vaeDecoder';
}

function checkedOptions(options: CpuOptions): CpuOptions {
  const { threads, weights } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new InvalidArgumentError({
      argument: 'threads',
      expected: 'a whole number of 1 or more',
      received: String(threads),
    });
  }
  if (weights !== undefined && !['mapped', 'converted', 'auto'].includes(weights)) {
    throw new InvalidArgumentError({
      argument: 'weights',
      expected: 'mapped, converted or auto',
      received: String(weights),
    });
  }
  return options;
}
